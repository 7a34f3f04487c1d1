"""What a worker has for one generation of its projection; a reset gives it another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pymongo.database import Database

from acme.contracts.envelope import Unseal
from acme.ports import EventLog
from projections.runtime.applier import Applier
from projections.runtime.heartbeat import Heartbeat
from projections.runtime.mending import Mending
from projections.runtime.operations import Operations
from projections.runtime.projection import Projection
from projections.runtime.recovery import Recovery
from projections.runtime.settings import WorkerSettings


@dataclass(frozen=True, kw_only=True)
class Part:
    """Applier, recovery and heartbeat of one generation."""

    generation: int
    applier: Applier
    mending: Mending
    operations: Operations
    heartbeat: Heartbeat

    @classmethod
    def of(
        cls,
        projection: Projection,
        generation: int,
        store: Database[dict[str, Any]],
        log: EventLog,
        unseal: Unseal,
        settings: WorkerSettings,
        key: str,
    ) -> Part:
        """``key``: that of the worker's heartbeat."""
        applier = Applier(projection, generation, store, unseal, limits=settings.limits)
        return cls(
            generation=generation,
            applier=applier,
            mending=Mending(applier, log),
            operations=Operations(store, applier, Recovery(applier, log), settings.retried_at_once),
            heartbeat=Heartbeat(store, log, projection.name, generation, key),
        )
