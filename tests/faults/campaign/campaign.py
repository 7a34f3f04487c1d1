"""Carries out a plan: waits for the right moment, strikes, bounds the backlog, and compares everything now and then."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Self

from tests.faults.campaign.account import Account, Fault, differences, shown_orders, stored_orders
from tests.faults.campaign.clock import later
from tests.faults.campaign.plan import Kind
from tests.faults.campaign.progress import Progress, progress
from tests.faults.campaign.shop import OpenShop
from tests.faults.load import Load

CLIENTS = 2
#: Events that may wait when the next fault comes: some do, so that the fault hits work under way; many would mean that
#: nobody recovers from the faults before.
CAUGHT_UP = 300
RECOVERY = 180.0  # seconds for that: a worker that lost its broker is back among its partitions after some 16 s
LEASES_ARE_OVER = 12 * 3600  # seconds; more than any wrong clock, and less than keys are kept
PAID = frozenset({"confirmed", "completed"})


class Campaign:
    """A context manager: the load runs while it is open. ``older``: a copy of MongoDB's directory, if there is one."""

    def __init__(self, shop: OpenShop, seed: int, planned: int) -> None:
        self.shop, self.moments = shop, random.Random(seed)
        self.account = Account(planned=planned)
        self.loads = [Load(shop, seed + number) for number in range(CLIENTS)]
        self.older: Path | None = None
        self.orders: set[str] = set()  # that faults placed themselves
        self._before = stored_orders(shop).keys()
        self._struck = 0  # commands that were answered by the time of the last fault
        self._running = ExitStack()

    def __enter__(self) -> Self:
        for load in self.loads:
            self._running.enter_context(load)
        return self

    def __exit__(self, *_: object) -> None:
        for load in self.loads:
            load.end()
        self._running.close()

    @property
    def commands(self) -> int:
        """How many were answered."""
        return sum(load.commands for load in self.loads)

    def run(self, plan: Sequence[Kind], *, compared_every: int = 50) -> None:
        """All of it; raises AssertionError when the shop does not recover, or something differs on the way."""
        for number, kind in enumerate(plan, start=1):
            waiting = self.work_under_way().waiting
            begun = time.monotonic()
            kind.strike(self)
            self._struck = self.commands
            took = time.monotonic() - begun
            self.account.faults.append(Fault(kind=kind.name, waiting=waiting, seconds=took))
            print(f"{time.strftime('%H:%M:%S')} {number}/{len(plan)} {kind.name}: {waiting} waited, {took:.1f} s")
            self._clients_are_well()
            if number % compared_every == 0 and number < len(plan):
                self._compared_on_the_way()

    def work_under_way(self, *, at_least: int = 1, seconds: float = RECOVERY) -> Progress:
        """A moment of normal work: everything runs, commands are answered again, some events wait and not too many."""
        self.shop.wait_running()
        deadline = time.monotonic() + seconds
        while True:
            found = progress(self.shop.urls)
            answered = self.commands > self._struck
            if answered and found is not None and at_least <= found.waiting < CAUGHT_UP:
                return found
            self._clients_are_well()
            assert time.monotonic() < deadline, (
                f"no normal work after {seconds:.0f} s: answered {answered}, {found}\n{self._what_is_seen()}"
            )
            time.sleep(0.02)

    def _what_is_seen(self) -> str:
        """What an operator would look at."""
        status = self.shop.manage("projector", "status", check=False).stdout
        log = self.shop.home.log("projector-1").read_text()[-6000:]
        return "\n".join((self.shop.tail(), status, log))

    def more_recorded(self, events: int, seconds: float = RECOVERY) -> None:
        """Returns when so many more events are recorded and nearly all are applied."""
        goal = self.work_under_way(at_least=0).recorded + events
        deadline = time.monotonic() + seconds
        while self.work_under_way(at_least=0).recorded < goal:
            assert time.monotonic() < deadline, f"fewer than {events} events in {seconds:.0f} s"
            time.sleep(0.1)

    def _clients_are_well(self) -> None:
        self.shop.check()
        errors = [error for load in self.loads for error in load.errors]
        assert not errors, errors

    def _compared_on_the_way(self) -> None:
        for load in self.loads:
            load.rest()
        self._compare()
        for load in self.loads:
            load.go_on()
        assert not self.account.differing, self.account.details()

    def finish(self, *, leases_end_at_once: bool = False, patience: float = RECOVERY) -> Account:
        """Ends the load, waits until the shop has come to rest, and closes the account.

        Requests whose web process died are carried out when their lease of a minute is over: in the end all of them are
        waited for. ``leases_end_at_once``: by a web server to whom it is later already. ``patience``: seconds until
        differences are final.
        """
        if leases_end_at_once:
            later(self.shop, "web", LEASES_ARE_OVER)
        self.__exit__()
        self._clients_are_well()
        self._compare(patience)
        stored, shown = stored_orders(self.shop), shown_orders(self.shop)
        answered = self.orders.union(*(load.orders for load in self.loads))
        paid = set().union(*(load.paid for load in self.loads))
        self.account.lost = {key for key in answered if key not in stored or key not in shown}
        self.account.lost |= {key for key in paid if stored.get(key) not in PAID}
        self.account.twice = stored.keys() - answered - self._before
        commands, again = (sum(getattr(load, name) for load in self.loads) for name in ("commands", "sent_again"))
        print(f"{commands} commands, {again} sent again, {len(answered)} orders, {len(paid)} of them paid")
        return self.account

    def _compare(self, seconds: float = RECOVERY) -> None:
        """Differences once every event is applied; a second look, because a store that came back is set back a bit."""
        deadline = time.monotonic() + seconds
        while True:
            self.shop.wait_running()
            found = progress(self.shop.urls)
            late = time.monotonic() > deadline
            assert not late or found is None or found.waiting == 0, f"not caught up after {seconds:.0f} s: {found}"
            if late or (found is not None and found.waiting == 0):
                self.account.differing = differences(self.shop)
                if late or not self.account.differing:
                    return
            time.sleep(0.5)
