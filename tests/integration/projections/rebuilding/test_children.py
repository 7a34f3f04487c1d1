"""Processes that fill a generation: one that dies, one that cannot go on, and a lease that is lost meanwhile."""

from __future__ import annotations

import multiprocessing
import os
import signal
from typing import Any

import pytest

from projections.rebuilding import plan, rebuild
from projections.rebuilding.children import BROKEN, ChildFailed, fill_in_parallel
from tests.integration.projections.conftest import wait_until
from tests.integration.projections.rebuilding.conftest import Shelf

STREAMS = [("acme.catalog", 0), ("acme.catalog", 1)]


def fill(name: str, look: Any) -> None:
    fill_in_parallel(name, 1, STREAMS, source="log", bootstrap="", workers=2, look=look)


def test_a_child_that_is_killed_is_told_and_the_others_end() -> None:
    def kill_one() -> None:
        first, *_ = multiprocessing.active_children()
        os.kill(first.pid or 0, signal.SIGKILL)

    with pytest.raises(ChildFailed, match="ended with -9") as failed:
        fill("products", kill_one)
    assert failed.value.kind == BROKEN
    assert not multiprocessing.active_children()


def test_a_child_that_is_suspended_does_not_hold_up_the_end() -> None:
    def suspend_and_end() -> None:
        for child in multiprocessing.active_children():
            os.kill(child.pid or 0, signal.SIGSTOP)
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("projections.rebuilding.children.ENDING", 0.2)
        with pytest.raises(KeyboardInterrupt):
            fill("products", suspend_and_end)
    assert not multiprocessing.active_children()


def test_a_mistake_in_a_child_is_told() -> None:
    with pytest.raises(ChildFailed, match="KeyError: 'nonsense'"):
        fill("nonsense", lambda: None)


def test_a_rebuild_whose_lease_is_lost_ends(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    def robbed(*args: Any, look: Any, **others: Any) -> None:
        shelf.store["projection_pointers"].update_one({"_id": "products"}, {"$set": {"building.owner": "elsewhere:1"}})
        wait_until(look, 10)  # never true: it raises

    monkeypatch.setattr(rebuild, "fill_in_parallel", robbed)
    with pytest.raises(plan.LeaseLost):
        shelf.rebuild()
    assert shelf.pointer["building"]["owner"] == "elsewhere:1"
