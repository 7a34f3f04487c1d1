"""`manage.py import_orders` killed with SIGKILL and started again, and two of them at once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from django.db import connection, connections

from commands.orders.models import Order
from tests.integration.conftest import empty_database
from tests.integration.importing.runs import content, rejected, retail_file, run

PROJECT = Path(__file__).resolve().parents[3]
KINDS = ("product", "customer", "order", "past_return")
INVOICES = 400


def _lines() -> list[str]:
    """Each invoice has three lines, of which one stands far away and every eleventh is refused."""
    near = [
        f"{number},SKU-{(number * 7 + line) % 90},THING {(number + line) % 80},{line + 1},2010-12-01T08:26:00,1.25,"
        f"{number % 50},France"
        for number in range(1, INVOICES + 1)
        for line in range(2)
    ]
    far = [f"{number},FAR,FAR,1,2010-12-01T07:00:00,{number % 11},,EIRE" for number in range(1, INVOICES + 1)]
    return near + far


def _database_url() -> str:
    settings = connection.settings_dict
    password = f":{settings['PASSWORD']}" if settings["PASSWORD"] else ""
    return f"postgresql://{settings['USER']}{password}@{settings['HOST']}:{settings['PORT']}/{settings['NAME']}"


def test_killed_in_the_middle_and_run_again_it_is_as_if_run_once(shop_database: None, tmp_path: Path) -> None:
    path = retail_file(tmp_path / "retail.csv", *_lines())
    run("import_orders", path)
    at_once, refused = content(*KINDS), rejected(tmp_path / "retail.csv.rejected.csv")
    empty_database()

    environment = {**os.environ, "DATABASE_URL": _database_url(), "KAFKA_BOOTSTRAP_SERVERS": ""}
    importer = subprocess.Popen(
        [sys.executable, "manage.py", "import_orders", str(path), "--batch", "5"], cwd=PROJECT, env=environment
    )
    deadline = time.monotonic() + 60
    while not 20 <= Order.objects.count() < INVOICES:
        assert importer.poll() is None, "it ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.005)
    importer.send_signal(signal.SIGKILL)
    importer.wait()
    before = Order.objects.count()
    assert 0 < before < INVOICES

    code, summary = run("import_orders", path)
    assert (code, summary["already_there"], summary["orders"]) == (1, before, INVOICES - before)
    assert content(*KINDS) == at_once
    assert rejected(tmp_path / "retail.csv.rejected.csv") == refused


def test_two_at_once_import_everything_once(shop_database: None, tmp_path: Path) -> None:
    paths = [retail_file(tmp_path / f"{number}.csv", *_lines()) for number in range(2)]

    def importer(path: Path) -> tuple[int, dict[str, Any]]:
        try:
            return run("import_orders", path, "--batch", "7")
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as pool:
        summaries = [summary for _, summary in pool.map(importer, paths)]
    assert sum(summary["orders"] for summary in summaries) == INVOICES == Order.objects.count()
    assert sum(summary["already_there"] for summary in summaries) == INVOICES
    assert [summary["rejected"] for summary in summaries] == [INVOICES // 11] * 2
