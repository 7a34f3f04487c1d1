"""What the read models should say: a replay of the log in memory, compared with the documents that are stored.

The replay folds with the projectors' own handlers, but without batches, fences, checkpoints or a store; the state
tables (`commands.states`) are the second, independent witness. As a program (`python -m tests.oracle`, in the
environment of a shop) it prints the differences as JSON.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from typing import Any

from pymongo.database import Database

from acme.contracts.envelope import Envelope, Unseal
from projections.runtime.generations import live_of
from projections.runtime.projection import Projection
from projections.verification.against_tables import AgainstTables
from projections.verification.canonical import canonical
from projections.verification.counts_against_tables import CountsAgainstTables
from projections.verification.replay import Replay
from projections.verification.verify import some
from queries.documents.connection import collection_name

COUNTED = 300  # orders and returns whose counting is compared with their tables


def replay(projection: Projection, log: Iterable[Envelope], unseal: Unseal) -> dict[str, Any]:
    """The documents, by id, that all these events make; order between aggregates does not matter."""
    made = Replay(projection=projection, unseal=unseal)
    made.add(envelope for envelope in log if envelope.topic in projection.topics)
    assert not made.refused, next(iter(made.refused.values()))
    return {key: canonical(document) for key, document in made.documents().items()}


def stored(store: Database[Any], projection: Projection, generation: int = 1) -> dict[str, Any]:
    """The generation's documents without bookkeeping, by id, in canonical form."""
    found = store[collection_name(projection.name, generation)].find()
    return {str(document["_id"]): canonical(document) for document in found}


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


def compare_with_log(
    store: Database[Any], projections: Iterable[Projection], generation: int | None = None
) -> dict[str, list[str]]:
    """Differences by projection (default: of its live generation), against the whole event log in PostgreSQL."""
    from acme.contracts.topics import TOPICS
    from acme.ports import event_log, subject_keys

    reader = event_log()
    heads = reader.heads([topic.name for topic in TOPICS])
    log = [e for head in heads for e in reader.read(head.topic, head.partition, 1, head.sequence)]
    unseal = subject_keys().unseal
    found = {}
    for p in projections:
        number = live_of(store, p.name) if generation is None else generation
        found[p.name] = differences(replay(p, log, unseal), stored(store, p, number))
    return found


def compare_with_tables(store: Database[Any]) -> dict[str, list[str]]:
    """Differences by projection, against the state tables; what is behind its table is one too."""
    from acme.ports import aggregate_states, event_log, subject_keys
    from projections.registry import PROJECTIONS

    found: dict[str, list[str]] = {}
    for projection in PROJECTIONS.values():
        compared = AgainstTables(
            store, aggregate_states(), projection, live_of(store, projection.name), pause=0.2
        ).verify()
        counts = CountsAgainstTables(event_log(), aggregate_states(), subject_keys().unseal, projection)
        counts.verify(lambda kind: some(aggregate_states().ids(kind), COUNTED), compared)
        found[projection.name] = [str(difference) for difference in compared.differences]
        if compared.behind:
            found[projection.name].append(f"{compared.behind} documents are behind their tables")
    return found


def main() -> int:
    import django

    django.setup()
    from projections.registry import PROJECTIONS
    from queries.documents.connection import database

    found = {f"log: {name}": lines for name, lines in compare_with_log(database(), PROJECTIONS.values()).items()}
    found.update({f"tables: {name}": lines for name, lines in compare_with_tables(database()).items()})
    print(json.dumps({name: lines for name, lines in found.items() if lines}))
    return 1 if any(found.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
