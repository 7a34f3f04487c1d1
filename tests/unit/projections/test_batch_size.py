"""Batches that take about as long as they may, for items of any cost."""

from __future__ import annotations

import pytest

from projections.runtime.batch_size import BatchSize


def size(first: int = 50, largest: int = 400) -> BatchSize:
    return BatchSize(first, smallest=10, largest=largest, longest=5.0)


def run(of: BatchSize, seconds_each: float, batches: int = 20) -> list[int]:
    """The sizes of full batches whose items take so long."""
    sizes = []
    for _ in range(batches):
        sizes.append(of.now)
        of.took(of.now * seconds_each, of.now)
    return sizes


def test_quick_batches_grow_to_the_largest() -> None:
    assert run(size(), 0.001) == [50, 100, 200] + [400] * 17


@pytest.mark.parametrize("seconds_each", [0.02, 0.05, 0.15, 0.4, 5.0])
def test_slow_ones_shrink_until_they_fit_and_stay(seconds_each: float) -> None:
    sizes = run(size(first=400), seconds_each)
    assert len(set(sizes[-10:])) == 1
    assert sizes[-1] == 10 or 5.0 / 2 <= sizes[-1] * seconds_each <= 5.0


def test_what_gets_cheap_again_grows_again() -> None:
    of = size()
    assert run(of, 0.4)[-1] == 12
    assert run(of, 0.001)[-1] == 400


def test_a_batch_that_was_not_full_tells_nothing_about_larger_ones() -> None:
    of = size()
    of.took(0.01, 49)
    assert of.now == 50
    of.took(6.0, 3)  # that it took long it does tell
    assert of.now == 25


def test_one_that_was_made_ahead_is_judged_by_what_it_might_have_had() -> None:
    """Two are always under way, so what one tells is known when the next one is made already."""
    of = size(first=400)
    for _ in range(2):  # both made with 400
        of.took(8.0, 400, 400)
    assert of.now == 200
    of = size()
    of.took(0.01, 50, 50)
    of.took(0.01, 50, 50)
    assert of.now == 100
    of.took(0.01, 50, 100)
    assert of.now == 100


def test_neither_end_is_passed() -> None:
    assert size(first=50, largest=5).now == 5
    assert run(size(), 60.0)[-1] == 10
    assert run(size(largest=5), 60.0)[-1] == 5


def test_one_that_breaks_off_never_grows_and_shrinks_when_it_took_long(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([0.0, 0.1, 10.0, 40.0])
    monkeypatch.setattr("projections.runtime.batch_size.time.monotonic", lambda: next(clock))
    of = size()
    for expected in (50, 25):
        with pytest.raises(TimeoutError), of.timed(50):
            raise TimeoutError
        assert of.now == expected
