"""Folding a batch: events and the documents they touch in, changed sections and counts out. Pure, in memory.

Events are taken aggregate by aggregate, in version order: a section belongs to one aggregate, and counts commute. An
event that cannot be applied stops its own aggregate from there on; the effects of the events before it stand.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from acme.contracts.envelope import Envelope, Unseal, decode
from projections.runtime.failures import is_engine_failure
from projections.runtime.projection import Count, Projection


class VersionGap(ValueError):
    """An event does not follow the version its section has: something before it is missing."""


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """An event that could not be applied: the first of its aggregate that is not.

    ``passed_to``: sequence of the aggregate's last event in the batch, passed over as well.
    """

    envelope: Envelope
    passed_to: int
    error: str
    traceback: str


@dataclass(kw_only=True)
class SectionState:
    """A section: as the store has it (``stored``: its version, None where there is none) and as it will be."""

    document: str
    path: str
    stored: int | None
    value: dict[str, Any]

    @property
    def changed(self) -> bool:
        return self.value.get("version") != self.stored


@dataclass(kw_only=True)
class Fold:
    """What a batch comes to."""

    sections: dict[tuple[str, str], SectionState] = field(default_factory=dict)
    counted: list[tuple[Envelope, Count]] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    applied: int = 0


#: Answers a fresh copy of the section (empty dict where there is none) that the caller may change.
ReadSection = Callable[[str, str], dict[str, Any]]


def group_by_aggregate(envelopes: Iterable[Envelope]) -> dict[str, list[Envelope]]:
    """Aggregates in order of their first event; each aggregate's events keep their order."""
    groups: dict[str, list[Envelope]] = {}
    for envelope in envelopes:
        groups.setdefault(envelope.aggregate, []).append(envelope)
    return groups


def documents_of(projection: Projection, envelopes: Iterable[Envelope]) -> set[str]:
    """Ids of the documents whose sections these events change; events without the key are left to the fold."""
    keys: set[str] = set()
    for envelope in envelopes:
        section = projection.sections.get(envelope.aggregate_type)
        if section is not None:
            with suppress(KeyError):
                keys.add(section.locate(envelope)[0])
    return keys


def fold_batch(projection: Projection, groups: dict[str, list[Envelope]], read: ReadSection, unseal: Unseal) -> Fold:
    """Applies every group. Engine failures (the key store cannot be reached) are raised, event failures recorded."""
    result = Fold()
    for events in groups.values():
        taken, refusal = _fold_group(projection, events, read, unseal, result)
        if refusal is not None:
            # The section may be half changed by the handler that failed: once more, without it.
            _fold_group(projection, events[:taken], read, unseal, result)
            result.refusals.append(refusal)
        result.applied += taken
    return result


def _fold_group(
    projection: Projection, events: list[Envelope], read: ReadSection, unseal: Unseal, result: Fold
) -> tuple[int, Refusal | None]:
    """Folds one aggregate's events; all or, on a refusal, nothing goes into ``result``. Answers how many were good."""
    states: dict[tuple[str, str], SectionState] = {}
    counted: list[tuple[Envelope, Count]] = []
    for taken, envelope in enumerate(events):
        try:
            counted.extend(_fold_event(projection, envelope, states, read, unseal))
        except Exception as error:
            if is_engine_failure(error):
                raise
            text = f"{type(error).__name__}: {error}"
            return taken, Refusal(
                envelope=envelope,
                passed_to=events[-1].sequence or 0,
                error=text,
                traceback=traceback.format_exc(limit=-8),
            )
    result.sections.update(states)
    result.counted.extend(counted)
    return len(events), None


def _fold_event(
    projection: Projection,
    envelope: Envelope,
    states: dict[tuple[str, str], SectionState],
    read: ReadSection,
    unseal: Unseal,
) -> list[tuple[Envelope, Count]]:
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
        state = _state(section.locate(envelope), states, read)
        if _follows(state, envelope, jumps=projection.headers_only is not None):
            if projection.headers_only is not None:
                projection.headers_only(state.value, envelope)
            elif section_handler is not None and event is not None:
                section_handler(projection.instance, state.value, event, envelope.occurred_at)
            state.value["version"] = envelope.aggregate_version
    return counted


def _state(place: tuple[str, str], states: dict[tuple[str, str], SectionState], read: ReadSection) -> SectionState:
    if place not in states:
        value = read(*place)
        states[place] = SectionState(document=place[0], path=place[1], stored=value.get("version"), value=value)
    return states[place]


def _follows(state: SectionState, envelope: Envelope, *, jumps: bool) -> bool:
    """Whether the event is the next one (True) or already there (False). Raises `VersionGap` for a later one."""
    version = state.value.get("version") or 0
    if envelope.aggregate_version <= version:
        return False
    if envelope.aggregate_version != version + 1 and not jumps:
        raise VersionGap(f"version {envelope.aggregate_version} came, the document has {version}")
    return True
