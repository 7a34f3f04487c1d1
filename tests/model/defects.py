"""Guards turned off, one at a time: each must make the model fail."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def turned_off(name: str | None) -> Iterator[None]:
    yield
