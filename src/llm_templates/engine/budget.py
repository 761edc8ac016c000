"""The budget of one render: steps, bytes, depth and sizes, counted deterministically and charged before the work.

One step is about a hundred nanoseconds of work: two nodes of a loop's body for one turn, 64 bytes scanned, one item
touched. The clock is never read: the same template on the same input always ends at the same place.
"""

from __future__ import annotations

from typing import NamedTuple

from ..errors import BudgetError

KIB, MIB = 1 << 10, 1 << 20


class Limits(NamedTuple):
    """What one template and one render may use.

    The figures of the first group bound the template's text, those of the second one render. `steps`, `created`,
    `value` and `output` grow with the input (`Scale`), so that a long honest conversation is never refused.

    >>> Limits(steps=10_000).steps
    10000
    """

    #: Characters of template source (the largest published one has 28,700).
    source: int = 128 * KIB
    #: Tokens the lexer may give, and nodes of the tree.
    tokens: int = 12_000
    nodes: int = 12_000
    #: Depth of the tree, of nested blocks, of nested loops, and of brackets inside one expression.
    depth: int = 100
    blocks: int = 50
    loops: int = 20
    brackets: int = 24

    #: Steps of one render, and what every message or tool node, every pair of messages, and every byte adds.
    steps: int = 1_000_000
    steps_per_node: int = 2_000
    steps_per_pair: int = 10
    steps_per_byte: int = 2
    #: Bytes of values the template creates, of one value, and of output; each grows by a multiple of the input's bytes.
    #: Created bytes also grow with bytes x messages, for templates that gather their output in one text piece by piece.
    created: int = 24 * MIB
    created_per_byte: int = 64
    created_per_byte_and_message: int = 2
    value: int = 8 * MIB
    value_per_byte: int = 8
    output: int = 8 * MIB
    output_per_byte: int = 64
    #: Nesting of values and of calls; bits of an integer the template makes; length of a range.
    value_depth: int = 100
    calls: int = 60
    integer_bits: int = 1_024
    range: int = 100_000


#: The limits every template has unless others are given.
DEFAULT_LIMITS = Limits()


class Scale(NamedTuple):
    """How large the input is: messages, nodes of messages, tools and documents, and bytes of text in them."""

    messages: int = 0
    nodes: int = 0
    bytes: int = 0


#: Messages beyond this many do not raise the bytes that may be created for each byte of input.
MOST_MESSAGES = 1_000

#: Text of at most this many characters may be made without charging bytes, at places the compiler has charged
#: `FREE_COST` steps for in advance; asking each time would cost more than making it.
FREE_TEXT = 1_024
FREE_COST = 96
#: Lists, tuples and dicts of at most this many items that the template writes out are not charged one by one either.
FREE_ITEMS = 8
#: Text of at most this many characters may be searched for a few without charging steps, at places charged the same in
#: advance.
FREE_SCAN = 2_048
#: Few enough characters to be searched for in any text at once, and text long enough for Python's linear search.
SHORT_SEARCH = 16
LINEAR_SEARCH = 30_000
#: Text of at most this many characters is written without charging it: writing only keeps a reference.
FREE_OUTPUT = 2_048
#: Output of at most this many pieces, made while at most this many bytes were charged, cannot exceed the limit.
FEW_PIECES = 2_048
FEW_BYTES = 4 * MIB


