"""A whole run of `manage.py import_products`: check the file, then import its rows in batches as they are read."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from commands.importing.batches import in_batch
from commands.importing.product_rows import Format, format_of
from commands.importing.products import Created, FileRow, import_rows
from commands.importing.progress import Advance
from commands.importing.records import Record, Records
from commands.importing.rejects import Refused, Rejects
from commands.importing.source import Source


def import_products_file(
    path: Path, rejects_path: Path, *, format_name: str | None, batch: int, start: Callable[[str, int], Advance]
) -> dict[str, Any]:
    """Answers the summary. Raises `FileProblem` before anything is imported, and the database's errors."""
    with Source(path) as source:  # a file that is damaged somewhere is refused as a whole
        total = sum(1 for _ in source.lines())
    began = time.monotonic()
    with Source(path) as source:
        records = Records(source.lines())
        form = format_of(records.header, format_name)
        advance = start("importing products", total)
        done = Created()
        with Rejects(rejects_path, records.header) as rejects:
            rows = _rows(records, form, rejects)
            while taken := list(islice(rows, batch)):
                results = in_batch(
                    taken, import_rows, refused=lambda row, reason: rejects.add(row.line, reason, row.fields)
                )
                for result in results:
                    done.add(result)
                advance(taken[-1].line)
            advance(total)
        seconds = round(time.monotonic() - began, 3)
        return {"format": form.name, **vars(done), "rejected": rejects.count, "seconds": seconds}


def _rows(records: Records, form: Format, rejects: Rejects) -> Iterator[FileRow]:
    """The rows that count; the others are among the rejects. A SKU counts once in a file, at its first row."""
    lines: dict[str, int] = {}
    for record in records:
        try:
            row = _row(record, records.header, form)
            first = lines.setdefault(row.product.sku, row.line)
            if first != row.line:
                raise Refused(f"the SKU stands in line {first} already")
        except Refused as refused:
            rejects.add(record.line, str(refused), record.fields)
        else:
            yield row


def _row(record: Record, header: list[str], form: Format) -> FileRow:
    if record.problem:
        raise Refused(record.problem)
    product = form.parse(dict(zip(header, record.fields, strict=True)))
    return FileRow(line=record.line, fields=record.fields, product=product)
