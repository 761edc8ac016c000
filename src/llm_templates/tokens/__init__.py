"""From a prompt to tokens: ids, offsets and a mask, in which no text of the input can become a control token."""

from .encoding import encode
from .padding import pad
from .tokens import Attempt, Tokens
from .trust import parts, unprotected

__all__ = ["Attempt", "Tokens", "encode", "pad", "parts", "unprotected"]
