"""Which causes for an alert hold now: pure functions of a snapshot and the thresholds.

What cannot be judged just now is neither held to be there nor to be gone: `Assessment.unknown`.
"""

from __future__ import annotations

from acme.alert_settings import AlertSettings
from projections.alerting.cause import Assessment, Cause, Kind
from projections.alerting.engine_causes import publisher_causes, unreachable_event_log, unreachable_read_store
from projections.alerting.facts import Snapshot
from projections.alerting.projection_causes import not_judged, projection_causes


def assess(snapshot: Snapshot, settings: AlertSettings) -> Assessment:
    """All that holds at the moment of the snapshot."""
    causes: list[Cause] = []
    unknown: list[str] = []
    if snapshot.publisher is None:
        causes.append(unreachable_event_log(snapshot, settings))
        unknown.append(Kind.PUBLISHER)
    else:
        causes.extend(publisher_causes(snapshot.publisher, snapshot.at, settings))
        if snapshot.publisher.halted_reason:
            unknown.append("publisher:standing-still")
    if snapshot.projections is None:
        causes.append(unreachable_read_store(snapshot, settings, others=causes))
        unknown.extend(kind for kind in Kind if kind not in {Kind.PUBLISHER, Kind.READ_STORE, Kind.EVENT_LOG})
    for projection in snapshot.projections or ():
        causes.extend(projection_causes(projection, snapshot.at, settings))
        unknown.extend(not_judged(projection, snapshot.at))
    return Assessment(causes=tuple(causes), unknown=tuple(unknown))
