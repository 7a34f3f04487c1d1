"""Whether a generation that was rebuilt may go live: compared with both oracles, and with the generation that is live.

The new one must equal a replay of the log and the state tables. The live one is compared with the same replay: where
it differs, the two generations do. That is expected after a change of the projection's version (or of the log's epoch),
and is listed; without such a change it says that one of them is wrong, and somebody has to look.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pymongo.database import Database

from projections.runtime.checkpoints import Checkpoint, Checkpoints, Stream
from projections.runtime.projection import Projection
from projections.verification.against_log import LOOKS, AgainstLog, Difference
from projections.verification.verify import Oracles, Verification, verify

#: Aggregates whose counting is compared with their tables: that is about the code, which is the same for all.
COUNTED = 1000
#: (what is being done, how much of it, of how much; 0: nobody knows)
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, kw_only=True)
class Parity:
    """``new``: the new generation against both oracles. ``old``: how the live one differs from the same log.

    ``newly_parked``: aggregates that wait among the dead letters of the new generation and not of the live one.
    ``reason``: why a difference from the live one is expected; empty where it is not.
    """

    new: Verification
    old: tuple[Difference, ...]
    parked: tuple[str, ...]
    newly_parked: tuple[str, ...]
    reason: str

    @property
    def objections(self) -> list[str]:
        """Why it must not go live; those that an operator may accept are in `doubts`."""
        wrong = len(self.new.differences)
        return [f"the new generation differs from log or state tables in {wrong:,} places"] if wrong else []

    @property
    def doubts(self) -> list[str]:
        """What only an operator can judge."""
        found = []
        if self.old and not self.reason:
            number = len({difference.document for difference in self.old})
            found.append(
                f"{number:,} documents differ from the live generation although the projection's version is the same"
            )
        if self.newly_parked:
            found.append(f"{len(self.newly_parked):,} aggregates are parked that are not parked in the live generation")
        return found


def compare(
    store: Database[dict[str, Any]],
    oracles: Oracles,
    projection: Projection,
    generation: int,
    live: int,
    streams: list[Stream],
    *,
    live_version: int | None,
    on_progress: Progress = lambda what, done, total: None,
) -> Parity:
    """Reads the whole log twice. Workers may go on meanwhile. Raises engine failures."""
    held = Checkpoints(store, projection.name, generation).load(streams)
    held_live = Checkpoints(store, projection.name, live).load(streams)
    reason = ""
    if live_version != projection.version:
        reason = f"version {live_version or '?'} became {projection.version}"
    elif any(c.log_epoch not in (None, held[stream].log_epoch) for stream, c in held_live.items()):
        reason = "the live generation is of an older log epoch"
    new = verify(store, oracles, projection, generation=generation, counted=COUNTED, on_progress=on_progress)
    looks = 1 if reason else LOOKS
    against = AgainstLog(store, oracles.log, oracles.keys.unseal, projection, live, looks=looks)
    old = against.verify(None, lambda done, total: on_progress("the live generation", done, total))
    parked, parked_live = parked_aggregates(held), parked_aggregates(held_live)
    return Parity(
        new=new,
        old=tuple(old.differences),
        parked=tuple(sorted(parked)),
        newly_parked=tuple(sorted(parked - parked_live)),
        reason=reason,
    )


def parked_aggregates(held: Mapping[Stream, Checkpoint]) -> set[str]:
    """``type:id`` of those that a generation with these checkpoints passes over."""
    return {name for checkpoint in held.values() for name in checkpoint.stopped}
