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
from projections.runtime import bulk
from projections.runtime.applier import Applier
from projections.runtime.bulk import Bulk, CounterUnwritable
from projections.runtime.intake import StreamBlocked
from projections.runtime.supply import Supply
from projections.runtime.writer import WRITER_THREADS, Writer
from tests.integration.projections.conftest import QUICK, Shop, wait_until

#: Every poll brings all that it may, until the end comes near.
SMALL = replace(QUICK, max_records=5, log_records=5, first_batch=5, smallest_batch=5, blocked_retry=0.5)


class Overlaps:
    """A write beside which something is done, and the poll that is done, wait for one another."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.seen = self.used = 0
        self.fails: Iterator[BaseException] = iter(())
        both, poll, write, fold = threading.Barrier(2), Consumer.poll, bulk.write_guarded, Writer.fold

        def polling(consumer: Consumer, timeout: float, *most: int) -> Any:
            if timeout == 0.0:
                both.wait(20)
                if error := next(self.fails, None):
                    raise error
            return poll(consumer, timeout, *most)

        def writing(collection: Collection[Any], operations: list[Any]) -> None:
            if threading.current_thread().name.startswith(WRITER_THREADS):
                both.wait(20)
                self.seen += 1
            write(collection, operations)

        def folding(writer: Writer, envelopes: Any) -> Any:
            ahead = writer._next
            found = fold(writer, envelopes)
            self.used += ahead is not None and found is ahead[1]
            return found

        patch.setattr(Consumer, "poll", polling)
        patch.setattr(bulk, "write_guarded", writing)
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
    """It is raised at the next turn, and what was written counts: nothing is overtaken, nothing is missing."""
    before, overtaken = failures("products"), metrics.PROJECTION_OVERTAKEN.labels(projection="products")
    first = overtaken._value.get()
    overlaps.fails = iter([BusUnavailable("away"), BusUnavailable("away again")])
    shop.act(60)
    shop.worker("products", SMALL)
    shop.settled("products")
    assert next(overlaps.fails, None) is None
    assert failures("products") == before + 2
    assert overtaken._value.get() == first


def test_a_batch_has_its_checkpoint_while_the_next_one_hangs(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    go_on, hangs, fold_ahead = threading.Event(), threading.Event(), Applier.fold_ahead

    def hanging(applier: Applier, batch: Any) -> None:
        hangs.set()
        go_on.wait(30)
        fold_ahead(applier, batch)

    monkeypatch.setattr(Applier, "fold_ahead", hanging)
    shop.act(60)
    shop.worker("products", SMALL)
    try:
        wait_until(hangs.is_set)
        wait_until(lambda: shop.store["projection_checkpoints"].count_documents({"sequence": {"$gt": 0}}) > 0)
    finally:
        go_on.set()
    shop.settled("products")


def test_a_partition_that_cannot_go_on_ahead_of_a_batch_that_is_written(
    shop: Shop, overlaps: Overlaps, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The batch comes to its end; the partition is set aside and looked at again."""
    take, in_order, blocked, appliers = Supply.take, Supply._in_order, list[Any](), list[Applier]()

    def taking(supply: Supply, consumer: Any, applier: Applier, *rest: Any) -> Any:
        appliers[:] = [applier]
        return take(supply, consumer, applier, *rest)

    def ordering(supply: Supply, held: Any, arrived: Any) -> Any:
        if len(blocked) < 3 and appliers[0].held[held.stream] is not held:  # its events are being written
            blocked.append(held.stream)
            raise StreamBlocked("by a test")
        return in_order(supply, held, arrived)

    monkeypatch.setattr(Supply, "take", taking)
    monkeypatch.setattr(Supply, "_in_order", ordering)
    shop.act(150)
    shop.worker("products", SMALL)
    shop.settled("products")
    assert len(blocked) == 3


def test_what_was_read_ahead_of_a_partition_that_the_batch_sets_aside_is_left_out(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store refuses a counter when the next batch has been folded; what is left of this one is written, and nothing
    is read ahead a second time."""
    take, carry_out, refused, left_out = Supply.take, Bulk.carry_out, list[Any](), list[Any]()
    poll, ahead, in_turn = Supply.poll, Supply._poll, list[float]()

    def polling(supply: Supply, consumer: Any) -> Any:
        in_turn.clear()
        return poll(supply, consumer)

    def polling_ahead(supply: Supply, consumer: Any, wait: float) -> Any:
        in_turn.append(wait)
        assert in_turn.count(0.0) <= 1
        return ahead(supply, consumer, wait)

    def taking(supply: Supply, consumer: Any, applier: Any, polled: Any, *rest: Any) -> Any:
        found = take(supply, consumer, applier, polled, *rest)
        if polled.ahead:
            streams = {(item.envelope.topic, item.envelope.partition) for item in polled.ahead}
            left_out.extend(streams & set(supply.blocked))
            assert not {(i.envelope.topic, i.envelope.partition) for i in found} & set(supply.blocked)
        return found

    def refusing(self: Bulk, collection: Any) -> None:
        if threading.current_thread().name.startswith(WRITER_THREADS) and len(refused) < 20 and not left_out:
            moving = next(iter(writers))._moves
            refused.append(next(iter(moving)))
            raise CounterUnwritable({refused[-1]}, "by a test")
        carry_out(self, collection)

    writers: list[Applier] = []
    apply = Applier.apply

    def applying(applier: Applier, *rest: Any) -> int:
        writers[:] = [applier]
        return apply(applier, *rest)

    monkeypatch.setattr(Supply, "poll", polling)
    monkeypatch.setattr(Supply, "_poll", polling_ahead)
    monkeypatch.setattr(Supply, "take", taking)
    monkeypatch.setattr(Bulk, "carry_out", refusing)
    monkeypatch.setattr(Applier, "apply", applying)
    shop.act(150)
    shop.worker("products", SMALL)
    shop.settled("products")
    assert refused
    assert left_out
