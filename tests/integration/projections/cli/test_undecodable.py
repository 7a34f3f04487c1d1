"""Letters of records that are no event, exactly as the runtime parks them: they have none of an event's names."""

from __future__ import annotations

import pytest

from acme.bus import Record
from acme.contracts.envelope import Undecodable
from projections.runtime.letters import DeadLetters
from tests.integration.projections.cli.conftest import Projector
from tests.integration.projections.cli.letters import TOPIC, Store, open_products

NAME = f"{TOPIC}/3/offset:41@abcdef01"
JUNK = Record(TOPIC, 3, 41, None, b"\xff junk", [("ce_type", b"acme.PriceSet")])


@pytest.fixture
def key(store: Store) -> str:
    """The one letter of a record of bytes that are no JSON."""
    open_products(store)
    letters = DeadLetters(store, "products", 1)
    letters.park_undecodable([(JUNK, Undecodable("no ce_id"))], {TOPIC: "abcdef0123456789"}, room=10)
    (row,) = store["projection_dead_letters"].find()
    assert "event_type" not in row  # else nothing is tested here
    return str(row["_id"])


def test_it_is_shown_whole(key: str, projector: Projector) -> None:
    for arguments in (("products", NAME), (key,)):
        shown = projector("dlq", "show", *arguments)
        assert shown.code == 0, shown
        for part in (
            key,
            "the record cannot be decoded",
            "Undecodable: no ce_id",
            "ce_type",
            "without a key",
            "ff206a",
        ):
            assert part in shown.out, part
    letter = projector("dlq", "show", key, "--json").json
    assert (letter["id"], letter["raw"], letter["sequence"]) == (key, JUNK.value and JUNK.value.hex(), None)
    assert letter["error"] == "Undecodable: no ce_id"


def test_it_is_listed_and_counted(key: str, projector: Projector) -> None:
    listed = projector("dlq", "list", "products")
    assert listed.code == 1 and NAME in listed.out and "it cannot be decoded" in listed.out
    assert projector("dlq", "list", "products", "--json").json["projections"][0]["letters"][0]["id"] == key
    counted = projector("dlq", "stats", "products")
    assert counted.code == 1 and "no event: Undecodable: no ce_id" in " ".join(counted.out.split())
    (row,) = projector("dlq", "stats", "--json").json["fingerprints"]
    assert (row["failing"], row["event_type"], row["aggregates"]) == (1, None, 0)


def test_it_is_discarded_by_its_name(key: str, store: Store, projector: Projector) -> None:
    ended = projector("dlq", "discard", "products", "--letter", NAME, "--reason", "junk", "--yes", "--no-wait")
    assert ended.code == 0, ended
    store["projection_dead_letters"].update_one({"_id": key}, {"$set": {"state": "discarded"}})
    row = {"discarded_by": "ana", "discarded_reason": "junk", "discarded_at": None}
    store["projection_dead_letters"].update_one({"_id": key}, {"$set": row})
    assert "discarded by ana" in projector("dlq", "show", key).out
    assert "discarded by ana" in projector("dlq", "list", "products", "--state", "discarded").out
