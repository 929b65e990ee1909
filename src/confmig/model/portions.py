"""Cutting a stream into portions (itertools.batched, which Python 3.11 lacks)."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

T = TypeVar("T")


def portions(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Lists of at most ``size`` items, in order; none is empty."""
    iterator = iter(items)
    while portion := list(islice(iterator, size)):
        yield portion
