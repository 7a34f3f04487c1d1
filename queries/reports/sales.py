"""The sales report: one aggregation over the days of a dimension, and one over those of ``total`` for the totals.

Totals come from their own counters, because an order with three products counts once in ``total`` and three times in
``product``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

from pymongo.collection import Collection

from queries.money import money
from queries.reading import REPORT_MS, Stored, just_after

INTERVALS = ("day", "week", "month")
DIMENSIONS = {"none": "total", "product": "product", "category": "category", "country": "country"}
COUNTS = ("orders", "units", "gross", "returned_units", "returned")
#: Rows that one report has at the most.
MAX_ROWS = 100_000


class ReportTooLarge(ValueError):
    """More rows than one answer should have."""


@dataclass(frozen=True, kw_only=True)
class SalesQuestion:
    """Both days are included; they are days of the shop, as the documents have them."""

    first: date
    last: date
    interval: str
    by: str
    currency: str

    def pipeline(self, dimension: str) -> list[Stored]:
        """Sums of one dimension by first day of the interval and key."""
        return [
            {"$match": days(dimension, self.currency, self.first, self.last)},
            {
                "$group": {
                    "_id": {"period": _period(self.interval), "key": "$key"},
                    **{name: {"$sum": f"${name}"} for name in COUNTS},
                }
            },
            {"$limit": MAX_ROWS + 1},
        ]


def days(dimension: str, currency: str, first: date, last: date) -> Stored:
    """The documents of a range of days, by the index (dimension, currency, day)."""
    day = {"$gte": first.isoformat(), "$lt": just_after(last.isoformat())}
    return {"dimension": dimension, "currency": currency, "day": day}


def sales_report(
    question: SalesQuestion, collection: Collection[Stored], key_of: Callable[[str], str]
) -> dict[str, Any]:
    """``{"results", "totals"}``, by period and key. ``key_of`` shows a stored key. Raises `ReportTooLarge`."""
    dimension = DIMENSIONS[question.by]
    groups = _sums(question, dimension, collection)
    total = groups if dimension == "total" else _sums(question, "total", collection)
    results = []
    for group in groups:
        if any(group[name] for name in COUNTS):
            key = None if dimension == "total" else key_of(group["_id"]["key"])
            results.append({"period": group["_id"]["period"], "key": key, **figures(group, question.currency)})
    results.sort(key=lambda row: (row["period"], row["key"] or ""))
    totals = {name: sum(group[name] for group in total) for name in COUNTS}
    return {"results": results, "totals": figures(totals, question.currency)}


def _sums(question: SalesQuestion, dimension: str, collection: Collection[Stored]) -> list[Stored]:
    groups = list(collection.aggregate(question.pipeline(dimension), maxTimeMS=REPORT_MS))
    if len(groups) > MAX_ROWS:
        raise ReportTooLarge(f"the report would have more than {MAX_ROWS} rows")
    return groups


def figures(counts: Stored, currency: str) -> dict[str, Any]:
    """The counters as an answer shows them; returned amounts are positive."""
    return {
        "orders": counts["orders"],
        "units": counts["units"],
        "gross": money(counts["gross"], currency),
        "returned_units": counts["returned_units"],
        "returned": money(counts["returned"], currency),
        "net": money(counts["gross"] - counts["returned"], currency),
    }


def _period(interval: str) -> Any:
    """The first day of the interval, as text: weeks begin on Monday."""
    if interval == "day":
        return "$day"
    if interval == "month":
        return {"$concat": [{"$substrBytes": ["$day", 0, 7]}, "-01"]}
    day = {"$dateFromString": {"dateString": "$day", "format": "%Y-%m-%d"}}
    monday = {"$dateTrunc": {"date": day, "unit": "week", "startOfWeek": "monday"}}
    return {"$dateToString": {"date": monday, "format": "%Y-%m-%d"}}
