"""Functions whose hints are text, as `from __future__ import annotations` makes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Annotated, NotRequired, Required, TypedDict

if TYPE_CHECKING:
    from decimal import Decimal


class Size(Enum):
    S = "small"
    L = "large"


def postponed(a: int | None, b: list[Size], c: Annotated[str, "hidden"] = "") -> dict[str, Size]:
    """Has hints that are text.

    Args:
        a: First
        b: Second
        c: Third
    """


class Shelf:
    def put(self, size: Size) -> Shelf:
        """Puts.

        Args:
            size: How large
        """


ACCEPTED = [postponed, Shelf().put]


class Parcel(TypedDict, total=False):
    size: Required[Size]
    label: str


class Letter(Parcel):
    stamp: int
    seal: NotRequired[bool]


@dataclass
class Tree:
    name: str
    children: list[Tree]
    parent: Tree | None = None


def send(letter: Letter, copies: Annotated[Sequence[int], "which copies"]):
    """Sends.

    Args:
        letter: What
    """


def plant(tree: Tree, others: list[Tree]) -> Decimal:
    """Plants.

    Args:
        tree: Which
        others: More
    """


def pay(amount: Decimal):
    """Pays.

    Args:
        amount: How much
    """
