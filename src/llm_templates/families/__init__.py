"""The built-in families: `<name>.jinja`, the template, and `<name>.toml`, its facts; and how they are found and read.

A model with several named templates has the others beside the first as `<name>.<variant>.jinja`.
"""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import SourceError
from .family import Conventions, Family, Origin, Quirk, Stop, Variable, family_of
from .switches import Switch

if TYPE_CHECKING:
    from .detection import Detection

__all__ = [
    "Conventions",
    "Family",
    "Origin",
    "Quirk",
    "Stop",
    "Switch",
    "Variable",
    "detect",
    "facts_text",
    "find",
    "find_by_id",
    "get",
    "names",
    "suggestion",
]

#: Where the data files are. A path, since the package is always unpacked: importlib.resources would double the time an
#: import takes.
FOLDER = Path(__file__).parent


@cache
def names() -> tuple[str, ...]:
    """The names of the built-in families, sorted.

    >>> "zephyr" in names()
    True
    """
    return tuple(sorted(path.stem for path in FOLDER.glob("*.toml")))


def find(name: str) -> Family | None:
    """The family of this name or alias, or None."""
    if _is_name(name) and (FOLDER / f"{name}.toml").is_file():
        return _read(name)
    # Most names are not aliases: the files are searched as text before any is parsed.
    quoted = f'"{name}"'
    for other in names() if _is_name(name) else ():
        if quoted in facts_text(other):
            family = _read(other)
            if name in family.aliases:
                return family
    return None


def _is_name(name: str) -> bool:
    """Whether a name could be a family's; one that is a path elsewhere could not."""
    return (
        len(name) <= 100
        and name.isascii()
        and name == name.lower()
        and name.replace("-", "").replace(".", "").isalnum()
    )


def find_by_id(model: str) -> Family | None:
    """The family that the model of this hub id speaks, by the ids and patterns of the data files, or None.

    Upper and lower case are the same. An id that is listed goes before patterns, a longer pattern before a shorter one.

    >>> find_by_id("HuggingFaceH4/zephyr-7b-beta").name
    'zephyr'
    """
    exact, patterns = _by_id()
    wanted = model.lower()
    if wanted in exact:
        return _read(exact[wanted])
    for pattern, name in patterns:
        if _matches(wanted, pattern):
            return _read(name)
    return None


def get(name: str) -> Family:
    """The family of this name or alias.

    Raises:
        SourceError: there is none; the hint names the nearest ones.
    """
    family = find(name)
    if family is None:
        raise SourceError(f"there is no built-in family {name!r}", hint=suggestion(name))
    return family


def detect(template: Any) -> Detection:
    """The built-in family that a template belongs to, with the evidence; see `Detection`.

    Args:
        template: a `ChatTemplate`, or Jinja text.

    Raises:
        TemplateSyntaxError: the text is not a template.

    >>> found = detect("{% for m in messages %}<|{{ m.role }}|>\\n{{ m.content + eos_token }}\\n{% endfor %}")
    >>> found.family
    'zephyr'
    """
    from .detection import detect

    return detect(template)


def suggestion(name: str) -> str:
    """The built-in names nearest to `name`, or where to see all of them, as a sentence.

    >>> suggestion("zefyr")
    'did you mean zephyr?'
    """
    from difflib import SequenceMatcher

    matcher = SequenceMatcher(b=name.lower()[:100])
    alike = []
    for other in names():
        matcher.set_seq1(other)
        alike.append((-matcher.ratio(), other))
    alike.sort()
    # Names that are almost as near as the nearest are worth a word, others would only confuse.
    near = [other for score, other in alike[:3] if -score >= 0.6 and score - alike[0][0] <= 0.1]
    if near:
        return f"did you mean {' or '.join(near)}?"
    return "the built-in names are in families.names(), and on the command line in `llm-templates list`"


def facts_text(name: str) -> str:
    """The TOML text of a family, by its name."""
    return (FOLDER / f"{name}.toml").read_text(encoding="utf-8")


@cache
def _read(name: str) -> Family:
    facts = tomllib.loads(facts_text(name))
    variants = {variant: _template_text(f"{name}.{variant}") for variant in facts.get("variants", ())}
    return family_of(name, _template_text(name), variants, facts)


def _template_text(stem: str) -> str:
    return (FOLDER / f"{stem}.jinja").read_text(encoding="utf-8")


@cache
def _by_id() -> tuple[dict[str, str], list[tuple[str, str]]]:
    families = [_read(name) for name in names()]
    exact = {model.lower(): family.name for family in families for model in family.models}
    patterns = [(pattern.lower(), family.name) for family in families for pattern in family.patterns]
    return exact, sorted(patterns, key=lambda entry: (-len(entry[0].replace("*", "")), entry))


def _matches(text: str, pattern: str) -> bool:
    """Whether `*` for anything makes the pattern the text; in one pass, since a `*` may take the shortest that fits."""
    first, *rest = pattern.split("*")
    if not rest:
        return text == first
    *middle, last = rest
    if not (text.startswith(first) and text.endswith(last) and len(text) >= len(first) + len(last)):
        return False
    place, end = len(first), len(text) - len(last)
    for piece in middle:
        place = text.find(piece, place, end)
        if place < 0:
            return False
        place += len(piece)
    return True
