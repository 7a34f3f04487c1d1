"""`manage.py up --check`: a throw-away shop in which one product is created, stocked, bought, paid and shipped.

Every step goes over HTTP; what is read back carries the consistency token of the command before it, so a
wrong value is an error and never a matter of waiting a little longer.
"""

from __future__ import annotations

import json
import secrets
import shutil
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn, TextIO

from acme.devstack.client import Answer, Client
from acme.devstack.home import Home
from acme.devstack.services import ADMIN_PASSWORD
from acme.devstack.shop import Options, Shop
from acme.devstack.table import Display

ADMIN = "admin@acme.test"
SHOPPER = "shopper@check.test"
SKU = "CHECK-1"
UNIT_PRICE = 1299  # pence
QUANTITY = 2
STOCK = 10
CURRENCY = "GBP"
SAMPLES = 15  # changes whose way into the product document is timed


class Wrong(Exception):
    """A step answered something else than it should; the message says what."""


def run_check(output: TextIO, *, as_json: bool, projectors: int) -> bool:
    """Opens the shop, buys, closes it and removes it; True when every value was right. Raises `CannotStart`."""
    report = Report(output, as_json=as_json)
    home = Home(Path(tempfile.mkdtemp(prefix="acme-check-")))
    password = secrets.token_urlsafe(16)
    options = Options(
        port=0,
        demo=False,
        projectors=projectors,
        quiet=True,
        given={},  # never on engines that somebody uses
        environment={ADMIN_PASSWORD: password, "ACME_CURRENCY": CURRENCY, "ACME_TIME_ZONE": "UTC"},
    )
    started = time.perf_counter()
    try:
        with Display(live=False, write=report.say) as display, Shop(home, options, display).opened() as shop:
            report.step("everything started", (time.perf_counter() - started) * 1000)
            _while_served(shop, lambda: Purchase(Client(shop.base_url), password, report).run())
    finally:
        shutil.rmtree(home.root, ignore_errors=True)
    report.finish()
    return report.passed


def _while_served(shop: Shop, work: Callable[[], None]) -> None:
    """Runs `work` in a thread while this one, which owns the processes, keeps the shop running."""
    failure: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as error:
            failure.append(error)

    thread = threading.Thread(target=run, name="check", daemon=True)
    thread.start()
    shop.serve(done=lambda: not thread.is_alive())
    if failure:
        raise failure[0]


class Report:
    """The steps taken, in order: lines for people, or one JSON object at the end."""

    def __init__(self, output: TextIO, *, as_json: bool) -> None:
        self._output = output
        self._as_json = as_json
        self.steps: list[dict[str, Any]] = []
        self.visible: dict[str, float] = {}

    @property
    def passed(self) -> bool:
        return all(step["ok"] for step in self.steps)

    def say(self, line: str) -> None:
        if not self._as_json:
            self._output.write(f"{line}\n")
            self._output.flush()

    def step(self, name: str, ms: float, *, lag: float | None = None, wrong: str = "") -> None:
        """`lag`: how long the read model let us wait for what the command before had changed, in milliseconds."""
        rounded = None if lag is None else round(lag, 1)
        self.steps.append({"step": name, "ms": round(ms, 1), "lag_ms": rounded, "ok": not wrong, "wrong": wrong})
        mark = "WRONG" if wrong else "ok"
        behind = "" if lag is None else f"   lag {lag:7.1f} ms"
        self.say(f"{mark:<6}{name:<46}{ms:9.1f} ms{behind}   {wrong}".rstrip())

    def finish(self) -> None:
        if self._as_json:
            answer = {"passed": self.passed, "steps": self.steps, "commit_to_visible_ms": self.visible}
            self._output.write(f"{json.dumps(answer)}\n")


