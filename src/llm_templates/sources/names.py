"""The names of templates that stand in files of their own."""

from __future__ import annotations

from collections.abc import Mapping

from ..errors import InputError
from .source import DEFAULT

#: What no operating system, and no path, takes for part of a name.
_FORBIDDEN = frozenset('/\\:*?"<>|')
#: transformers takes a template of this name for the default one.
_MISREAD = "file"
#: The longest name of a template.
LENGTH = 100


def is_file_name(name: str) -> bool:
    """Whether a template of this name can have a file that lies where it should.

    >>> is_file_name("tool_use"), is_file_name("../tool_use"), is_file_name("")
    (True, False, False)
    """
    return (
        0 < len(name) <= LENGTH
        and not name.startswith((".", " "))
        and not name.endswith((".", " "))
        and name.isprintable()
        and not _FORBIDDEN & set(name)
    )


def check_names(templates: Mapping[str, str]) -> None:
    """Raises InputError for templates that transformers could not read back from files."""
    if not templates:
        raise InputError("there is no template to save")
    if len({name.casefold() for name in templates}) < len(templates):
        raise InputError("two templates have names that differ in case only", hint="on some disks they are one file")
    for name in templates:
        if not is_file_name(name) or name == _MISREAD:
            raise InputError(
                f"a template cannot be saved under the name {name!r}",
                hint=f"use a short word such as {DEFAULT!r} or 'tool_use'; its file is called so",
            )
