"""Write the golden files of families again, from the publishers' own templates rendered by transformers.

usage: python tests/families/refresh.py CORPUS [FAMILY...]

CORPUS holds `templates/<file>.jinja`, and `references.toml` here says which of them verifies a family. Where there is
none, or where it fails without saying why, transformers renders the family's own template, and the section says so.
"""

import copy
import sys
import tomllib
from datetime import datetime
from pathlib import Path

import jinja2
from golden_files import HERE, NOW, Golden, conversations, options_of, write_golden
from transformers.utils import chat_template_utils
from transformers.utils.chat_template_utils import render_jinja_template

from llm_templates import families


class FrozenTime(datetime):
    """The time that templates are told."""

    @classmethod
    def now(cls, tz=None):
        return NOW


chat_template_utils.datetime = FrozenTime


def main(corpus: Path, wanted: list[str]) -> None:
    references = tomllib.loads((HERE / "references.toml").read_text("utf-8"))
    for name in wanted or families.names():
        family = families.get(name)
        for stem, own in [(name, family.template), *((f"{name}.{v}", text) for v, text in family.variants.items())]:
            files = references.get(stem, [])
            source = (corpus / "templates" / f"{files[0]}.jinja").read_bytes().decode("utf-8") if files else None
            goldens = {}
            for title, conversation in conversations().items():
                golden = source and rendered(source, f"{family.origin.kind}'s template", conversation, family)
                if not golden or golden.outcome == "fails":
                    golden = rendered(own, "this template", conversation, family)
                goldens[title] = golden
            write_golden(stem, goldens)


def rendered(source: str, by: str, conversation: dict, family: families.Family) -> Golden:
    """What transformers makes of a conversation."""
    # apply_chat_template drops these before it renders.
    messages = [{k: v for k, v in message.items() if v is not None} for message in conversation["messages"]]
    options = {**family.special_tokens, **options_of(conversation)}
    try:
        (text,), _ = render_jinja_template([copy.deepcopy(messages)], chat_template=source, **options)
    except jinja2.TemplateError as error:
        return Golden(by, "refused" if type(error) is jinja2.TemplateError else "fails", str(error.message))
    except (TypeError, ValueError, KeyError, AttributeError) as error:
        return Golden(by, "fails", f"{type(error).__name__}: {error}")
    return Golden(by, "renders", text)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
