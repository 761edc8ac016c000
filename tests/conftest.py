"""What several tests share: one render told as an outcome, ours and the reference's."""

import jinja2
import pytest

from llm_templates import RaisedError, TemplatesError


def _ours(template, messages, **options):
    try:
        return "text", template.render(messages, **options)
    except RaisedError as refusal:
        return "refused", refusal.message
    except TemplatesError:
        return "failed", None


@pytest.fixture(scope="session")
def ours():
    """A function that renders with a ChatTemplate: ("text", prompt), ("refused", its words) or ("failed", None)."""
    return _ours


@pytest.fixture(scope="session")
def reference():
    """A function that renders Jinja text as transformers does, with the same three outcomes."""
    render_jinja_template = pytest.importorskip("transformers.utils.chat_template_utils").render_jinja_template

    def render(source, messages, *, special_tokens, **options):
        # apply_chat_template drops these before it renders.
        messages = [{key: value for key, value in message.items() if value is not None} for message in messages]
        try:
            (text,), _ = render_jinja_template([messages], chat_template=source, **options, **special_tokens)
        except (jinja2.TemplateError, TypeError) as error:
            refused = type(error) is jinja2.TemplateError
            return ("refused", error.message) if refused else ("failed", None)
        return "text", text

    return render
