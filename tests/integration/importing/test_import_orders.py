"""`manage.py import_orders` on PostgreSQL: every awkward line, a second run, a kill in the middle."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, transaction

from acme.contracts.orders import OrderImported, PastReturnImported
from acme.errors import Invalid
from commands.importing import run_orders
from commands.outbox.models import DomainEvent
from tests.integration.commands.shop import events_of, everything
from tests.integration.importing.runs import HEADER, content, id_of, rejected, retail_file, run, state_of

pytestmark = pytest.mark.django_db

KINDS = ("product", "customer", "order", "past_return", "stock_item")
AWKWARD = (
    "536365,85123A,,6,2010-12-01T08:26:00,2.555,,France",  # 2: no description yet, 15.33
    "536365,85123A,HOLDER,6,2010-12-01T08:25:00,2.55,17850,Germany",  # 3: earlier, the first customer
    "536365,85123A,HOLDER,6,2010-12-01T08:25:00,2.55,17850,Germany",  # 4: the same again counts again
    "536366,85123a,holder,1,2010-12-01T09:00:00,0.005,,EIRE",  # 5: another SKU, half a penny
    "C536379,85123A,HOLDER,-2,2010-12-01T09:41:00,2.55,17850,Channel Islands",  # 6: a return
    "536365,POST, ,1,2010-12-01T08:26:00,18,,",  # 7: far from the other lines of its invoice
    "A563185,B,Adjust bad debt,1,2011-08-12T14:50:00,11062.06,,United Kingdom",  # 8
    "536367,22139,,56,2010-12-01T11:52:00,0.0,,United Kingdom",  # 9: its only line
    "536368,22139,x,-3,2010-12-01T11:52:00,1.0,,United Kingdom",  # 10
    "C536380,22139,x,3,2010-12-01T11:52:00,1.0,,United Kingdom",  # 11
    "536369,22139,x,1,2010-12-01T11:52:00,1.0,United Kingdom",  # 12: a column too few
    '536370,22139,"open,1,2010-12-01T11:52:00,1.0,,United Kingdom',  # 13
    "536371,22139,x,1,32/13/2010,1.0,,United Kingdom",  # 14
    "536372,22139,x,99999999999999999999,2010-12-01T11:52:00,1.0,,United Kingdom",  # 15
    "536373,gift_0001_80,Voucher £80,1,12/1/2010 8:26,1.0,12345.0,Unspecified",  # 16
)
REFUSED = [8, 9, 10, 11, 12, 13, 14, 15]


def test_every_awkward_line(tmp_path: Path) -> None:
    path = retail_file(tmp_path / "retail.csv", *AWKWARD)
    code, summary = run("import_orders", path)
    assert code == 1
    assert {key: summary[key] for key in summary if "second" not in key} == {
        "lines": 15,
        "orders": 3,
        "returns": 1,
        "products": 4,
        "customers": 2,
        "already_there": 0,
        "rejected": len(REFUSED),
    }
    rows = rejected(tmp_path / "retail.csv.rejected.csv")
    assert [line for line, _ in rows] == REFUSED
    assert all(reason for _, reason in rows)
    with (tmp_path / "retail.csv.rejected.csv").open(newline="") as file:
        header, first, *_ = csv.reader(file)
    assert header == ["line", "reason", *HEADER.split(",")]
    assert first[2:] == AWKWARD[6].split(",")

    order = state_of("order", number="536365")
    assert [(line["line"], line["sku"], line["name"], line["quantity"]) for line in order["lines"]] == [
        (1, "85123A", "HOLDER", 6),
        (2, "85123A", "HOLDER", 6),
        (3, "85123A", "HOLDER", 6),
        (4, "POST", "POST", 1),
    ]
    assert [line["amount"]["amount_minor"] for line in order["lines"]] == [1533, 1530, 1530, 1800]
    assert order["lines"][0]["unit_price"] == {"amount_minor": 256, "currency": "GBP"}
    assert (order["total_minor"], order["paid_minor"], order["status"]) == (6393, 6393, "completed")
    assert (order["placed_at"], order["country"], order["source"]) == ("2010-12-01T08:25:00Z", "FR", "online-retail")
    assert order["customer_id"] == str(id_of("customer", number="17850"))
    assert (order["payment_status"], order["fulfilment_status"]) == ("full", "fulfilled")

    other = state_of("order", number="536366")
    assert (other["total_minor"], other["country"], other["customer_id"]) == (1, "IE", None)
    returned = state_of("past_return", number="C536379")
    assert (returned["total_minor"], returned["lines"][0]["quantity"], returned["country"]) == (
        510,
        2,
        "Channel Islands",
    )
    names = {state["variants"][0]["sku"]: state["name"] for kind, state in content("product")}
    assert names == {"85123A": "HOLDER", "85123a": "holder", "POST": "POST", "gift_0001_80": "Voucher £80"}
    product = state_of("product", name="HOLDER")
    assert (product["variants"][0]["prices"], product["status"]) == ({"GBP": 256}, "published")
    assert state_of("customer", number="17850")["country"] == "DE"
    assert content("stock_item") == []


def test_what_the_log_says(tmp_path: Path) -> None:
    run("import_orders", retail_file(tmp_path / "retail.csv", *AWKWARD))
    (imported,) = events_of(id_of("order", number="536365"))
    assert isinstance(imported, OrderImported)
    assert (len(imported.lines), imported.total.amount_minor) == (4, 6393)
    (returned,) = events_of(id_of("past_return", number="C536379"))
    assert isinstance(returned, PastReturnImported)
    assert (returned.returned_at.isoformat(), returned.number) == ("2010-12-01T09:41:00+00:00", "C536379")
    row = DomainEvent.objects.get(aggregate_id=imported.order_id)
    assert (row.occurred_at, row.metadata["actor"]) == (imported.placed_at, "system:import_orders")


def test_a_second_run_changes_nothing_and_says_so(tmp_path: Path) -> None:
    path = retail_file(tmp_path / "retail.csv", *AWKWARD)
    run("import_orders", path)
    before = everything()
    code, summary = run("import_orders", path, "--batch", "1")
    assert (code, summary["orders"], summary["returns"], summary["already_there"]) == (1, 0, 0, 4)
    assert everything() == before


@pytest.mark.parametrize("batch", [1, 2, 3])
def test_a_run_that_breaks_off_is_finished_by_a_second_one(
    tmp_path: Path, batch: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = retail_file(tmp_path / "retail.csv", *AWKWARD)
    with transaction.atomic():
        run("import_orders", path)
        at_once = content(*KINDS)
        transaction.set_rollback(True)
    (tmp_path / "retail.csv.rejected.csv").unlink()
    whole = run_orders.InvoiceWork.__call__
    calls = 0

    def break_off(work: run_orders.InvoiceWork, invoices: object, now: object) -> object:
        nonlocal calls
        calls += 1
        done = whole(work, invoices, now)
        if calls == 2:
            raise OperationalError("the server is gone")
        return done

    with monkeypatch.context() as patch:
        patch.setattr(run_orders.InvoiceWork, "__call__", break_off)
        with pytest.raises(CommandError, match="run this again to go on") as caught:
            call_command("import_orders", str(path), "--batch", str(batch))
    assert caught.value.returncode == 3
    assert len(content("order", "past_return")) == batch
    assert content(*KINDS) != at_once
    assert not list(tmp_path.glob("*rejected*")), "rejects of a run that broke off are not left behind"
    run("import_orders", path, "--batch", str(batch))
    assert content(*KINDS) == at_once


def test_an_invoice_that_is_refused_by_a_command_costs_only_its_own_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = run_orders.InvoiceWork.__call__

    def refuse(work: run_orders.InvoiceWork, invoices: list, now: object) -> object:
        done = whole(work, invoices, now)
        if any(invoice.number == "536365" for invoice in invoices):
            raise Invalid("no such thing")
        return done

    monkeypatch.setattr(run_orders.InvoiceWork, "__call__", refuse)
    code, summary = run("import_orders", retail_file(tmp_path / "retail.csv", *AWKWARD))
    assert (code, summary["orders"], summary["returns"], summary["rejected"]) == (1, 2, 1, len(REFUSED) + 4)
    rows = rejected(tmp_path / "retail.csv.rejected.csv")
    assert sorted(line for line, _ in rows) == sorted([*REFUSED, 2, 3, 4, 7])
    assert {reason for line, reason in rows if line in {2, 3, 4, 7}} == {"no such thing"}


def test_an_invoice_too_large_for_one_event_is_rejected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_orders, "MOST_EVENT_BYTES", 1000)
    code, summary = run("import_orders", retail_file(tmp_path / "retail.csv", *AWKWARD))
    assert (code, summary["orders"], summary["rejected"]) == (1, 2, len(REFUSED) + 4)


def test_the_rejects_can_be_put_elsewhere_corrected_and_imported(tmp_path: Path) -> None:
    rejects = tmp_path / "elsewhere.csv"
    path = retail_file(tmp_path / "retail.csv", AWKWARD[0], "1,A,x,1,2010-12-01T08:26:00,0,,")
    run("import_orders", path, "--rejects", str(rejects))
    assert not (tmp_path / "retail.csv.rejected.csv").exists()
    rejects.write_text(rejects.read_text().replace("2010-12-01T08:26:00,0,", "2010-12-01T08:26:00,2,"))
    code, summary = run("import_orders", rejects)
    assert (code, summary["orders"], summary["rejected"]) == (0, 1, 0)
    assert not list(tmp_path.glob("elsewhere*rejected*"))


def test_the_words_for_people(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        call_command("import_orders", str(retail_file(tmp_path / "retail.csv", *AWKWARD)))
    said = capsys.readouterr()
    assert ended.value.code == 1
    assert "15 lines: 3 orders and 1 returns imported" in said.out
    assert f"8 rows were rejected: see {tmp_path}/retail.csv.rejected.csv" in said.out
    assert said.err == ""


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (None, "cannot be read"),
        (b"", "the file is empty"),
        (b"a,b\n1,2\n", "its header has no InvoiceNo"),
        (b"\xff\xfe\n", "the header line cannot be read"),
        (b"\x1f\x8b\x08\x00junk", "damaged"),
    ],
)
def test_a_file_that_cannot_be_imported_is_a_usage_error(tmp_path: Path, data: bytes | None, message: str) -> None:
    path = tmp_path / "retail.csv"
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(CommandError, match=message) as caught:
        call_command("import_orders", str(path))
    assert caught.value.returncode == 2
    assert not DomainEvent.objects.exists()


def test_rejects_that_cannot_be_written_are_noticed_first(tmp_path: Path) -> None:
    path = retail_file(tmp_path / "retail.csv", *AWKWARD)
    for place in (path, tmp_path, tmp_path / "none" / "x.csv"):
        with pytest.raises(CommandError) as caught:
            call_command("import_orders", str(path), "--rejects", str(place))
        assert caught.value.returncode == 2
    assert not DomainEvent.objects.exists()
