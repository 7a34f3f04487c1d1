"""What the read models should say: a replay of the log in memory, compared with the documents that are stored.

The replay folds with the projectors' own handlers, but without batches, fences, checkpoints or a store; the state
tables (`commands.states`) are the second, independent witness. As a program (`python -m tests.oracle`, in the
environment of a shop) it prints the differences as JSON.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from pymongo.database import Database

from acme.contracts.envelope import Envelope, Unseal
from projections.runtime.fold import fold_batch, group_by_aggregate
from projections.runtime.generations import live_of
from projections.runtime.projection import Projection
from queries.documents.connection import collection_name

#: What may differ between runs: where in the stream things were, not what they say.
BOOKKEEPING = {"fences", "late", "late_revision", "topic", "partition", "sequence", "seen_at"}


def replay(projection: Projection, log: Iterable[Envelope], unseal: Unseal) -> dict[str, Any]:
    """The documents, by id, that all these events make; order between aggregates does not matter."""
    concerned = [envelope for envelope in log if envelope.topic in projection.topics]
    fold = fold_batch(projection, group_by_aggregate(concerned), lambda key, path: {}, unseal)
    assert not fold.refusals, fold.refusals[0]
    documents: dict[str, Any] = {}
    for state in fold.sections.values():
        _set(documents.setdefault(state.document, {"_id": state.document}), state.path, state.value)
    for _, count in fold.counted:
        document = documents.setdefault(count.document, {"_id": count.document})
        document.update(count.static)
        for path, amount in count.add.items():
            _set(document, path, _get(document, path, 0) + amount)
        for path, value in count.lowest.items():
            _set(document, path, min(value, _get(document, path, value)))
        for path, value in count.highest.items():
            _set(document, path, max(value, _get(document, path, value)))
    if projection.name == "products":
        for document in documents.values():
            _availability(document)
    return {key: canonical(document) for key, document in documents.items()}


def _availability(document: dict[str, Any]) -> None:
    mine = {variant["variant_id"] for variant in document.get("product", {}).get("variants", ())}
    stock = document.get("stock", {})
    document["available"] = sum(item["available"] for key, item in stock.items() if key in mine)
    document["in_stock"] = document["available"] > 0


def _get(document: dict[str, Any], path: str, default: Any) -> Any:
    *parents, last = path.split(".")
    for part in parents:
        document = document.get(part, {})
    return document.get(last, default)


def _set(document: dict[str, Any], path: str, value: Any) -> None:
    if not path:
        document.update(value)
        return
    *parents, last = path.split(".")
    for part in parents:
        document = document.setdefault(part, {})
    document[last] = value


def stored(store: Database[Any], projection: Projection, generation: int = 1) -> dict[str, Any]:
    """The generation's documents without bookkeeping, by id, in canonical form."""
    found = store[collection_name(projection.name, generation)].find()
    return {str(document["_id"]): canonical(document) for document in found}


def canonical(value: Any) -> Any:
    """Keys in order, bookkeeping left out, times to the millisecond (all that BSON keeps)."""
    if isinstance(value, dict):
        return {key: canonical(value[key]) for key in sorted(value) if key not in BOOKKEEPING}
    if isinstance(value, datetime):
        return value.replace(microsecond=value.microsecond // 1000 * 1000).timestamp()
    return [canonical(item) for item in value] if isinstance(value, list) else value


def differences(expected: dict[str, Any], actual: dict[str, Any]) -> list[str]:
    """A line for every document that is missing, too many, or different."""
    lines = [f"missing: {key}" for key in expected.keys() - actual.keys()]
    lines += [f"too many: {key}" for key in actual.keys() - expected.keys()]
    for key in expected.keys() & actual.keys():
        if expected[key] != actual[key]:
            names = [n for n in {*expected[key], *actual[key]} if expected[key].get(n) != actual[key].get(n)]
            said = {name: (expected[key].get(name), actual[key].get(name)) for name in sorted(names)}
            lines.append(f"differs: {key}: {str(said)[:1000]}")
    return sorted(lines)


def compare_with_log(store: Database[Any], projections: Iterable[Projection]) -> dict[str, list[str]]:
    """Differences by projection, against the whole event log in PostgreSQL."""
    from acme.contracts.topics import TOPICS
    from acme.ports import event_log, subject_keys

    reader = event_log()
    heads = reader.heads([topic.name for topic in TOPICS])
    log = [e for head in heads for e in reader.read(head.topic, head.partition, 1, head.sequence)]
    unseal = subject_keys().unseal
    live = {p.name: live_of(store, p.name) for p in projections}
    return {p.name: differences(replay(p, log, unseal), stored(store, p, live[p.name])) for p in projections}


#: aggregate type → (projection, section): where its state shows in the read models.
SECTIONS = {
    "category": ("categories", "category"),
    "product": ("products", "product"),
    "stock_item": ("stock", "item"),
    "customer": ("customers", "customer"),
    "cart": ("carts", "cart"),
    "order": ("orders", "order"),
}


def compare_with_tables(store: Database[Any]) -> dict[str, list[str]]:
    """Differences by aggregate type, against the state tables; only the fields that the tables have."""
    from acme.ports import aggregate_states

    states = aggregate_states()
    found: dict[str, list[str]] = {}
    for aggregate, (projection, section) in SECTIONS.items():
        sections = {str(d["_id"]): d[section] for d in store[collection_name(projection, 1)].find() if section in d}
        tables = {str(key): states.state(aggregate, key) or {} for key in states.ids(aggregate)}
        shown = {key: {name: value.get(name) for name in tables.get(key, value)} for key, value in sections.items()}
        found[aggregate] = differences(_plain(tables), _plain(shown))
    return found


def _plain(value: Any) -> Any:
    """Times as milliseconds since the epoch, whether they are text or moments."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, str) and _TIME.fullmatch(value):
        value = datetime.fromisoformat(value)
    return int(value.timestamp() * 1000) if isinstance(value, datetime) else value


_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


def compare_sales(store: Database[Any]) -> list[str]:
    """The totals of sales_by_day against the orders' state table, by currency."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT currency, count(*), sum(total_minor) FROM commands_order"
            " WHERE status IN ('confirmed', 'completed') GROUP BY currency"
        )
        tables = {currency: (orders, int(gross)) for currency, orders, gross in cursor.fetchall()}
    group = {"_id": "$currency", "orders": {"$sum": "$orders"}, "gross": {"$sum": "$gross"}}
    rows = store[collection_name("sales_by_day", 1)].aggregate([{"$match": {"dimension": "total"}}, {"$group": group}])
    shown = {row["_id"]: (row["orders"], row["gross"]) for row in rows if row["orders"]}
    return [] if tables == shown else [f"differs: tables {tables}, sales_by_day {shown}"]


def main() -> int:
    import django

    django.setup()
    from projections.registry import PROJECTIONS
    from queries.documents.connection import database

    found = {f"log: {name}": lines for name, lines in compare_with_log(database(), PROJECTIONS.values()).items()}
    found.update({f"tables: {name}": lines for name, lines in compare_with_tables(database()).items()})
    found["tables: sales"] = compare_sales(database())
    print(json.dumps({name: lines for name, lines in found.items() if lines}))
    return 1 if any(found.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
