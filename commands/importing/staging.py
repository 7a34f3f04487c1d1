"""The lines of a retail file on disk, in a throw-away SQLite database, to be taken out again invoice by invoice.

Lines of one invoice may stand anywhere in the file, and a product's name or a customer's country may come late. Keeping
that in memory would grow with the file; a sorted file on disk does not.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any

import msgspec

from commands.importing.retail import RetailLine

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
#: Lines per batch at most, however few invoices that are (a single larger invoice is a batch of its own).
LINES_PER_BATCH = 5_000
#: What a line adds to its order's event beside its texts: ids, amounts and member names as JSON.
_LINE_BYTES = 400

_TABLES = """
PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA temp_store = FILE; PRAGMA cache_size = -16000;
CREATE TABLE line (
    line INTEGER PRIMARY KEY, invoice TEXT, sku TEXT, description TEXT, quantity INTEGER, unit_minor INTEGER,
    amount_minor INTEGER, at INTEGER, customer TEXT, country TEXT, fields TEXT
);
"""
_SORTED = f"""
CREATE TABLE invoice (id INTEGER PRIMARY KEY, number TEXT, lines INTEGER, bytes INTEGER);
INSERT INTO invoice (number, lines, bytes)
    SELECT invoice, count(*), sum({_LINE_BYTES} + 2 * length(CAST(sku || description AS BLOB)))
    FROM line GROUP BY invoice ORDER BY min(line);
CREATE INDEX line_invoice ON line (invoice, line);
CREATE INDEX line_sku ON line (sku, line);
CREATE INDEX line_customer ON line (customer, line);
"""  # noqa: S608 (constants)
_LINES = """
SELECT line.invoice, line.sku, description, quantity, unit_minor, amount_minor, at, customer, country
FROM invoice JOIN line ON line.invoice = invoice.number WHERE invoice.id BETWEEN ? AND ? ORDER BY invoice.id, line.line
"""


@dataclass(frozen=True, kw_only=True)
class Invoice:
    """All counted lines of one invoice, in the order of the file."""

    number: str
    lines: list[RetailLine]

    @property
    def at(self) -> datetime:
        """The earliest moment of a line."""
        return min(line.at for line in self.lines)

    @property
    def customer(self) -> str | None:
        """The first that is given; lines of one invoice that disagree are still one order."""
        return next((line.customer for line in self.lines if line.customer), None)

    @property
    def country(self) -> str | None:
        """The first that is given."""
        return next((line.country for line in self.lines if line.country), None)


@dataclass(frozen=True, kw_only=True)
class FirstSeen:
    """What the whole file says first of a SKU: a description (empty: none) and a price in minor units."""

    description: str
    unit_minor: int


class Staging:
    """Fill it with `add`, then `sort` once, then read; a context manager."""

    def __enter__(self) -> Staging:
        # No name: SQLite makes a file in the temporary directory that is gone when the process is, however it ends.
        self._db = sqlite3.connect("", isolation_level=None)
        self._db.executescript(_TABLES)
        self._db.execute("BEGIN")
        return self

    def __exit__(self, *_: object) -> None:
        self._db.close()

    def add(self, number: int, line: RetailLine, fields: list[str]) -> None:
        """``fields`` are the row's columns, in case it has to be refused after all."""
        at = (line.at - _EPOCH) // _MICROSECOND
        original = msgspec.json.encode(fields).decode()
        self._db.execute(
            "INSERT INTO line VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                *(number, line.invoice, line.sku, line.description, line.quantity, line.unit_minor, line.amount_minor),
                *(at, line.customer, line.country, original),
            ),
        )

    def sort(self) -> int:
        """Puts the lines of each invoice together; answers the number of invoices."""
        self._db.execute("COMMIT")
        self._db.executescript(_SORTED)
        return int(self._one("SELECT count(*) FROM invoice")[0])

    def refuse_larger(self, most_bytes: int) -> Iterator[tuple[str, int]]:
        """Takes out invoices whose event would have more bytes of JSON; answers number and lines of each."""
        yield from self._db.execute("SELECT number, lines FROM invoice WHERE bytes > ?", (most_bytes,)).fetchall()
        self._db.execute("DELETE FROM invoice WHERE bytes > ?", (most_bytes,))

    def batches(self, invoices: int) -> Iterator[tuple[int, int, list[str]]]:
        """Runs of invoices in the order of the file: first and last id, and the numbers."""
        first, last, lines, numbers = 0, 0, 0, list[str]()
        for id_, number, count in self._db.execute("SELECT id, number, lines FROM invoice ORDER BY id"):
            if numbers and (len(numbers) == invoices or lines + count > LINES_PER_BATCH):
                yield first, last, numbers
                lines, numbers = 0, []
            first = first if numbers else id_
            last = id_
            lines += count
            numbers.append(number)
        if numbers:
            yield first, last, numbers

    def invoices(self, first: int, last: int) -> Iterator[Invoice]:
        """The invoices with these ids and those between."""
        for number, rows in groupby(self._db.execute(_LINES, (first, last)), key=lambda row: row[0]):
            yield Invoice(number=str(number), lines=[_line(row) for row in rows])

    def original_rows(self, invoice: str) -> Iterator[tuple[int, list[str]]]:
        """Line and columns of all rows of an invoice."""
        rows = self._db.execute("SELECT line, fields FROM line WHERE invoice = ? ORDER BY line", (invoice,))
        for line, fields in rows:
            yield line, msgspec.json.decode(fields, type=list[str])

    def first_seen(self, sku: str) -> FirstSeen:
        described = self._db.execute(
            "SELECT description FROM line WHERE sku = ? AND description <> '' ORDER BY line LIMIT 1", (sku,)
        ).fetchone()
        (unit_minor,) = self._one("SELECT unit_minor FROM line WHERE sku = ? ORDER BY line LIMIT 1", sku)
        return FirstSeen(description=described[0] if described else "", unit_minor=unit_minor)

    def customer(self, number: str) -> tuple[str | None, datetime]:
        """The first country that is given for a customer, and the earliest moment."""
        country = self._db.execute(
            "SELECT country FROM line WHERE customer = ? AND country IS NOT NULL ORDER BY line LIMIT 1", (number,)
        ).fetchone()
        (at,) = self._one("SELECT min(at) FROM line WHERE customer = ?", number)
        return country[0] if country else None, _EPOCH + at * _MICROSECOND

    def _one(self, statement: str, *values: Any) -> tuple[Any, ...]:
        row: tuple[Any, ...] = self._db.execute(statement, values).fetchone()
        return row


def _line(row: tuple[Any, ...]) -> RetailLine:
    invoice, sku, description, quantity, unit_minor, amount_minor, at, customer, country = row
    return RetailLine(
        invoice=invoice,
        sku=sku,
        description=description,
        quantity=quantity,
        unit_minor=unit_minor,
        amount_minor=amount_minor,
        at=_EPOCH + at * _MICROSECOND,
        customer=customer,
        country=country,
    )
