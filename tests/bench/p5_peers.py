"""P5: the same changes from their log to what readers ask, against what Python people would take instead.

django-cqrs has no log: a save sends its message, and the replica is a row. `eventsourcing` has its log and its view in
PostgreSQL, and no broker. Each does its work in its own best way; what they leave out is to their advantage.
"""

from __future__ import annotations

from tests.bench import events
from tests.bench.measure import Measured, Took, compared
from tests.bench.options import Options
from tests.bench.peers import environment
from tests.bench.projecting import CATCHING_UP
from tests.bench.streaming import stream_run

DOCUMENTS, OF_PEERS = 10_000, 3_000
AS_A_SHOP = "publisher and worker, a cart's two events near each other as in a shop"
CONSUMERS = 2  # of django-cqrs, on two cores


def cqrs_run(carts: int, port: int) -> Took:
    """Messages of carts created and changed, sent as its bulk operations do, until the replica has them."""
    env = {
        "PEER_DATABASE_URL": environment.database("peer_cqrs"),
        "PEER_RABBITMQ_PORT": str(port),
        "DJANGO_SETTINGS_MODULE": "cqrs_shop.settings",
    }
    return environment.run("-m", "cqrs_shop.run", str(carts), str(CONSUMERS), env=env)


def eventsourcing_run(carts: int) -> Took:
    """Its projection runner on a log that is full."""
    env = {"PEER_DATABASE_URL": environment.database("peer_eventsourcing")}
    return environment.run("eventsourced.py", str(carts), env=env)


def measure(options: Options) -> Measured:
    documents, of_peers = options.size(DOCUMENTS), options.size(OF_PEERS)
    with environment.rabbitmq() as port:
        return compared(
            options,
            {
                "publisher and worker": lambda: stream_run("carts", "acme.carts", events.carts(documents, 2)),
                "eventsourcing": lambda: eventsourcing_run(of_peers),
                "django-cqrs": lambda: cqrs_run(of_peers, port),
                AS_A_SHOP: lambda: stream_run("carts", "acme.carts", events.shopping(documents)),
            },
            ours_too=[AS_A_SHOP],
            name="P5",
            what="changes per second, from the log to what readers ask",
            against="the projection runner of eventsourcing 9.5",
            goal=10,
            notes="All carts are created before any gets its line: no write is spared. Peers get fewer carts, because "
            "they are slow; each event is a write of theirs, in any order. django-cqrs 3.1 over RabbitMQ: two "
            "consumers, connections kept, messages as its bulk operations send them, the master's rows not on the "
            "watch; the replica is a row of PostgreSQL. eventsourcing: log and view in PostgreSQL, no broker."
            f"{CATCHING_UP}",
        )
