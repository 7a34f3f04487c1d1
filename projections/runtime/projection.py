"""How a projection is declared: `@projection` on a class, `@on` and `@counts` on its methods.

A handler is a pure function of the section (or of nothing) and the event: it reads no clock, no store, no other
document.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from string import Formatter
from typing import Any

import mongoengine

from acme.contracts.base import Event
from acme.contracts.envelope import Envelope, id_text
from acme.contracts.topics import BY_AGGREGATE
from projections.runtime.settings import BRIEF, RetryPolicy

SectionHandler = Callable[[Any, dict[str, Any], Event, datetime], None]
CountHandler = Callable[[Any, Event, datetime], Iterable["Count"]]
OWN_KEYS = {"{aggregate_id}", "{aggregate}"}
StateHandler = Callable[[Any, Mapping[str, Any]], Iterable["Count"]]


@dataclass(frozen=True, kw_only=True)
class Section:
    """The part of a document that one aggregate owns, with a contiguous version of its own.

    ``path`` is where it stands (empty: the document's root). ``key`` is the document's id. Both may name members of
    the event's data, and ``{aggregate_id}`` or ``{aggregate}`` (``type:id``), in braces. ``mirrors_state``: it has the
    fields of the aggregate's state tables, under the same names and in the same shapes (`acme.ports.AggregateStates`).
    """

    aggregate: str
    path: str
    key: str = "{aggregate_id}"
    mirrors_state: bool = False

    @cached_property
    def one_place(self) -> bool:
        """Whether all events of an aggregate change the same section: nothing of their data says where it is."""
        named = {name for text in (self.key, self.path) for _, name, _, _ in Formatter().parse(text) if name}
        return named <= {"aggregate_id", "aggregate"}

    def locate(self, envelope: Envelope) -> tuple[str, str]:
        """Document id and path. Raises KeyError when the event's data lacks the member."""
        if self.key == "{aggregate_id}" and "{" not in self.path:
            return id_text(envelope.aggregate_id), self.path
        members = {**envelope.data, "aggregate_id": envelope.aggregate_id, "aggregate": envelope.aggregate}
        return self.key.format_map(members), self.path.format_map(members)


@dataclass(frozen=True, kw_only=True)
class Count:
    """Increments of one counter document by one event. All four commute, so any order gives the same document.

    ``add``: path → amount; ``lowest``/``highest``: path → value kept when lower/higher; ``static``: what a new document
    has besides, a function of its key alone.
    """

    document: str
    add: Mapping[str, int]
    lowest: Mapping[str, Any] = field(default_factory=dict)
    highest: Mapping[str, Any] = field(default_factory=dict)
    static: Mapping[str, Any] = field(default_factory=dict)


def on(*events: type[Event]) -> Callable[[SectionHandler], SectionHandler]:
    """Method decorator: ``method(self, section, event, at)`` changes its aggregate's section in place."""
    return _mark("_on", events)


def counts(*events: type[Event]) -> Callable[[CountHandler], CountHandler]:
    """Method decorator: ``method(self, event, at)`` answers the `Count`s of an event."""
    return _mark("_counts", events)


def from_state(*aggregates: str) -> Callable[[StateHandler], StateHandler]:
    """Method decorator: ``method(self, state)`` answers what the state tables of an aggregate (`acme.ports`) say that
    its events must have counted in all; of each `Count` only ``add`` is looked at. For verification, so it shares no
    code with the `counts` methods."""
    return _mark("_from_state", aggregates)


def _mark(attribute: str, what: tuple[Any, ...]) -> Callable[[Any], Any]:
    def decorate(method: Any) -> Any:
        setattr(method, attribute, what)
        return method

    return decorate


@dataclass(frozen=True, kw_only=True)
class Projection:
    """A declared projection, as the runtime uses it.

    ``computed`` are pipeline stages run by the store after a section was set, for fields across sections; ``recompute``
    does the same to a document in memory, for comparison.
    ``headers_only``: the events are not decoded; ``header`` folds an envelope into the (root) section instead, and
    versions may jump because documents expire.
    """

    name: str
    version: int
    document: type[mongoengine.Document]
    sections: Mapping[str, Section]
    topics: tuple[str, ...]
    instance: Any = None
    on: Mapping[str, SectionHandler] = field(default_factory=dict)
    counts: Mapping[str, CountHandler] = field(default_factory=dict)
    counted: frozenset[str] = frozenset()  # aggregate types whose events are counted
    from_state: Mapping[str, StateHandler] = field(default_factory=dict)  # by aggregate type
    ignores: frozenset[str] = frozenset()
    computed: tuple[dict[str, Any], ...] = ()
    recompute: Callable[[dict[str, Any]], None] | None = None
    headers_only: Callable[[dict[str, Any], Envelope], None] | None = None
    retry: RetryPolicy = BRIEF  # of an event that fails, before it is parked

    @property
    def has_one_owner(self) -> bool:
        """Whether one aggregate's events alone make a document: no other section, no counter, nothing computed, and no
        document or place in one that several aggregates share or change."""
        alone = len(self.sections) == 1 and not self.counts and not self.computed
        return alone and all(s.key in OWN_KEYS and "{" not in s.path for s in self.sections.values())


#: All projections by name, in order of declaration (projections.projectors declares them).
PROJECTIONS: dict[str, Projection] = {}


def projection(
    name: str,
    *,
    version: int,
    document: type[mongoengine.Document],
    sections: tuple[Section, ...] = (),
    computed: tuple[dict[str, Any], ...] = (),
    recompute: Callable[[dict[str, Any]], None] | None = None,
    retry: RetryPolicy = BRIEF,
) -> Callable[[type], type]:
    """Class decorator: registers the projection. ``version`` is raised with every change of what it writes.

    Raises ValueError where one of ``computed`` and ``recompute`` is given without the other.
    """
    if bool(computed) != (recompute is not None):
        raise ValueError(f"projection {name}: what the store computes must be computed in memory too, and the reverse")

    def register(cls: type) -> type:
        handlers = [member for member in vars(cls).values() if callable(member)]
        on_events = {e.__name__: m for m in handlers for e in getattr(m, "_on", ())}
        count_events = {e.__name__: m for m in handlers for e in getattr(m, "_counts", ())}
        owners = {s.aggregate for s in sections}
        counted = {e.aggregate_type for m in handlers for e in getattr(m, "_counts", ())}
        add(
            Projection(
                name=name,
                version=version,
                document=document,
                sections={s.aggregate: s for s in sections},
                topics=topics_of(owners | counted),
                instance=cls(),
                on=on_events,
                counts=count_events,
                counted=frozenset(counted),
                from_state={name: m for m in handlers for name in getattr(m, "_from_state", ())},
                ignores=frozenset(e.__name__ for e in getattr(cls, "ignores", ())),
                computed=computed,
                recompute=recompute,
                retry=retry,
            )
        )
        return cls

    return register


def add(declared: Projection) -> Projection:
    """Puts a projection into the registry. Raises ValueError for a second one of the same name."""
    if declared.name in PROJECTIONS:
        raise ValueError(f"projection {declared.name} is declared twice")
    PROJECTIONS[declared.name] = declared
    return declared


def topics_of(aggregates: Iterable[str]) -> tuple[str, ...]:
    """The topics in which events of these aggregates travel, sorted."""
    return tuple(sorted({BY_AGGREGATE[aggregate].name for aggregate in aggregates}))
