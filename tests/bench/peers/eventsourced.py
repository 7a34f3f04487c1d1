"""`python eventsourced.py CARTS`: the `eventsourcing` library's projection runner on a log of carts in PostgreSQL.

Each is created and gets a line; the log is filled before. On the watch is the runner, from its first event until its
view has tracked the last. The view is a table beside the log: each event is one transaction, with its position, as the
library has it.
"""

import json
import os
import sys
import time
import uuid
from urllib.parse import unquote, urlsplit

import psycopg
from eventsourcing.application import Application
from eventsourcing.dispatch import singledispatchmethod
from eventsourcing.domain import Aggregate, event
from eventsourcing.postgres import PostgresTrackingRecorder
from eventsourcing.projection import Projection, ProjectionRunner
from lines import new_line
from psycopg.sql import SQL
from psycopg.types.json import Jsonb

LONGEST = 600.0  # seconds
AT_ONCE = 500  # carts saved in one transaction
BEGAN: dict[str, tuple[float, float]] = {}  # seconds, CPU seconds at the first event


class Cart(Aggregate):
    @event("Created")
    def __init__(self, customer_id: str) -> None:
        self.customer_id = customer_id
        self.lines: list[dict] = []

    @event("LineAdded")
    def add_line(self, line: dict) -> None:
        self.lines.append(line)


class Carts(Application):
    name = "carts"
    snapshotting_intervals = None


class CartView(PostgresTrackingRecorder):
    """One row per cart."""

    def __init__(self, datastore, **kwargs) -> None:
        super().__init__(datastore, **kwargs)
        self.sql_create_statements.append(
            SQL(
                "CREATE TABLE IF NOT EXISTS cart_view (id uuid PRIMARY KEY, customer_id text, status text NOT NULL, "
                "lines jsonb NOT NULL, version integer NOT NULL, created_at timestamptz, updated_at timestamptz)"
            )
        )

    def write(self, statement: str, values: tuple, tracking) -> None:
        BEGAN.setdefault("at", (time.perf_counter(), time.process_time()))
        with self.datastore.transaction(commit=True) as cursor:
            self._insert_tracking(cursor, tracking)
            cursor.execute(statement, values, prepare=True)


class CartProjection(Projection[CartView]):
    name = "cart_view"

    @singledispatchmethod
    def process_event(self, domain_event, tracking) -> None:
        raise TypeError(f"no {domain_event}")

    @process_event.register
    def _(self, domain_event: Cart.Created, tracking) -> None:
        at = domain_event.timestamp
        self.view.write(
            "INSERT INTO cart_view VALUES (%s, %s, 'open', '[]', 1, %s, %s)",
            (domain_event.originator_id, domain_event.customer_id, at, at),
            tracking,
        )

    @process_event.register
    def _(self, domain_event: Cart.LineAdded, tracking) -> None:
        self.view.write(
            "UPDATE cart_view SET lines = lines || %s, version = %s, updated_at = %s WHERE id = %s AND version = %s",
            (
                Jsonb([domain_event.line]),
                domain_event.originator_version,
                domain_event.timestamp,
                domain_event.originator_id,
                domain_event.originator_version - 1,
            ),
            tracking,
        )


def main() -> None:
    carts, url = int(sys.argv[1]), os.environ["PEER_DATABASE_URL"]
    with psycopg.connect(url, autocommit=True) as connection:
        for table in ("carts_events", "cart_view_tracking", "cart_view"):
            connection.execute(f"DROP TABLE IF EXISTS {table}")
    parts = urlsplit(url)
    env = {
        "PERSISTENCE_MODULE": "eventsourcing.postgres",
        "POSTGRES_DBNAME": parts.path.lstrip("/"),
        "POSTGRES_HOST": parts.hostname or "",
        "POSTGRES_PORT": str(parts.port),
        "POSTGRES_USER": unquote(parts.username or ""),
        "POSTGRES_PASSWORD": unquote(parts.password or ""),
        "SINGLE_ROW_TRACKING": "yes",
    }
    last = _fill(Carts(env), carts)
    with ProjectionRunner(
        application_class=Carts, projection_class=CartProjection, view_class=CartView, env=env
    ) as runner:
        runner.wait(last, timeout=LONGEST)
        started, used = BEGAN["at"]
        seconds, cpu = time.perf_counter() - started, time.process_time() - used
    with psycopg.connect(url) as connection:
        (there,) = connection.execute("SELECT count(*) FROM cart_view WHERE version = 2").fetchone()
    if there != carts:
        raise SystemExit(f"{there} of {carts} carts are in the view")
    print(json.dumps({"units": 2 * carts, "seconds": seconds, "cpu": cpu}))


def _fill(app: Carts, carts: int) -> int:
    """Answers the position of the last event."""
    made = [Cart(customer_id=str(uuid.uuid4())) for _ in range(carts)]
    last = 0
    for change in (lambda cart: None, _add_line):
        for start in range(0, carts, AT_ONCE):
            some = made[start : start + AT_ONCE]
            for cart in some:
                change(cart)
            last = app.save(*some)[-1].notification.id
    app.close()
    return last


def _add_line(cart: Cart) -> None:
    cart.add_line(line=new_line())


if __name__ == "__main__":
    main()
