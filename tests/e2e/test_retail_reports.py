"""Two months of real invoices through the whole shop: the reports over HTTP equal an independent computation.

Importer → PostgreSQL → publisher → Kafka → projectors → MongoDB → queries, as `manage.py up` runs them. Every twelfth
invoice; all of them with ACME_FAULTS=long.
"""

from __future__ import annotations

import csv
import json
import lzma
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from acme.env import env
from tests.e2e import retail_oracle as oracle
from tests.stack import ADMIN, Stack

FILE = env.data / "online_retail_2010-12_2011-01.csv.xz"
LONG = os.environ.get("ACME_FAULTS") == "long"
INVOICES = 272  # that count, in a twelfth of the file
RANGE = {"from": "2010-12-01", "to": "2011-01-31", "currency": "GBP"}
#: SKUs of the file that are in the catalogue before the invoices come, by category path and slug of its last part.
CATALOGUE = {
    ("Home > Lights", "lights"): ("85123A", "71053", "22423"),
    ("Home > Kitchen", "kitchen"): ("84029G", "21212", "15056BL"),
}
CATEGORY_OF = {sku: slug for (_, slug), skus in CATALOGUE.items() for sku in skus}
KEYS: dict[str, Callable[[oracle.Sale], str | None]] = {
    "none": lambda sale: None,
    "product": lambda sale: sale.sku,
    "country": lambda sale: sale.country,
    "category": lambda sale: CATEGORY_OF.get(sale.sku, "uncategorised"),
}

pytestmark = [
    pytest.mark.skipif(not FILE.exists(), reason=f"{FILE} is absent: set ACME_DATA to the directory that has it"),
    pytest.mark.timeout(1200),
]


@dataclass
class Shop:
    """The stack after the import, and what the importers said."""

    stack: Stack
    file: Path
    orders: dict[str, Any]
    lines: list[oracle.Sale]
    refused: int

    def get(self, path: str, **parameters: Any) -> dict[str, Any]:
        client = httpx.Client(base_url=f"{self.stack.base_url}/api/v1/", timeout=60)
        with client:
            access = client.post("auth/login", json=ADMIN).raise_for_status().json()["access"]
            answer = client.get(path, params={**RANGE, **parameters}, headers={"Authorization": f"Bearer {access}"})
        assert answer.status_code == 200, answer.text
        return answer.json()


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    directory = tmp_path_factory.mktemp("retail")
    stack = Stack.start(("--no-demo",))
    try:
        stack.manage("import_products", str(_catalogue(directory / "catalogue.csv")))
        rejects = directory / "rejected.csv"
        file = FILE if LONG else _every_twelfth(directory / "retail.csv.xz")
        began = time.monotonic()
        done = stack.manage("import_orders", str(file), "--rejects", str(rejects), "--json", check=False)
        imported = time.monotonic() - began
        assert done.returncode == 1, done.stderr
        _caught_up(stack)
        print(
            f"\nimport {imported:.1f} s, all projected {time.monotonic() - began - imported:.1f} s later: {done.stdout}"
        )
        lines, refused = oracle.sales(file)
        assert sum(1 for _ in csv.reader(rejects.open(newline=""))) == refused + 1
        yield Shop(stack, file, json.loads(done.stdout), lines, refused)
    finally:
        stack.close()


def _every_twelfth(path: Path) -> Path:
    """The file with a twelfth of its invoices, whole ones, of all days and nine countries."""
    with lzma.open(FILE, "rt", newline="") as whole, lzma.open(path, "wt", newline="", preset=0) as part:
        reader = csv.DictReader(whole)
        writer = csv.DictWriter(part, reader.fieldnames or ())
        writer.writeheader()
        writer.writerows(row for row in reader if int(row["InvoiceNo"].lstrip("AC")) % 12 == 0)
    return path


def _catalogue(path: Path) -> Path:
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["sku", "name", "price", "category"])
        for (category, _), skus in CATALOGUE.items():
            writer.writerows([sku, f"Known {sku}", "1.00", category] for sku in skus)
    return path


def _caught_up(stack: Stack, seconds: float = 700) -> None:
    """Waits until every projection is complete up to this moment."""
    now = datetime.now(UTC)
    deadline = time.monotonic() + seconds
    while True:
        said = stack.manage("projector", "lag", "--json", check=False)
        rows = json.loads(said.stdout)["projections"]
        if all(_complete(row, now) for row in rows):
            return
        assert time.monotonic() < deadline, f"still behind: {rows}"
        time.sleep(5)  # each look starts Python anew, and takes a core from those who catch up