class Budget:
    """Counts down what a render may still use; every overdraft raises `BudgetError` before the work is done.

    Making one must cost next to nothing, so that only what every render asks for is set on the instance.
    """

    limits: Limits = DEFAULT_LIMITS
    value_limit: int = DEFAULT_LIMITS.value
    output_limit: int = DEFAULT_LIMITS.output
    calls_left: int = DEFAULT_LIMITS.calls
    _bytes_floor: int = 0
    _grown: bool = False

    def __init__(self) -> None:
        self.steps_left = self.limits.steps
        self.bytes_left = self.limits.created

    def scale(self) -> Scale:
        """The size of the input; asked for once a render, and only when a base limit is met."""
        return Scale()

    def spend(self, steps: int) -> None:
        """Charge `steps`."""
        self.steps_left -= steps
        if self.steps_left < 0:
            self._grow()
            if self.steps_left < 0:
                raise BudgetError(
                    "the template needs more steps than its budget allows",
                    hint="raise it with limits=Limits(steps=...)",
                )

    def work(self, size: int) -> None:
        """Charge the scan of `size` characters."""
        self.spend((size >> 6) + 1)

    def create(self, size: int) -> None:
        """Charge a new value of `size` bytes, before it is made."""
        if size > self.value_limit:
            self._grow()
            if size > self.value_limit:
                shown = f"{size:,} bytes" if size < 1 << 64 else "far too many bytes"
                raise BudgetError(
                    f"the template makes a value of {shown}; the limit is {self.value_limit:,}",
                    hint="raise it with limits=Limits(value=...)",
                )
        self.steps_left -= (size >> 6) + 1
        if self.steps_left < 0:
            self.spend(0)
        self.charge(size + 64)

    def charge(self, size: int) -> None:
        """Charge `size` bytes of values that are made or kept."""
        self.bytes_left -= size
        if self.bytes_left < self._bytes_floor:
            self._grow()
            if self.bytes_left < self._bytes_floor:
                raise BudgetError(
                    "the template creates more bytes of values than its budget allows",
                    hint="raise it with limits=Limits(created=...)",
                )

    def create_text(self, length: int, *operands: str) -> None:
        """Charge a new text of `length` characters made of the operands: of four bytes unless all are ASCII."""
        for operand in operands:
            if not operand.isascii():
                length *= 4
                break
        self.create(length)

    def charge_text(self, text: str) -> None:
        """Charge a text that is there already."""
        self.bytes_left -= len(text) if text.isascii() else 4 * len(text)
        if self.bytes_left < self._bytes_floor:
            self.charge(0)

    def strip(self, text: str, stripped: str) -> None:
        """Charge what was scanned to strip `text`, and what is left as a new text."""
        self.work(len(text) - len(stripped))
        self.charge_text(stripped)

    def search(self, length: int, wanted: int, backwards: bool = False) -> None:
        """Charge the search for `wanted` characters in `length`.

        Python searches long text forwards in linear time; short text, and any text backwards, it may compare with every
        place where what is wanted could begin.
        """
        if wanted <= SHORT_SEARCH:
            self.spend((length >> 3) + 1)
        elif backwards or length < LINEAR_SEARCH:
            self.spend((length * max(1, min(wanted, length - wanted + 1)) >> 7) + 1)
        else:
            self.spend((length >> 3) + 1)

    def emit(self, size: int) -> None:
        """Check that `size` characters of output are allowed, before they are joined."""
        if size > self.output_limit:
            self._grow()
            if size > self.output_limit:
                raise BudgetError(
                    f"the template writes {size:,} characters; the limit is {self.output_limit:,}",
                    hint="raise it with limits=Limits(output=...)",
                )

    def overdrawn(self) -> None:
        """Raise if the steps, bytes or calls that were taken without asking are more than there were."""
        if self.calls_left < 0:
            raise BudgetError(f"the template nests more than {self.limits.calls} calls")
        self.spend(0)
        self.charge(0)

    def _grow(self) -> None:
        """Add what the input's size allows; the input is measured only here, so that small renders never pay for it."""
        if self._grown:
            return
        self._grown = True
        scale, limits = self.scale(), self.limits
        self.steps_left += limits.steps_per_node * (scale.messages + scale.nodes)
        self.steps_left += limits.steps_per_pair * scale.messages * scale.messages
        self.steps_left += limits.steps_per_byte * scale.bytes
        # The bytes go below zero rather than up again: `few_bytes` must not find them untouched.
        self._bytes_floor -= limits.created_per_byte * scale.bytes
        self._bytes_floor -= limits.created_per_byte_and_message * scale.bytes * min(scale.messages, MOST_MESSAGES)
        self.value_limit += limits.value_per_byte * scale.bytes
        self.output_limit += limits.output_per_byte * scale.bytes


def few_bytes(limits: Limits) -> int:
    """While this many bytes are left, output of `FEW_PIECES` pieces cannot exceed the limit: nobody need measure it."""
    if limits.output < FEW_BYTES + FEW_PIECES * FREE_OUTPUT:
        return limits.created + 1
    return limits.created - FEW_BYTES
