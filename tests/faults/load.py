"""A shop's traffic over HTTP that goes on through every failure: each request is sent again until it is answered.

A request whose first try died with its web process is refused as still running until its lease is over; such ones are
set aside and sent again at the end, so that the load does not wait for them.
"""

from __future__ import annotations

import random
import threading
import time
from contextlib import suppress
from typing import Any, Protocol
from uuid import uuid4

import httpx

from tests.stack import ADMIN

PATIENCE = 90.0  # seconds until a request that nobody answers is a failure of the test
#: Mean seconds a client thinks between two steps. Clients that never rest write as fast as two cores allow, and on a
#: busy machine that is faster than the projectors: they never catch up, and nothing is said about recovery.
THINKING = 0.08


class SetAside(Exception):
    """The request will be answered later."""


class Served(Protocol):
    """A shop that is reached under a URL."""

    @property
    def base_url(self) -> str: ...


class Load:
    """One client in a thread of its own; ``orders``, ``paid`` ones and ``products`` are those that were answered."""

    def __init__(self, stack: Served, seed: int) -> None:
        self.stack, self.random = stack, random.Random(seed)
        self.products: dict[str, str] = {}  # SKU → product id
        self.orders: set[str] = set()
        self.paid: set[str] = set()
        self.received = 0
        self.commands = 0
        self.sent_again = 0
        self.errors: list[BaseException] = []
        self.set_aside: list[tuple[str, dict[str, Any], str]] = []
        self._token = ("", 0.0)
        self._heard = "nothing yet"  # what the last try of a request came to
        self._stop = threading.Event()
        self._rest, self._rests = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"load-{seed}")

    def __enter__(self) -> Load:
        self._thread.start()
        return self

    def end(self) -> None:
        """Does not wait, so that several end together."""
        self._stop.set()

    def __exit__(self, *args: object) -> None:
        self.end()
        self._thread.join(2 * PATIENCE + 30)  # a step, and then what was set aside
        assert not self._thread.is_alive(), f"a client does not end: {self._said()}"

    def rest(self) -> None:
        """Returns when the step under way is answered; the next one waits for `go_on`."""
        self._rest.set()
        assert self._rests.wait(PATIENCE + 30) or self.errors, f"a client does not come to rest: {self._said()}"

    def _said(self) -> str:
        return f"{self._heard}; {self.commands} answered, {self.sent_again} sent again, {len(self.set_aside)} set aside"

    def go_on(self) -> None:
        self._rests.clear()
        self._rest.clear()

    def _run(self) -> None:
        with httpx.Client(base_url=self.stack.base_url + "/api/v1/", timeout=15) as client:
            try:
                while not self._stop.is_set():
                    if self._rest.is_set():
                        self._rests.set()
                    else:
                        with suppress(SetAside):
                            self._step(client)
                    self._stop.wait(self.random.expovariate(1 / THINKING))
                self._answer_set_aside(client)
            except BaseException as error:
                self.errors.append(error)
            finally:
                self._rests.set()

    def _answer_set_aside(self, client: httpx.Client) -> None:
        """In rounds, so that all of them wait at once: a lease from a server whose clock was another is over a minute
        after the first try."""
        deadline = time.monotonic() + PATIENCE
        while self.set_aside:
            waiting, self.set_aside = self.set_aside, []
            for path, body, key in waiting:
                with suppress(SetAside):
                    made = self.post(client, path, body, allow=(409,), key=key)
                    if path == "orders" and "id" in made:
                        self.orders.add(made["id"])
            assert not self.set_aside or time.monotonic() < deadline, f"still running: {self._said()}"
            time.sleep(0.2)

    def _step(self, client: httpx.Client) -> None:
        choice = self.random.random()
        if not self.products or choice < 0.15:
            sku = f"F{self.random.randrange(10**9)}-{uuid4().hex[:6]}"  # another load may have the same seed
            price = {"amount_minor": self.random.randint(100, 9_999), "currency": "GBP"}
            body = {"name": f"Fault {sku}", "variants": [{"sku": sku, "price": price}], "publish": True}
            made = self.post(client, "products", body)
            self.post(client, f"stock/{sku}/receive", {"quantity": 50})
            self.received += 50
            self.products[sku] = made["id"]
        elif choice < 0.4:
            sku = self.random.choice(list(self.products))
            price = {"amount_minor": self.random.randint(100, 9_999), "currency": "GBP"}
            self.post(client, f"products/{self.products[sku]}/set-price", {"sku": sku, "price": price})
        else:
            self._order(client)

    def _order(self, client: httpx.Client) -> None:
        skus = self.random.sample(list(self.products), min(len(self.products), self.random.randint(1, 3)))
        placed = self.post(client, "orders", {"lines": [{"sku": sku, "quantity": 1} for sku in skus]}, allow=(409,))
        if "id" not in placed:
            return  # sold out
        self.orders.add(placed["id"])
        if self.random.random() < 0.2:
            self.post(client, f"orders/{placed['id']}/cancel", {"reason": "changed my mind"})
            return
        total = {key: placed["total"][key] for key in ("amount_minor", "currency")}
        self.post(client, f"orders/{placed['id']}/pay", {"amount": total})
        self.paid.add(placed["id"])
        if self.random.random() < 0.5:
            self.post(client, f"orders/{placed['id']}/ship", {})

    def post(
        self, client: httpx.Client, path: str, body: dict[str, Any], allow: tuple[int, ...] = (), key: str = ""
    ) -> Any:
        """Sent with the same Idempotency-Key until there is an answer; no answer may be a refusal but those allowed.

        Without a ``key`` it gets a new one. Raises `SetAside`, and remembers it, when a try of it is still running
        somewhere.
        """
        key, deadline = key or uuid4().hex, time.monotonic() + PATIENCE
        while True:
            try:
                headers = {"Idempotency-Key": key, "Authorization": f"Bearer {self._access(client)}"}
                answer = client.post(path, json=body, headers=headers)
                self._heard = f"{path} {key}: {answer.status_code} {answer.text[:200]}"
                running = answer.status_code == 409 and "Retry-After" in answer.headers
                if answer.is_success or (answer.status_code in allow and not running):
                    self.commands += 1
                    return answer.json()
                if running:
                    self.set_aside.append((path, body, key))
                    raise SetAside
                if answer.status_code == 401:  # issued by a process in another time
                    self._token = ("", 0.0)
                else:
                    assert answer.status_code >= 500, f"{path}: {answer.text}"
            except httpx.TransportError as error:
                self._heard = f"{path} {key}: {type(error).__name__} {error}"
            self.sent_again += 1
            assert time.monotonic() < deadline, f"{path} was not answered in {PATIENCE} s"
            time.sleep(0.2)

    def _access(self, client: httpx.Client) -> str:
        access, issued = self._token
        if not access or time.monotonic() - issued > 120:
            answer = client.post("auth/login", json={"email": ADMIN["email"], "password": ADMIN["password"]})
            if not answer.is_success:
                raise httpx.TransportError(answer.text)
            access = answer.json()["access"]
            self._token = (access, time.monotonic())
        return access
