"""Small histories of a few aggregates that share two partitions, and the projections that are tried with them."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any
from uuid import UUID

from acme.contracts.envelope import Envelope
from acme.contracts.topics import BY_NAME, CARTS, partition_of
from projections.registry import PROJECTIONS
from projections.runtime.projection import Projection
from projections.runtime.settings import AT_ONCE
from tests.contract.history import History

#: Sections of two aggregates in one document, of one, and counters, in which more can go wrong.
TRIED = ("products", "carts", "sales_by_day", "sales_by_day")
PARTITIONS = (0, 1)
LONGEST = 7  # events of one aggregate
MOST = 5  # aggregates
#: (event type, aggregate) of events that fail.
Poison = set[tuple[str, UUID]]


class SharedPartitions(History):
    """A history whose aggregates all fall into the first two partitions."""

    def uuid(self) -> UUID:
        while True:
            made = super().uuid()
            if partition_of(CARTS, made) in PARTITIONS:
                return made


@cache
def _aggregates(seed: int) -> list[list[Envelope]]:
    stream = SharedPartitions(seed, size=2).interleaved(seed)
    found: dict[str, list[Envelope]] = {}
    for envelope in stream:
        found.setdefault(envelope.aggregate, []).append(envelope)
    return list(found.values())


def history_for(projection: Projection, chance: random.Random) -> list[list[Envelope]]:
    """The first events of a few aggregates that the projection is made of."""
    wanted = {*projection.sections, *projection.counted}
    mine = [events for events in _aggregates(chance.randrange(8)) if events[0].aggregate_type in wanted]
    chosen = chance.sample(mine, min(len(mine), chance.randint(2, MOST)))
    return [events[: chance.randint(2, LONGEST)] for events in chosen]


def streams_of(projection: Projection) -> list[tuple[str, int]]:
    """The partitions that have events."""
    assert all(BY_NAME[name].partitions > max(PARTITIONS) for name in projection.topics)
    return [(name, number) for name in projection.topics for number in PARTITIONS]


def failing(projection: Projection, poison: Poison) -> Projection:
    """The projection, whose handlers fail half way for the events that are in ``poison`` at the time."""

    def with_poison(handler: Callable[..., Any]) -> Callable[..., Any]:
        def handle(instance: Any, *arguments: Any) -> Any:
            event = arguments[-2]
            if (type(event).__name__, event.aggregate_id) in poison:
                if len(arguments) == 3:
                    arguments[0]["name"] = "half changed"
                raise ZeroDivisionError("poison")
            return handler(instance, *arguments)

        return handle

    return replace(
        projection,
        on={name: with_poison(handler) for name, handler in projection.on.items()},
        counts={name: with_poison(handler) for name, handler in projection.counts.items()},
        retry=AT_ONCE,
    )


def projection_named(name: str) -> Projection:
    return PROJECTIONS[name]
