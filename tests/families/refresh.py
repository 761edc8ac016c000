"""Write the expected text of every golden again, from the publishers' own templates rendered by transformers.

usage: python tests/families/refresh.py FOLDER

FOLDER holds `<family>.jinja`, the template as the publisher of the family's models ships it. A new case is a new file
under golden/<family>/ with `messages` and `options`; this adds `expected`, or `refused` where the template refuses.
"""

import json
import sys
from pathlib import Path

import jinja2
from transformers import __version__
from transformers.utils.chat_template_utils import render_jinja_template

from llm_templates import families

GOLDEN = Path(__file__).parent / "golden"


def main(folder: Path) -> None:
    for path in sorted(GOLDEN.glob("*/*.json")):
        name = path.parent.name
        case = json.loads(path.read_text(encoding="utf-8"))
        given = {key: case[key] for key in ("note", "messages", "options") if key in case}
        template = (folder / f"{name}.jinja").read_text(encoding="utf-8")
        try:
            (text,), _ = render_jinja_template(
                [case["messages"]], chat_template=template, **case["options"], **families.get(name).special_tokens
            )
            answer = {"expected": text}
        except jinja2.TemplateError as error:
            answer = {"refused": error.message}
        made = {"reference": f"transformers {__version__}, the publisher's template"}
        path.write_text(json.dumps({**given, **made, **answer}, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
