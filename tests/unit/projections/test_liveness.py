"""Who is alive is told by heartbeats that change, whatever the clock of their worker says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from projections.runtime.liveness import SILENT, SILENT_WITHOUT_LEASE, Liveness

AHEAD, BEHIND = timedelta(hours=6), timedelta(hours=-6)


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def heartbeat(off: timedelta, beats: int = 0) -> dict[str, Any]:
    """As a worker writes it whose clock is off by so much."""
    seen = datetime.now(UTC) + off + timedelta(seconds=beats)
    return {"_id": "products|host|1|1", "seen_at": seen, "lease_until": seen + timedelta(seconds=10)}


@pytest.mark.parametrize("off", [timedelta(0), AHEAD, BEHIND])
def test_one_that_beats_is_alive_until_it_is_silent(off: timedelta) -> None:
    clock = Clock()
    liveness = Liveness(clock)
    for beats in range(30):
        assert liveness.is_alive(heartbeat(off, beats))
        clock.now += 1
    last = heartbeat(off, 30)
    assert liveness.is_alive(last)
    clock.now += SILENT
    assert liveness.is_alive(last)
    clock.now += 0.1
    assert not liveness.is_alive(last)


@pytest.mark.parametrize(("off", "silent"), [(AHEAD, SILENT), (BEHIND, SILENT_WITHOUT_LEASE)])
def test_one_that_was_killed_is_dead_soon(off: timedelta, silent: float) -> None:
    clock = Clock()
    liveness, left = Liveness(clock), heartbeat(off)
    assert liveness.is_alive(left)
    clock.now += silent + 0.1
    assert not liveness.is_alive(left)
