"""What a template is compiled with."""

from __future__ import annotations

from typing import NamedTuple


class Options(NamedTuple):
    """The options of one compilation; `compile_template` says what each means."""

    trim_blocks: bool = True
    lstrip_blocks: bool = True
    extensions: tuple[str, ...] = ()
    watched: frozenset[str] = frozenset()
    parameters: tuple[str, ...] = ()
    #: Those of the parameters that are lists of closed values.
    closed: tuple[str, ...] = ()
    mutable: bool = False
    #: Whether text carries marks that say where it came from.
    traced: bool = False
    #: Names of global functions that the context gives another value.
    shadowed: frozenset[str] = frozenset()
