"""What a worker does while the store writes."""

from __future__ import annotations

from typing import Any, cast

import pytest

from acme.bus import Record
from projections.runtime.settings import WorkerSettings
from projections.runtime.supply import Polled, Supply

NOBODY = cast(Any, None)


@pytest.mark.parametrize(("count", "reads"), [(0, False), (24, False), (25, True), (100, True)])
def test_it_reads_ahead_from_a_quarter_of_what_a_poll_may_bring(count: int, reads: bool) -> None:
    """One event by itself goes the short way."""
    supply = Supply("carts", NOBODY, WorkerSettings(max_records=100, first_batch=100))
    records = [Record("acme.carts", 0, number, None, b"{}", []) for number in range(count)]
    polled = Polled(records={("acme.carts", 0): records}, allowed=100)
    assert (supply.ahead_of(polled, NOBODY, NOBODY, {}) is not None) is reads
