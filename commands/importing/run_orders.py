"""A whole run of `manage.py import_orders`: read and check the file, then import its invoices in batches."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from commands.importing.batches import in_batch
from commands.importing.invoices import Imported, InvoiceWork, known_invoices
from commands.importing.progress import Advance
from commands.importing.records import Record, Records
from commands.importing.rejects import Refused, Rejects
from commands.importing.retail import COLUMNS, parse_line
from commands.importing.source import FileProblem, Source
from commands.importing.staging import Invoice, Staging

#: JSON of one event at most, in bytes; a Kafka record may have 4 MiB (acme.bus.settings).
MOST_EVENT_BYTES = 3 * 1024 * 1024
PROGRESS_LINES = 1000  # between two movements of the bar


def import_orders_file(
    path: Path, rejects_path: Path, *, batch: int, start: Callable[[str, int], Advance]
) -> dict[str, Any]:
    """Answers the summary. Raises `FileProblem` before anything is imported, and the database's errors."""
    with Source(path) as source:
        records = Records(source.lines())
        missing = [name for name in COLUMNS if name not in records.header]
        if missing:
            raise FileProblem(f"{path} is no Online Retail file: its header has no {', '.join(missing)}")
        with Rejects(rejects_path, records.header) as rejects, Staging() as staging:
            lines = _stage(records, source, staging, rejects, start("reading", source.size))
            invoices = staging.sort()
            began = time.monotonic()
            done = _import(staging, rejects, batch, start("importing invoices", invoices))
            seconds = time.monotonic() - began
            new = done.orders + done.returns
            return {
                "lines": lines,
                **vars(done),
                "rejected": rejects.count,
                "seconds": round(seconds, 3),
                "invoices_per_second": round(new / seconds) if new else 0,
            }


def _stage(records: Records, source: Source, staging: Staging, rejects: Rejects, advance: Advance) -> int:
    """Every record either into the staging or among the rejects; answers how many there were."""
    count = 0
    for count, record in enumerate(records, start=1):
        try:
            staging.add(record.line, parse_line(_row(record, records.header)), record.fields)
        except Refused as refused:
            rejects.add(record.line, str(refused), record.fields)
        if count % PROGRESS_LINES == 0:
            advance(source.position)
    advance(source.size)
    return count


def _row(record: Record, header: list[str]) -> dict[str, str]:
    if record.problem:
        raise Refused(record.problem)
    return dict(zip(header, record.fields, strict=True))


def _import(staging: Staging, rejects: Rejects, batch: int, advance: Advance) -> Imported:
    done, work = Imported(), InvoiceWork(staging)

    def refuse(number: str, reason: str) -> None:
        for line, fields in staging.original_rows(number):
            rejects.add(line, reason, fields)

    for number, lines in staging.refuse_larger(MOST_EVENT_BYTES):
        refuse(number, f"invoice {number} has {lines} lines, too many for one order")
    finished = 0
    for first, last, numbers in staging.batches(batch):
        known = known_invoices(numbers)
        done.already_there += len(known)
        if len(known) < len(numbers):
            new = [invoice for invoice in staging.invoices(first, last) if invoice.number not in known]
            for result in in_batch(new, work, refused=_refuser(refuse)):
                done.add(result)
        finished += len(numbers)
        advance(finished)
    return done


def _refuser(refuse: Callable[[str, str], None]) -> Callable[[Invoice, str], None]:
    return lambda invoice, reason: refuse(invoice.number, reason)
