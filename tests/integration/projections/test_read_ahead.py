"""A worker that is behind: it polls, orders and folds its next batch while the store writes the one before."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from pymongo.collection import Collection

from acme import metrics
from acme.bus import BusUnavailable, Consumer
from projections.runtime.intake import StreamBlocked
from projections.runtime.supply import Supply
from projections.runtime.writer import Writer
from tests.integration.projections.conftest import QUICK, Shop

#: Every poll brings all that it may, until the end comes near.
SMALL = replace(QUICK, max_records=5, log_records=5, first_batch=5, smallest_batch=5)


class Overlaps:
    """The store answers a write beside which something is done only when a poll has come meanwhile."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.seen, self.used, self._polled = 0, 0, threading.Event()
        self.fails: Iterator[BaseException] = iter(())
        poll, write, fold = Consumer.poll, Collection.bulk_write, Writer.fold

        def polling(consumer: Consumer, timeout: float, *most: int) -> Any:
            if timeout == 0.0:
                self._polled.set()
                if error := next(self.fails, None):
                    raise error
            return poll(consumer, timeout, *most)

        def writing(collection: Collection[Any], *arguments: Any, **named: Any) -> Any:
            if threading.current_thread().name.startswith("acme-writer"):
                assert self._polled.wait(20), "nothing was polled while the store wrote"
                self._polled.clear()
                self.seen += 1
            return write(collection, *arguments, **named)

        def folding(writer: Writer, envelopes: Any) -> Any:
            ahead = writer._next
            found = fold(writer, envelopes)
            self.used += ahead is not None and found is ahead[1]
            return found

        patch.setattr(Consumer, "poll", polling)
        patch.setattr(Collection, "bulk_write", writing)
        patch.setattr(Writer, "fold", folding)


@pytest.fixture
def overlaps(monkeypatch: pytest.MonkeyPatch) -> Overlaps:
    return Overlaps(monkeypatch)


def failures(name: str) -> float:
    return float(metrics.PROJECTION_ENGINE_FAILURES.labels(projection=name)._value.get())


@pytest.mark.parametrize("name", ["products", "stock"])
def test_the_next_batch_is_folded_while_the_store_writes(name: str, shop: Shop, overlaps: Overlaps) -> None:
    shop.act(120)
    shop.worker(name, SMALL)
    shop.settled(name)
    assert overlaps.seen >= 3
    assert overlaps.used >= 3


def test_what_goes_wrong_meanwhile_waits_for_the_batch_that_is_written(shop: Shop, overlaps: Overlaps) -> None:
    """It is told at the next turn, and what was written counts: nothing is overtaken, nothing is missing."""
    before, overtaken = failures("products"), metrics.PROJECTION_OVERTAKEN.labels(projection="products")
    first = overtaken._value.get()
    overlaps.fails = iter([BusUnavailable("away"), BusUnavailable("away again")])
    shop.act(60)
    shop.worker("products", SMALL)
    shop.settled("products")
    assert next(overlaps.fails, None) is None
    assert failures("products") == before + 2
    assert overtaken._value.get() == first


def test_a_partition_that_is_set_aside_meanwhile_is_left_out(
    shop: Shop, overlaps: Overlaps, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was read ahead of it is not applied: it comes again when the partition is looked at once more."""
    take, left_out = Supply.take, []

    def taking(supply: Supply, consumer: Any, applier: Any, polled: Any, *identities: Any) -> Any:
        if polled.ahead and len(left_out) < 3:
            item = polled.ahead[0]
            stream = item.envelope.topic, item.envelope.partition
            if stream in supply.ready:
                left_out.append(stream)
                supply.block(consumer, [stream], StreamBlocked("by a test"))
        found = take(supply, consumer, applier, polled, *identities)
        assert not {(i.envelope.topic, i.envelope.partition) for i in found} - supply.ready
        return found

    monkeypatch.setattr(Supply, "take", taking)
    shop.act(60)
    shop.worker("products", replace(SMALL, blocked_retry=0.5))
    shop.settled("products")
    assert len(left_out) == 3
