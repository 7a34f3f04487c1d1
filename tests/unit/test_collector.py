"""The cycle collector of processes that handle events: rare, and still there."""

from __future__ import annotations

import subprocess
import sys

CODE = """
import gc, weakref
from acme.collector import THRESHOLDS, tune_collector

class Cycle:
    def __init__(self):
        self.me = self

tune_collector()
assert gc.isenabled() and gc.get_threshold() == THRESHOLDS
assert gc.get_freeze_count() > 1_000
seen = weakref.ref(Cycle())
assert seen() is not None
kept = [[] for _ in range(THRESHOLDS[0] + 10)]
assert seen() is None
"""


def test_what_was_imported_is_left_alone_and_cycles_are_found() -> None:
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
