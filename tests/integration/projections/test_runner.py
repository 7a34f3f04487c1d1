"""Several projections in one process: what one worker cannot handle is no trouble of the others."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.integration.projections.conftest import PROJECT, Shop, wait_until

TROUBLED = """
import os, signal, sys, threading
from pathlib import Path
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "acme.settings")
import django; django.setup()
from dataclasses import replace
from projections.registry import PROJECTIONS
from projections.runtime.runner import run_projections
from projections.runtime.settings import DEFAULT
from projections.runtime.worker import Worker

original, trouble = Worker._turn, Path(sys.argv[1])
def turn(self):
    if self.projection.name == "products" and trouble.exists():
        raise RuntimeError("nobody has thought of this")
    original(self)
Worker._turn = turn
stop = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: stop.set())
settings = replace(DEFAULT, begun_anew_first=0.2, begun_anew_cap=0.5)
chosen = [PROJECTIONS["products"], PROJECTIONS["stock"]]
assert run_projections(chosen, os.environ["KAFKA_BOOTSTRAP_SERVERS"], stop, settings=settings)
"""


def test_a_worker_of_one_projection_ends_by_an_error_and_is_begun_anew(shop: Shop) -> None:
    home = Path(os.environ["ACME_HOME"])
    trouble, log = home / "trouble", home / "troubled.log"
    trouble.touch()
    shop.act(30)
    engines = {
        "DATABASE_URL": shop.database_url,
        "KAFKA_BOOTSTRAP_SERVERS": shop.broker.url,
        "MONGODB_URL": shop.mongo.url,
    }
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-c", TROUBLED, str(trouble)], cwd=PROJECT, env={**os.environ, **engines}, stderr=output
        )
    try:
        shop.settled("stock")
        wait_until(lambda: log.read_text().count("RuntimeError: nobody has thought of this") >= 3)
        assert shop.differences("products") and not shop.heartbeats("products")
        shop.act(10)
        shop.settled("stock")
        trouble.unlink()
        shop.settled("products", "stock")
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0, log.read_text()
    finally:
        process.kill()
        process.wait()
