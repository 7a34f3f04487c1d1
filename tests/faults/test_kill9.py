"""kill -9 of every part of a running shop while events are unprojected: nothing is lost, nothing counted twice.

The moments are random, from a printed seed (ACME_FAULT_SEED repeats a run). Afterwards every document must equal a
replay of the log and the state tables, and every answered order must be there.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack

import psycopg
from pymongo import MongoClient

from tests.faults.load import Load
from tests.stack import PROJECT, Stack

VICTIMS = ("web", "relay", "projector-1", "kafka", "mongodb")
ROUNDS = 2
CLIENTS = 3
#: Waiting events of a projector that works: far behind means that it has not recovered from the kill before.
CAUGHT_UP = 60
#: Seconds for that: a worker that lost its broker is back among its partitions after some 16 s, three times as much
#: on a busy machine.
RECOVERY = 180


def progress(stack: Stack) -> tuple[int, int]:
    """Events recorded, and events applied by the slowest of all projections, seen from outside."""
    with psycopg.connect(stack.urls["DATABASE_URL"]) as link:
        recorded = dict(link.execute("SELECT topic, count(*) FROM domain_event GROUP BY topic").fetchall())
    with MongoClient(stack.urls["MONGODB_URL"], serverSelectionTimeoutMS=5000) as client:
        store = client.get_default_database()
        applied = {row["_id"]: 0 for row in store["projection_pointers"].find()}
        expected = {p["_id"]: sum(recorded.get(t, 0) for t in p["topics"]) for p in store["projection_pointers"].find()}
        for row in store["projection_checkpoints"].find():
            applied[row["projection"]] += row["sequence"]
    total = sum(recorded.values())
    return total, total - max((expected[name] - applied[name] for name in applied), default=total)


def kill_with_events_under_way(stack: Stack, victim: str, moments: random.Random) -> int:
    """Kills at a random moment of normal work at which events wait to be projected; answers how many did."""
    deadline = time.monotonic() + RECOVERY
    while True:
        recorded, applied = progress(stack)
        if 0 < recorded - applied < CAUGHT_UP:
            time.sleep(moments.uniform(0, 1))
            recorded, applied = progress(stack)
            if recorded > applied:
                break
        assert time.monotonic() < deadline, f"{recorded} events recorded, {applied} applied"
        time.sleep(0.05)
    old = stack.kill9(victim)
    stack.wait_restarted(victim, old)
    return recorded - applied


def test_kill9_of_everything(acme_stack: Callable[..., Stack]) -> None:
    seed = int(os.environ.get("ACME_FAULT_SEED", "0")) or random.randrange(1, 10**6)
    print(f"seed {seed} (ACME_FAULT_SEED={seed} repeats it)")
    moments = random.Random(seed)
    stack = acme_stack("--no-demo")
    killed: list[tuple[str, int]] = []
    loads = [Load(stack, seed + number) for number in range(CLIENTS)]
    with ExitStack() as running:
        for load in loads:
            running.enter_context(load)
        for _ in range(ROUNDS):
            for victim in moments.sample(VICTIMS, len(VICTIMS)):
                killed.append((victim, kill_with_events_under_way(stack, victim, moments)))
                print(f"killed {victim} with {killed[-1][1]} events not projected yet")
                assert not any(load.errors for load in loads), [load.errors for load in loads]
    assert not any(load.errors for load in loads), [load.errors for load in loads]
    stack.wait_all_running()
    differing = settled_differences(stack)
    answered = set().union(*(load.orders for load in loads))
    lost = len(answered - stored_orders(stack))
    twice = len(stored_orders(stack)) - len(answered)
    commands, again = (sum(getattr(load, name) for load in loads) for name in ("commands", "sent_again"))
    print(f"{commands} commands, {again} sent again, {len(answered)} orders, faults: {killed}")
    print(f"faults {len(killed)}, lost {lost}, twice {twice}, differing {sum(map(len, differing.values()))}")
    if differing:  # what an operator would look at
        print(stack.manage("projector", "status", "--json", check=False).stdout)
        print((stack.home / "log" / "projector-1.log").read_text()[-8000:])
    assert (lost, twice, differing) == (0, 0, {})
    assert len(answered) > 20
    assert all(waiting > 0 for _, waiting in killed)


def settled_differences(stack: Stack, seconds: float = 120) -> dict[str, list[str]]:
    """What still differs from log and tables once the shop has come to rest."""
    deadline = time.monotonic() + seconds
    while True:
        environment = {key: value for key, value in os.environ.items() if not key.endswith(("_URL", "_SERVERS"))}
        ran = subprocess.run(
            [sys.executable, "-m", "tests.oracle"],
            cwd=PROJECT,
            env={**environment, "ACME_HOME": str(stack.home), "DJANGO_SETTINGS_MODULE": "acme.settings"},
            capture_output=True,
            text=True,
        )
        assert ran.stdout, ran.stderr
        found: dict[str, list[str]] = json.loads(ran.stdout)
        if not found or time.monotonic() > deadline:
            return found
        time.sleep(1)


def stored_orders(stack: Stack) -> set[str]:
    """Ids of the orders in the state table."""
    with psycopg.connect(stack.urls["DATABASE_URL"]) as link:
        return {str(key) for (key,) in link.execute("SELECT id FROM commands_order").fetchall()}
