"""Spelling: how strings, escapes, numbers and constants that are not JSON's are spelled in JSON."""

from __future__ import annotations

import json
import re

#: Characters that JSON text writes otherwise inside of strings.
SPECIAL = frozenset(['"', "\\", *map(chr, range(0x20)), *map(chr, range(0xD800, 0xE000))])

#: How long a number may be: `json.loads` refuses integers of more than 4,300 digits.
LONGEST_NUMBER = 4_000
_PYTHON_NUMBER = re.compile(r"([+-]?)([0-9]*)(\.[0-9]*)?([eE][+-]?[0-9]+)?")
_OTHER_BASE = re.compile(r"[+-]?0[xXoObB][0-9a-fA-F]{1,1000}")
_UNDERSCORES = re.compile(r"(?<=[0-9])_(?=[0-9])")
#: The constants of JSON and of Python.
CONSTANTS = {"true": "true", "false": "false", "null": "null", "True": "true", "False": "false", "None": "null"}

#: What cannot stand in a JSON string as it is. Surrogates could, but no encoding has them.
_SPECIAL = re.compile('["\\\\\x00-\x1f\ud800-\udfff]')
_ESCAPE = re.compile(r'\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})')
_HEX, _OCTAL = "0123456789abcdefABCDEF", "01234567"
#: How many digits of what kind follow an escape in Python.
ESCAPE_DIGITS = {"x": (2, _HEX), "u": (4, _HEX), "U": (8, _HEX)} | dict.fromkeys(_OCTAL, (2, _OCTAL))
_PYTHON_ESCAPES = {"\\'": "'", "\\a": "\a", "\\v": "\v", "\\\n": ""}


def string_body(text: str) -> str:
    """What stands for `text` between the quotes of a JSON string; lone surrogates are escaped, too.

    >>> print(string_body('a "b"'))
    a \\"b\\"
    """
    return _SPECIAL.sub(_escaped, text)


def number_text(text: str) -> str | None:
    """JSON text of a number in Python's spelling, as exact; None if it is no number, or too long.

    >>> [number_text(text) for text in ("007", "+1_000", ".5", "2.", "0x1F", "1.50", "1.2.3")]
    ['7', '1000', '0.5', '2.0', '31', '1.50', None]
    """
    if len(text) > LONGEST_NUMBER:
        return None
    text = _UNDERSCORES.sub("", text)
    if match := _PYTHON_NUMBER.fullmatch(text):
        sign, whole, fraction, exponent = match.groups("")
        if not whole and len(fraction) < 2:
            return None
        if fraction == ".":
            fraction = ".0"
        return sign.replace("+", "") + (whole.lstrip("0") or "0") + fraction + exponent
    if match := _OTHER_BASE.fullmatch(text):
        try:
            return str(int(match[0], 0))
        except ValueError:
            return None
    return None


def escape_text(written: str, python: bool) -> str:
    """JSON text of an escape."""
    if _ESCAPE.fullmatch(written) and not (python and written == "\\/"):
        return written
    if written == "\\'":
        return "'"
    if not python:
        return string_body(written)
    if written in _PYTHON_ESCAPES:
        return string_body(_PYTHON_ESCAPES[written])
    digits, alphabet = ESCAPE_DIGITS.get(written[1], (0, ""))
    if alphabet == _OCTAL:
        code = int(written[1:], 8)
    elif digits and len(written) == 2 + digits:
        code = int(written[2:], 16)
    else:
        return string_body(written)
    return string_body(chr(code) if code <= 0x10FFFF else written)


def _escaped(match: re.Match[str]) -> str:
    """The escape for one character."""
    return json.dumps(match[0])[1:-1]
