"""Folding a batch: events and the documents they touch in, changed sections and counts out. Pure, in memory.

Events are taken aggregate by aggregate, in version order: a section belongs to one aggregate, and counts commute. An
event that cannot be applied stops its own aggregate from there on; the effects of the events before it stand.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from acme.contracts.envelope import Envelope, Unseal, decode
from projections.runtime.failures import is_engine_failure
from projections.runtime.fingerprint import fingerprint
from projections.runtime.projection import Count, Projection

#: Each aggregate's events in version order; never an empty list.
Groups = Collection[list[Envelope]]
Place = tuple[str, str]  # document id and path of a section


class VersionGap(ValueError):
    """An event does not follow the version its section has: something before it is missing."""


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """An event that could not be applied: the first of its aggregate that is not.

    ``held``: the aggregate's later events in the batch, which wait behind it. ``attempts``: how often it was tried.
    """

    envelope: Envelope
    held: tuple[Envelope, ...] = ()
    error: str
    error_class: str
    fingerprint: str
    traceback: str = ""
    attempts: int = 1

    @property
    def passed_to(self) -> int:
        """Sequence of the aggregate's last event in the batch, passed over as well."""
        return (self.held[-1] if self.held else self.envelope).sequence or 0

    @classmethod
    def of(cls, projection: str, events: list[Envelope], error: BaseException) -> Refusal:
        """The refusal of the first of these events, with an error that is being handled."""
        return cls(
            envelope=events[0],
            held=tuple(events[1:]),
            error=f"{type(error).__name__}: {error}",
            error_class=f"{type(error).__module__}.{type(error).__qualname__}",
            fingerprint=fingerprint(projection, events[0].event_type, error),
            traceback="".join(traceback.format_exception(error, limit=-8)),
        )


@dataclass(kw_only=True)
class SectionState:
    """A section: as the store has it (``stored``: its version, None where there is none) and as it will be."""

    document: str
    path: str
    stored: int | None
    value: dict[str, Any]
    aggregate: str  # whose events change it

    @property
    def changed(self) -> bool:
        return self.value.get("version") != self.stored

    @property
    def passed(self) -> bool:
        """Whether it has all of the batch's events already."""
        return self.stored is not None and not self.changed

    def has_still(self, document: dict[str, Any] | None) -> bool:
        """Whether the document, read anew, has the version that was read before."""
        found: Any = document or {}
        for part in self.path.split(".") if self.path else ():
            found = found.get(part) or {}
        return bool((found.get("version") or 0) >= (self.stored or 0))


@dataclass(kw_only=True)
class Fold:
    """What a batch comes to."""

    sections: dict[Place, SectionState] = field(default_factory=dict)
    counted: list[tuple[Envelope, Count]] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    applied: int = 0


#: Answers a fresh copy of the section (empty dict where there is none) that the caller may change.
ReadSection = Callable[[str, str], dict[str, Any]]


def group_by_aggregate(envelopes: Iterable[Envelope]) -> Groups:
    """Aggregates in order of their first event; each aggregate's events keep their order."""
    groups: dict[tuple[str, int], list[Envelope]] = {}  # by number: a UUID is hashed and written in Python
    for envelope in envelopes:
        key = (envelope.aggregate_type, envelope.aggregate_id.int)
        if key in groups:
            groups[key].append(envelope)
        else:
            groups[key] = [envelope]
    return groups.values()


def documents_of(projection: Projection, groups: Groups) -> set[str]:
    """Ids of the documents whose sections these events change; events without the key are left to the fold."""
    keys: set[str] = set()
    for events in groups:
        section = projection.sections.get(events[0].aggregate_type)
        if section is not None:
            for envelope in events[:1] if section.one_place else events:
                with suppress(KeyError):
                    keys.add(section.locate(envelope)[0])
    return keys


