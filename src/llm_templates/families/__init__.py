"""The built-in families: `<name>.jinja`, the template, and `<name>.toml`, its facts; and how they are read."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

from ..errors import SourceError

#: Where the data files are. A path, since the package is always unpacked: importlib.resources would double the time an
#: import takes.
FOLDER = Path(__file__).parent


class Quirk(NamedTuple):
    """Something a reader would not expect of a format, and why it is so."""

    what: str
    why: str


class Stop(NamedTuple):
    """What ends the model's turn: `tokens` by their text, `strings` where a model runs on in ordinary text."""

    tokens: tuple[str, ...] = ()
    strings: tuple[str, ...] = ()


class Family(NamedTuple):
    """A prompt format and the models that speak it, as the data files state them.

    >>> family = get("zephyr")
    >>> family.title
    'Zephyr 7B'
    >>> family.special_tokens["eos_token"]
    '</s>'
    >>> family.stop.tokens
    ('</s>',)
    """

    name: str
    #: The chat template, as Jinja text.
    template: str
    title: str
    #: One sentence that says how the format looks.
    description: str
    #: Hub ids of the publishers' models in this format.
    models: tuple[str, ...]
    #: Other names `load` knows the family by.
    aliases: tuple[str, ...]
    #: The roles the template writes.
    roles: tuple[str, ...]
    #: What a message's content may be and what happens to it.
    content: str
    special_tokens: Mapping[str, str]
    stop: Stop
    #: Template variables beyond the standard ones: name to meaning.
    variables: Mapping[str, str]
    quirks: tuple[Quirk, ...]


@cache
def names() -> tuple[str, ...]:
    """The names of the built-in families, sorted.

    >>> "zephyr" in names()
    True
    """
    return tuple(sorted(path.stem for path in FOLDER.glob("*.toml")))


def find(name: str) -> Family | None:
    """The family of this name or alias, or None."""
    if name in names():
        return _read(name)
    return _by_alias().get(name)


def get(name: str) -> Family:
    """The family of this name or alias.

    Raises:
        SourceError: there is none; the hint names the nearest ones.
    """
    family = find(name)
    if family is None:
        raise SourceError(f"there is no built-in family {name!r}", hint=suggestion(name))
    return family


def suggestion(name: str) -> str:
    """The built-in names nearest to `name`, or all of them, as a sentence.

    >>> suggestion("zefyr")
    'did you mean zephyr?'
    """
    from difflib import get_close_matches

    near = get_close_matches(name.lower(), names(), n=2, cutoff=0.6)
    if near:
        return f"did you mean {' or '.join(near)}?"
    return f"the built-in names are {', '.join(names())}"


@cache
def _read(name: str) -> Family:
    facts = tomllib.loads((FOLDER / f"{name}.toml").read_text(encoding="utf-8"))
    return Family(
        name=name,
        template=(FOLDER / f"{name}.jinja").read_text(encoding="utf-8"),
        title=facts["title"],
        description=facts["description"],
        models=tuple(facts["models"]),
        aliases=tuple(facts.get("aliases", ())),
        roles=tuple(facts["roles"]),
        content=facts["content"],
        special_tokens=facts["special_tokens"],
        stop=Stop(tokens=tuple(facts["stop"]["tokens"]), strings=tuple(facts["stop"]["strings"])),
        variables=facts.get("variables", {}),
        quirks=tuple(Quirk(**quirk) for quirk in facts.get("quirks", ())),
    )


@cache
def _by_alias() -> dict[str, Family]:
    return {alias: family for family in map(_read, names()) for alias in family.aliases}
