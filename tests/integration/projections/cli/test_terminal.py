"""At a real terminal (a pty): questions and their answers, the bar, and the live table until Ctrl-C."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.integration.projections.cli.letters import PRODUCTS, Hands, Store, open_products, park

PROJECT = Path(__file__).resolve().parents[4]


LAG = ("projector", "lag", "products", "--watch", "--interval", "0.2", "--json")


class Terminal:
    """`manage.py projector …` at a terminal of 80 columns."""

    def __init__(self, url: str, *arguments: str) -> None:
        self._side, theirs = pty.openpty()
        environment = {**os.environ, "MONGODB_URL": url, "COLUMNS": "80", "LINES": "40", "TERM": "xterm"}
        self.process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "manage.py", "projector", *arguments],
            cwd=PROJECT,
            env=environment,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
        os.close(theirs)
        os.set_blocking(self._side, False)
        self.text = ""

    def wait_for(self, words: str, seconds: float = 60) -> None:
        deadline = time.monotonic() + seconds
        while words not in self.text:
            assert time.monotonic() < deadline, f"{words!r} did not come: {self.text}"
            self._read()

    def answer(self, words: str) -> None:
        os.write(self._side, f"{words}\n".encode())

    def end(self, seconds: float = 60) -> int:
        deadline = time.monotonic() + seconds
        while self.process.poll() is None:
            assert time.monotonic() < deadline, self.text
            self._read()
        self._read()
        return self.process.returncode

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._side)

    def _read(self) -> None:
        try:
            self.text += re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", os.read(self._side, 65536).decode(errors="replace"))
        except BlockingIOError:
            time.sleep(0.02)
        except OSError:  # the other side is closed
            time.sleep(0.02)


@contextmanager
def terminal(url: str, *arguments: str) -> Iterator[Terminal]:
    made = Terminal(url, *arguments)
    try:
        yield made
    finally:
        made.close()


def test_no_is_no_and_yes_is_yes(store: Store, store_url: str) -> None:
    open_products(store)
    for answer, code, live in (("", 1, 1), ("yes", 0, 2)):
        with terminal(store_url, "reset", "products") as shown:
            shown.wait_for("[y/N]")
            assert "1,460 events of generation 1" in shown.text
            shown.answer(answer)
            assert shown.end() == code, shown.text
        pointer = store["projection_pointers"].find_one({"_id": "products"})
        assert pointer is not None and pointer["live"] == live


def test_a_mass_retry_asks_and_shows_a_bar(store: Store, store_url: str) -> None:
    open_products(store)
    for number, product in enumerate(PRODUCTS[:30]):
        park(store, product, 20 + number)
    with terminal(store_url, "dlq", "retry", "products", "--all", "--no-canary") as shown:
        shown.wait_for("Retry all 30 letters of products? [y/N]")
        shown.answer("y")
        shown.wait_for("30 letters parked until now")
        shown.wait_for("0 done, 0 failed, 0 held, 30 waiting")
        with Hands(store):
            assert shown.end() == 0, shown.text
        assert "30 done, 0 failed, 0 held, 0 waiting" in shown.text and "30 of 30 letters applied" in shown.text


def test_ctrl_c_ends_the_wait_and_not_the_request(store: Store, store_url: str) -> None:
    open_products(store)
    park(store, PRODUCTS[0], 17)
    with terminal(store_url, "dlq", "retry", "products", "--aggregate", str(PRODUCTS[0])) as shown:
        shown.wait_for("1 waiting")
        shown.process.send_signal(signal.SIGINT)
        assert shown.end() == 1
        assert "no longer watched" in shown.text and "Traceback" not in shown.text
    assert store["projection_requests"].count_documents({"state": "waiting"}) == 1


def test_the_live_table_measures_and_ends_cleanly(store: Store, store_url: str) -> None:
    open_products(store)
    with terminal(store_url, "lag", "products", "orders", "--watch", "--interval", "0.2") as shown:
        shown.wait_for("measuring")
        shown.wait_for("steady")
        first = {"_id": "products|1|acme.catalog|1"}
        store["projection_checkpoints"].update_one(first, {"$set": {"sequence": 91}})
        shown.wait_for(" min ")  # the estimate: 139 events wait, one was applied meanwhile
        store["stream_heads"].update_many({}, {"$set": {"sequence": 200, "published": 200}})
        shown.wait_for("growing")
        shown.process.send_signal(signal.SIGINT)
        assert shown.end() == 0
        assert "Traceback" not in shown.text


def test_watching_for_machines_is_a_line_for_each_look(store: Store, store_url: str) -> None:
    open_products(store)
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "manage.py", *LAG],
        cwd=PROJECT,
        env={**os.environ, "MONGODB_URL": store_url},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        looks = [json.loads(process.stdout.readline()) for _ in range(3)]
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=30)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 0 and not errors
    assert [look["projections"][0]["trend"] for look in looks] == ["measuring", "steady", "steady"]
    assert looks[1]["projections"][0]["events_per_second"] == 0.0
    assert looks[0]["at"] < looks[1]["at"] < looks[2]["at"]