def fold_batch(projection: Projection, groups: Groups, read: ReadSection, unseal: Unseal) -> Fold:
    """Applies every group. Engine failures (the key store cannot be reached) are raised, event failures recorded."""
    result = Fold()
    for events in groups:
        taken, refusal = _fold_group(projection, events, read, unseal, result)
        if refusal is not None:
            if taken:  # the section may be half changed by the handler that failed: once more, without it
                _fold_group(projection, events[:taken], read, unseal, result)
            result.refusals.append(refusal)
        result.applied += taken
    return result


def fold_discarded(projection: Projection, groups: Groups, read: ReadSection) -> Fold:
    """Passes the events over: the sections come to their version, nothing else changes and nothing is counted."""
    result = Fold()
    for events in groups:
        section = projection.sections.get(events[0].aggregate_type)
        if section is None:
            continue
        for envelope in events:
            with suppress(KeyError):  # data too broken to say which document: then none has a version to raise
                state = _state(envelope, section.locate(envelope), result.sections, read)
                state.value["version"] = max(envelope.aggregate_version, state.value.get("version") or 0)
    return result


def _fold_group(
    projection: Projection, events: list[Envelope], read: ReadSection, unseal: Unseal, result: Fold
) -> tuple[int, Refusal | None]:
    """Folds one aggregate's events; all or, on a refusal, nothing goes into ``result``. Answers how many were good."""
    states: dict[Place, SectionState] = {}
    counted: list[tuple[Envelope, Count]] = []
    section = projection.sections.get(events[0].aggregate_type)
    place = section.locate(events[0]) if section is not None and section.one_place else None
    for taken, envelope in enumerate(events):
        try:
            counted.extend(_fold_event(projection, envelope, place, states, read, unseal))
        except Exception as error:
            if is_engine_failure(error):
                raise
            return taken, Refusal.of(projection.name, events[taken:], error)
    result.sections.update(states)
    result.counted.extend(counted)
    return len(events), None


def _fold_event(
    projection: Projection,
    envelope: Envelope,
    place: Place | None,
    states: dict[Place, SectionState],
    read: ReadSection,
    unseal: Unseal,
) -> list[tuple[Envelope, Count]]:
    """``place``: where the section is, where all events of the aggregate have the same."""
    name = envelope.event_type
    section = projection.sections.get(envelope.aggregate_type)
    if section is None and envelope.aggregate_type not in projection.counted:
        return []
    section_handler, count_handler = projection.on.get(name), projection.counts.get(name)
    passed_over = name in projection.ignores or projection.headers_only is not None
    # An event nobody mentions is decoded too: an unknown type or schema version must stop its aggregate, not slip by.
    event = None if passed_over else decode(envelope, unseal)
    counted: list[tuple[Envelope, Count]] = []
    if count_handler is not None and event is not None:
        counted = [(envelope, c) for c in count_handler(projection.instance, event, envelope.occurred_at)]
    if section is not None:
        state = _state(envelope, place or section.locate(envelope), states, read)
        if _follows(state, envelope, jumps=projection.headers_only is not None):
            if projection.headers_only is not None:
                projection.headers_only(state.value, envelope)
            elif section_handler is not None and event is not None:
                section_handler(projection.instance, state.value, event, envelope.occurred_at)
            state.value["version"] = envelope.aggregate_version
    return counted


def _state(envelope: Envelope, place: Place, states: dict[Place, SectionState], read: ReadSection) -> SectionState:
    state = states.get(place)
    if state is None:
        document, path = place
        value, owner = read(document, path), envelope.aggregate
        state = states[place] = SectionState(
            document=document, path=path, stored=value.get("version"), value=value, aggregate=owner
        )
    return state


def _follows(state: SectionState, envelope: Envelope, *, jumps: bool) -> bool:
    """Whether the event is the next one (True) or already there (False). Raises `VersionGap` for a later one."""
    version = state.value.get("version") or 0
    if envelope.aggregate_version <= version:
        return False
    if envelope.aggregate_version != version + 1 and not jumps:
        raise VersionGap(f"version {envelope.aggregate_version} came, the document has {version}")
    return True