def _complete(row: dict[str, Any], moment: datetime) -> bool:
    """Whether a projection has applied everything that was recorded up to a moment."""
    waiting = row["unnumbered"] + row["unacknowledged"] + row["unprojected"]
    return not waiting and row["as_of"] is not None and datetime.fromisoformat(row["as_of"]) >= moment


def _row(answer: dict[str, Any]) -> tuple[int, ...]:
    money = [answer[name]["amount_minor"] for name in ("gross", "returned", "net")]
    assert all(answer[name]["currency"] == "GBP" for name in ("gross", "returned", "net"))
    return answer["orders"], answer["units"], money[0], answer["returned_units"], money[1], money[2]


def test_the_importer_counts_what_the_file_has(shop: Shop) -> None:
    invoices = {line.invoice for line in shop.lines}
    assert shop.orders["rejected"] == shop.refused
    assert shop.orders["lines"] == len(shop.lines) + shop.refused
    assert shop.orders["returns"] == sum(number.startswith("C") for number in invoices)
    assert shop.orders["orders"] + shop.orders["returns"] == len(invoices)
    assert shop.orders["products"] == len({line.sku for line in shop.lines} - set(CATEGORY_OF))
    assert len(invoices) == (3231 if LONG else INVOICES)  # the file is the one that this test was written for


@pytest.mark.parametrize("interval", ["day", "week", "month"])
@pytest.mark.parametrize("by", list(KEYS))
def test_sales_equal_the_file_to_the_penny(shop: Shop, by: str, interval: str) -> None:
    answer = shop.get("reports/sales", by=by, interval=interval)
    said = {(row["period"], row["key"]): _row(row) for row in answer["results"]}
    assert len(said) == len(answer["results"])
    assert said == oracle.report(shop.lines, interval, KEYS[by])
    assert _row(answer["totals"]) == oracle.totals(shop.lines)


@pytest.mark.parametrize(("first", "last"), [("2010-12-08", "2010-12-08"), ("2010-12-24", "2011-01-05")])
@pytest.mark.parametrize("by", list(KEYS))
def test_any_range_includes_both_its_days(shop: Shop, by: str, first: str, last: str) -> None:
    some = [line for line in shop.lines if date.fromisoformat(first) <= line.day <= date.fromisoformat(last)]
    answer = shop.get("reports/sales", by=by, **{"from": first, "to": last})
    said = {(row["period"], row["key"]): _row(row) for row in answer["results"]}
    assert said == oracle.report(some, "day", KEYS[by])
    assert _row(answer["totals"]) == oracle.totals(some)


@pytest.mark.parametrize("by", ["units", "gross"])
@pytest.mark.parametrize("limit", [10, 100])
def test_best_sellers_equal_the_file(shop: Shop, by: str, limit: int) -> None:
    answer = shop.get("reports/best-sellers", by=by, limit=limit)
    assert [(row["sku"], _row(row)) for row in answer["results"]] == oracle.best_sellers(shop.lines, by, limit)
    assert all(row["name"] and row["product_id"] for row in answer["results"])


def test_nothing_is_sold_before_and_after(shop: Shop) -> None:
    day = timedelta(days=1)
    outside = [("2009-01-01", date(2010, 12, 1) - day), (date(2011, 1, 31) + day, "2012-01-01")]
    for first, last in outside:
        assert shop.get("reports/sales", **{"from": str(first), "to": str(last)})["results"] == []


def test_a_second_import_changes_no_report(shop: Shop, tmp_path: Path) -> None:
    before = shop.get("reports/sales", by="product", interval="month")
    done = shop.stack.manage(
        "import_orders", str(shop.file), "--rejects", str(tmp_path / "rejected.csv"), "--json", check=False
    )
    summary = json.loads(done.stdout)
    invoices = len({line.invoice for line in shop.lines})
    assert (summary["orders"], summary["returns"], summary["already_there"]) == (0, 0, invoices)
    _caught_up(shop.stack)
    after = shop.get("reports/sales", by="product", interval="month")
    assert (after["results"], after["totals"]) == (before["results"], before["totals"])
