"""Thousands of random schedules of the product's own publishers, workers and operators, on engines in memory.

In a process of its own, because the order of sets is part of a schedule (PYTHONHASHSEED) and clocks are replaced. The
short form always takes the same runs, so that nothing fails by chance; ``ACME_FAULTS=long`` takes other ones each time.
ACME_FAULT_SEED repeats a run that is shown.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import SAID

PROJECT = Path(__file__).resolve().parents[2]
LONG = os.environ.get("ACME_FAULTS") == "long"
RUNS = 6_000 if LONG else 2_000


def model(*options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.model", *options]
    return subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)


@pytest.mark.timeout(1800 if LONG else 300)
def test_no_schedule_loses_an_event_counts_one_twice_or_ends_in_silence(record_property: Callable[..., None]) -> None:
    seed = os.environ.get("ACME_FAULT_SEED") or str(random.randrange(10**6) if LONG else 1)
    done = model("--seed", seed, "--runs", str(RUNS))
    record_property(SAID, (done.stdout.splitlines() or [f"model: nothing, seed {seed}"])[-1])
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.timeout(1800)
def test_each_guard_that_is_turned_off_makes_a_schedule_fail() -> None:
    """So the model can fail, and says how: guards of checkpoints, fences, versions, holes, epochs, cursors."""
    done = model("--defects", "--runs", "5000")  # most are found in a hundred
    print(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_run_is_the_same_each_time() -> None:
    runs = [model("--seed", "7", "--runs", "12", "--trace") for _ in range(2)]
    assert runs[0].returncode == 0, runs[0].stdout + runs[0].stderr
    first, second = (run.stdout.splitlines()[:-1] for run in runs)  # the last line says how long it took
    assert len(first) > 1000
    assert first == second
