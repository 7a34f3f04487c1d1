"""Carrying out many commands in one transaction, again when somebody was faster, one by one when a command refuses."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import TypeVar

from tenacity import Retrying, retry_if_exception_type, stop_after_attempt

from acme.errors import Conflict, ShopError
from commands.handling import retrying, unit_of_work

T = TypeVar("T")
R = TypeVar("R")

#: The work on some items at one moment; it must look up anew what it depends on, as it may be run again.
Work = Callable[[Sequence[T], datetime], R]
ATTEMPTS = 3


def in_batch(items: Sequence[T], work: Work[T, R], *, refused: Callable[[T, str], None]) -> Iterable[R]:
    """Does the work on all items in one transaction; where a command says no, on each alone, and reports those that
    were refused. Raises `acme.errors.Busy` and Django's database errors."""
    try:
        return [_transaction(items, work)]
    except ShopError as error:
        if _passing(error):
            raise
    results = []
    for item in items:
        try:
            results.append(_transaction([item], work))
        except ShopError as error:
            if _passing(error):
                raise
            refused(item, error.detail)
    return results


def _transaction(items: Sequence[T], work: Work[T, R]) -> R:
    def attempt() -> R:
        with unit_of_work():
            return work(items, datetime.now(UTC))

    # A conflict may mean that another process imports the same: the next attempt sees what it has done.
    again = Retrying(retry=retry_if_exception_type(Conflict), stop=stop_after_attempt(ATTEMPTS), reraise=True)
    return again(retrying, attempt)


def _passing(error: ShopError) -> bool:
    """Whether it is about the moment and not about the item."""
    return error.status >= 500
