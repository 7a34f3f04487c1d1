"""What a campaign has to answer for: commands lost, counted twice, documents that differ, faults not carried out."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import defaultdict
from dataclasses import dataclass, field

import psycopg
from pymongo import MongoClient

from tests.faults.campaign.shop import OpenShop
from tests.stack import PROJECT


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One that was carried out: how many events waited when it came, how long it took in seconds."""

    kind: str
    waiting: int
    seconds: float


@dataclass(kw_only=True)
class Account:
    """The table of a campaign and its last line."""

    planned: int
    faults: list[Fault] = field(default_factory=list)
    lost: set[str] = field(default_factory=set)
    twice: set[str] = field(default_factory=set)
    differing: dict[str, list[str]] = field(default_factory=dict)

    @property
    def line(self) -> str:
        differing = sum(map(len, self.differing.values()))
        return f"faults {len(self.faults)}, lost {len(self.lost)}, twice {len(self.twice)}, differing {differing}"

    def table(self) -> str:
        """A row for each kind: how often, events that waited, seconds."""
        rows: dict[str, list[Fault]] = defaultdict(list)
        for fault in self.faults:
            rows[fault.kind].append(fault)
        lines = [f"{'kind':<44}{'faults':>7}{'waiting':>9}{'seconds':>9}"]
        for kind, faults in sorted(rows.items()):
            waiting, seconds = sum(f.waiting for f in faults), sum(f.seconds for f in faults)
            lines.append(f"{kind:<44}{len(faults):>7}{waiting:>9}{seconds:>9.1f}")
        return "\n".join(lines)

    def verdict(self) -> None:
        """Raises AssertionError unless all faults were carried out and nothing is wrong."""
        assert len(self.faults) >= self.planned, f"{self.line}: {self.planned} faults were planned"
        assert not (self.lost or self.twice or self.differing), f"{self.line}: {self.details()}"

    def details(self) -> str:
        """The first of each, for who looks for the cause."""
        shown = {name: lines[:5] for name, lines in self.differing.items()}
        return json.dumps({"lost": sorted(self.lost)[:5], "twice": sorted(self.twice)[:5], "differing": shown})


def differences(shop: OpenShop) -> dict[str, list[str]]:
    """What differs now between documents and log, and between documents and state tables."""
    ran = subprocess.run(
        [sys.executable, "-m", "tests.oracle"], cwd=PROJECT, env=shop.environ, capture_output=True, text=True
    )
    assert ran.stdout, ran.stderr
    found: dict[str, list[str]] = json.loads(ran.stdout)
    return found


def stored_orders(shop: OpenShop) -> dict[str, str]:
    """Order → status, as the state table says."""
    with psycopg.connect(shop.urls["DATABASE_URL"]) as link:
        return {str(key): status for key, status in link.execute("SELECT id, status FROM commands_order")}


def shown_orders(shop: OpenShop) -> set[str]:
    """Orders of the live generation of the read model."""
    with MongoClient(shop.urls["MONGODB_URL"]) as client:
        store = client.get_default_database()
        pointer = store["projection_pointers"].find_one({"_id": "orders"}) or {"live": 1}
        return {str(key) for key in store[f"orders__g{pointer['live']}"].distinct("_id")}