class Purchase:
    """The staff puts a product on sale, a shopper buys it, the staff ships it; all is read back."""

    def __init__(self, nobody: Client, password: str, report: Report) -> None:
        self.nobody = nobody
        self.password = password
        self.report = report

    def run(self) -> None:
        """Stops at the first wrong answer, which the report then holds."""
        try:
            staff = self._login("login as admin", ADMIN, self.password)
            self._joined(staff)
            product = self._product(staff)
            self._visibility(staff, product)
            self._order(staff, product)
        except Wrong:
            return

    def _login(self, name: str, email: str, password: str) -> Client:
        answer = self._command(name, self.nobody, "auth/login", {"email": email, "password": password}, status=200)
        return Client(self.nobody.base_url, answer.body["access"])

    def _joined(self, staff: Client) -> None:
        """Waits until the projectors have partitions, so that what comes next measures lag and not a start."""
        created = self._command("create a category", staff, "categories", {"name": "Check"}, status=201)
        answer = self.nobody.get("products?limit=1", token=created.token, wait=30)
        self._expect_status("projectors have joined their groups", answer, 200)
        self.report.step("projectors have joined their groups", answer.milliseconds)

    def _product(self, staff: Client) -> str:
        """Returns the id of a product on sale with `STOCK` pieces."""
        body = {
            "name": "Check product",
            "variants": [{"sku": SKU, "price": _money(UNIT_PRICE)}],
            "publish": True,
        }
        created = self._command("create a product", staff, "products", body, status=201)
        path = f"products/{created.body['id']}"
        self._read("read the product", self.nobody, path, created, {"name": "Check product", "in_stock": False})
        received = self._command("receive stock", staff, f"stock/{SKU}/receive", {"quantity": STOCK}, status=200)
        self._read("read the product, in stock", self.nobody, path, received, {"in_stock": True, "available": STOCK})
        return str(created.body["id"])

    def _order(self, staff: Client, product: str) -> None:
        password = secrets.token_urlsafe(16)
        account = {"email": SHOPPER, "password": password, "name": "Check Shopper", "country": "GB"}
        self._command("register a shopper", self.nobody, "customers", account, status=201)
        shopper = self._login("login as the shopper", SHOPPER, password)
        lines = {"lines": [{"sku": SKU, "quantity": QUANTITY}]}
        placed = self._command("place an order", shopper, "orders", lines, status=201)
        order, total = f"orders/{placed.body['id']}", UNIT_PRICE * QUANTITY
        self._read("read the order", shopper, order, placed, {"status": "placed", "total": total})
        left = {"available": STOCK - QUANTITY}
        self._read("read the product, fewer left", self.nobody, f"products/{product}", placed, left)
        paid = self._command("pay it", shopper, f"{order}/pay", {"amount": _money(total)}, status=200)
        self._read("read the order, confirmed", shopper, order, paid, {"status": "confirmed"})
        shipped = self._command("ship it", staff, f"{order}/ship", {"tracking": "CHECK"}, status=200)
        self._read("read the order, completed", shopper, order, shipped, {"status": "completed"})
        today = datetime.now(UTC).date().isoformat()
        report = f"reports/sales?from={today}&to={today}&interval=day&by=none"
        sold = {"totals.orders": 1, "totals.units": QUANTITY, "totals.gross": total, "totals.net": total}
        self._read("read the sales report", staff, report, shipped, sold)

    def _visibility(self, staff: Client, product: str) -> None:
        """Times price changes from their command until a query without a token shows them."""
        from_answer, from_sending = [], []
        for number in range(SAMPLES + 1):
            price = UNIT_PRICE if number == SAMPLES else UNIT_PRICE + 1 + number
            sent = time.perf_counter()
            change = {"sku": SKU, "price": _money(price)}
            answer = staff.post(f"products/{product}/set-price", change)
            answered = time.perf_counter()
            self._expect_status("change the price", answer, 200)
            while _price(staff.get(f"products/{product}").body) != price:
                if time.perf_counter() - answered > 10:
                    self._fail("commit to visible", 10_000.0, f"price {price} is not visible after 10 s")
            visible = time.perf_counter()
            from_answer.append((visible - answered) * 1000)
            from_sending.append((visible - sent) * 1000)
        median, slowest = statistics.median(from_answer), max(from_answer)
        whole = statistics.median(from_sending)
        self.report.visible = {
            "median": round(median, 1),
            "slowest": round(slowest, 1),
            "from_sending": round(whole, 1),
        }
        self.report.step(f"commit to visible, median of {len(from_answer)}", median)
        self.report.say(f"      slowest {slowest:.1f} ms; counted from sending the command: median {whole:.1f} ms")

    def _command(self, name: str, client: Client, path: str, body: dict[str, Any], *, status: int) -> Answer:
        answer = client.post(path, body)
        self._expect_status(name, answer, status)
        self.report.step(name, answer.milliseconds)
        return answer

    def _read(self, name: str, client: Client, path: str, after: Answer, expected: dict[str, Any]) -> None:
        """Reads with the token of `after` and compares; a key with dots goes into inner objects."""
        if not after.token:
            self._fail(name, 0.0, "the command gave no Consistency-Token")
        answer = client.get(path, token=after.token)
        self._expect_status(name, answer, 200)
        wrong = [
            f"{key} is {found!r}, not {value!r}"
            for key, value in expected.items()
            if (found := _value(answer.body, key)) != value
        ]
        if wrong:
            self._fail(name, answer.milliseconds, "; ".join(wrong))
        self.report.step(name, answer.milliseconds, lag=answer.milliseconds)

    def _expect_status(self, name: str, answer: Answer, status: int) -> None:
        if answer.status != status:
            self._fail(name, answer.milliseconds, f"HTTP {answer.status}, not {status}: {answer.body}")

    def _fail(self, name: str, ms: float, wrong: str) -> NoReturn:
        self.report.step(name, ms, wrong=wrong)
        raise Wrong(wrong)


def _money(amount_minor: int) -> dict[str, Any]:
    return {"amount_minor": amount_minor, "currency": CURRENCY}


def _value(body: Any, path: str) -> Any:
    """What stands there; of an amount of money its minor units."""
    for key in path.split("."):
        body = body.get(key) if isinstance(body, dict) else None
    return body["amount_minor"] if isinstance(body, dict) and "amount_minor" in body else body


def _price(product: Any) -> Any:
    """Minor units of the one variant's price in a product's representation."""
    variants = product.get("variants") if isinstance(product, dict) else None
    return _value(variants[0], "price") if variants else None
