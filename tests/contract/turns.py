"""What a play consists of: batches of workers, and what happens at one of their writes. Drawn by `test_owes`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

AT_MOST = 10_000  # events of a batch that takes all


class Happens(Enum):
    """What comes between."""

    NOTHING = "nothing"
    KILLED_BEFORE = "the process is killed before the write"
    KILLED_AFTER = "the process is killed just after the write"
    STORE_WENT_BACK = "the store is restarted and has lost its last changes"
    STORE_WENT_BACK_IN_SILENCE = "the same between two batches, of a store that never tells (a mongos)"
    PARTITIONS_MOVED = "the other worker has partitions of this one, and goes on in them"
    CHECKPOINTS_LOST = "checkpoints are gone and documents are not: everything comes twice"


@dataclass(frozen=True, kw_only=True)
class Turn:
    """A batch: up to ``events`` new ones of its ``worker`` and, of each partition, ``again`` earlier ones.

    ``hole``: Kafka lacks the first new one of each partition. ``at`` the how many-th write (after the batch, if there
    are fewer) ``happens`` something, to the depth of ``reach``: so many turns back, so many events of the other one.
    ``ahead``: as many more are folded while the store writes, before it does or after (``store_first``); they are its
    next batch.
    """

    worker: int = 0
    events: int = AT_MOST
    again: int = 0
    hole: bool = False
    shuffled: bool = False
    happens: Happens = Happens.NOTHING
    at: int = 1
    reach: int = 0
    ahead: bool = False
    store_first: bool = False
