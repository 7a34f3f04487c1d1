"""Which faults in which order, drawn from a seed that is printed: ACME_FAULT_SEED repeats it."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.faults.campaign.campaign import Campaign


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One kind of fault. ``weight``: how often it is drawn, compared with others; ``seconds``: what it costs."""

    name: str
    strike: Callable[[Campaign], None]
    weight: int = 4
    seconds: float = 4.0
    #: A web process that dies leaves requests which are carried out when their lease of a minute is over.
    early: bool = False


def seed_of_this_run() -> int:
    """From the environment, else a new one; printed either way."""
    seed = int(os.environ.get("ACME_FAULT_SEED", "0")) or random.randrange(1, 10**6)
    print(f"seed {seed} (ACME_FAULT_SEED={seed} repeats it)")
    return seed


def long_plan(kinds: Sequence[Kind], faults: int, moments: random.Random) -> list[Kind]:
    """So many faults, each kind at least once, the others by weight."""
    drawn = moments.choices(kinds, weights=[kind.weight for kind in kinds], k=max(0, faults - len(kinds)))
    return moments.sample([*kinds, *drawn], len(kinds) + len(drawn))


def short_plan(kinds: Sequence[Kind], seconds: float, moments: random.Random) -> list[Kind]:
    """Different kinds that cost so many seconds in all, the ``early`` ones first."""
    chosen: list[Kind] = []
    for kind in moments.sample(kinds, len(kinds)):
        if sum(one.seconds for one in chosen) + kind.seconds <= seconds:
            chosen.append(kind)
    return sorted(chosen, key=lambda kind: not kind.early)
