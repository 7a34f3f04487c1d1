"""What must hold: after every step as far as it is cheap to see, and all of it once there is peace."""

from __future__ import annotations

from typing import Any

from acme.contracts.envelope import decode
from commands.outbox import publisher
from projections.runtime import control, requests
from projections.runtime.checkpoints import COLLECTION as CHECKPOINTS
from projections.runtime.letterbox import DISCARDED, LETTERS, Selection
from projections.runtime.requests import MARKING, REQUESTS, WAITING, Refused
from projections.runtime.writes import fence_name, late_name
from projections.verification.canonical import canonical
from queries.documents.connection import collection_name
from tests.contract.history import plain_unseal
from tests.model.shop import Shop
from tests.oracle import differences, replay

ROUNDS = 150
#: After so many rounds without anything new there will be nothing.
QUIET = 40
#: The reasons of a partition that stands for good, since the log is another one.
SAID = {"epoch", "rewritten", "gap"}


class Failed(AssertionError):
    """Something does not hold."""


def check_step(shop: Shop) -> None:
    """No checkpoint is ahead of the documents.

    Of those that were written under a process of the store that is gone nothing is known: a worker sets them back.
    """
    if shop.store.writes == shop.checked or shop.postgresql.restored:
        return
    shop.checked = shop.store.writes
    for row in shop.rows(CHECKPOINTS):
        if row["incarnation"] == str(shop.store.incarnation):
            for event in shop.postgresql.stream((row["topic"], row["partition"]))[: row["sequence"]]:
                _check_effect(shop, row, event)


def _check_effect(shop: Shop, row: dict[str, Any], event: Any) -> None:
    stopped = dict(name.rsplit("@", 1) for name in row.get("stopped", ()))
    if event.sequence >= int(stopped.get(event.aggregate, event.sequence + 1)):
        return
    documents = shop.store[collection_name(shop.name, row["generation"])].rows
    where = f"checkpoint {row['_id']} is at {row['sequence']}, but sequence {event.sequence} ({event.event_type})"
    section = shop.projection.sections.get(event.aggregate_type)
    if section is not None:
        key, path = section.locate(event)
        if _version_in(documents, key, path) < event.aggregate_version:
            raise Failed(f"{where} is not in {key} {path}")
    for key in _counted(shop, event):
        document = documents[key][1] if key in documents else {}
        fence = document.get("fences", {}).get(fence_name(event.topic, event.partition), 0)
        if event.sequence > fence and late_name(event) not in document.get("late", ()) and not _discarded(shop, event):
            raise Failed(f"{where} is not counted in {key}")


def nobody_can_tell(shop: Shop) -> bool:
    """Whether documents alone have an event: no checkpoint was written for it, and Kafka has lost it."""
    for stream in shop.streams:
        rows = [row for row in shop.rows(CHECKPOINTS) if (row["topic"], row["partition"]) == stream]
        reached = [row["sequence"] for row in rows if row["generation"] == shop.live]
        in_kafka = {record_id(record) for record in shop.broker.records.get(stream, ())}
        for event in shop.postgresql.stream(stream)[max(reached, default=0) :]:
            if str(event.event_id) not in in_kafka and _has_effect(shop, event):
                return True
    return False


def _has_effect(shop: Shop, event: Any) -> bool:
    documents = shop.store[collection_name(shop.name, shop.live)].rows
    section = shop.projection.sections.get(event.aggregate_type)
    if section is not None and _version_in(documents, *section.locate(event)) >= event.aggregate_version:
        return True
    fence = fence_name(event.topic, event.partition)
    counters = [documents[key][1] for key in _counted(shop, event) if key in documents]
    return any(event.sequence <= counter.get("fences", {}).get(fence, 0) for counter in counters)


def _version_in(documents: dict[str, Any], key: str, path: str) -> int:
    found: Any = documents[key][1] if key in documents else {}
    for part in path.split(".") if path else ():
        found = found.get(part, {})
    return found.get("version") or 0


def _counted(shop: Shop, event: Any) -> list[str]:
    handler = shop.projection.counts.get(event.event_type)
    if handler is None:
        return []
    if event.event_id not in shop.counted:
        found = handler(shop.projection.instance, decode(event, plain_unseal), event.occurred_at)
        shop.counted[event.event_id] = [count.document for count in found]
    return shop.counted[event.event_id]


def _discarded(shop: Shop, event: Any) -> bool:
    letters = shop.rows(LETTERS)
    return any(letter["event_id"] == str(event.event_id) and "discarded_at" in letter for letter in letters)


def settle(shop: Shop) -> None:
    """Ends all faults, lets everybody work, and checks that all is as the log says: or that it is said why not."""
    _make_peace(shop)
    _until_done(shop)
    _done_or_told(shop)
    if not shop.postgresql.restored:
        _check_kafka(shop)
        return
    # An operator knows of the restore: Kafka may hold what the log has lost, though nobody could see it.
    shop.go_on(shop.ask(lambda: _start_epoch(shop)))
    _until_done(shop)
    _done_or_told(shop)
    if not shop.has_pointer:  # lost by the store, and only a worker's start makes it
        for number in range(len(shop.workers)):
            shop.kill(shop.workers, number)
        _until_done(shop)
    control.reset(shop.store, shop.projection, by="model")
    _until_done(shop)
    if _open(shop):
        raise Failed(f"not even after a new epoch and a reset: {'; '.join(_open(shop))} (blocked: {shop.told})")
    _compare(shop)


def _done_or_told(shop: Shop) -> None:
    """Where PostgreSQL was restored, documents may stand still with a reason, and must not be wrong without one."""
    if not _open(shop):
        _compare(shop)
    elif not (shop.postgresql.restored and shop.told):
        raise Failed(f"it does not come to an end: {'; '.join(_open(shop))} (blocked: {shop.told})")


def _start_epoch(shop: Shop) -> None:
    made = publisher.Publisher("model")
    while not made.start_epoch():
        shop.actors.rest()
    made.close()


def _make_peace(shop: Shop) -> None:
    shop.actors.down.clear()
    shop.asleep.clear()
    shop.release()
    shop.poison.clear()
    shop.broker.create(shop.projection.topics)
    shop.broker.share_out()
    shop.peace = True
    if shop.operator is not None:
        shop.go_on(shop.operator)
    while shop.postgresql.open:
        shop.postgresql.commit(0)
    if shop.chance.random() < 0.8:
        for number, events in enumerate(shop.history):
            shop.postgresql.begin([(number, len(events))])
    while shop.postgresql.open:
        shop.postgresql.commit(0)
    if shop.has_pointer:
        control.resume(shop.store, shop.name)
    shop.clock.advance(3600)  # what an operator's process has left half done is taken up


def _until_done(shop: Shop) -> None:
    quiet, before = 0, None
    shop.told = set()
    for number in range(ROUNDS):
        for actor in [*shop.publishers, *shop.workers]:
            shop.go_on(actor)
        shop.clock.advance(0.5)
        check_step(shop)
        shop.told |= _told(shop)
        if number and not _open(shop):  # not after the first: that may be the rest of a turn that began before
            return
        _operate(shop)
        published = [head.published for head in shop.postgresql.tables.heads.values()]
        progress = [row["sequence"] for row in shop.rows(CHECKPOINTS)], len(shop.rows(LETTERS)), published
        quiet = quiet + 1 if progress == before else 0
        before = progress
        if quiet > QUIET:
            return


def _operate(shop: Shop) -> None:
    """An operator who looks after dead letters: retries all, discards what was discarded before, makes anew."""
    if any(row["state"] in (MARKING, WAITING) for row in shop.rows(REQUESTS) if row["generation"] == shop.live):
        return
    again = [letter for letter in shop.parked() if "discarded_at" in letter]
    try:
        if again:
            selection = Selection(aggregate=again[0]["aggregate"])
            requests.ask_discard(shop.store, shop.name, selection, by="model", reason="again")
        elif gapped := _gapped(shop):
            requests.ask_resync(shop.store, shop.projection, gapped[0], by="model")
        elif shop.parked():
            requests.ask_retry(shop.store, shop.name, Selection(everything=True), by="model")
    except Refused:
        pass


def _gapped(shop: Shop) -> list[str]:
    mine = [row for row in shop.rows(LETTERS) if row["state"] == DISCARDED and row["generation"] == shop.live]
    return sorted({row["aggregate"] for row in mine})


def _open(shop: Shop) -> list[str]:
    """What is not done yet."""
    left: list[str] = []
    postgresql = shop.postgresql
    if postgresql.tables.unnumbered:
        left.append(f"{len(postgresql.tables.unnumbered)} events have no number")
    checkpoints = {(r["topic"], r["partition"]): r for r in shop.rows(CHECKPOINTS) if r["generation"] == shop.live}
    for stream in shop.streams:
        head, row = postgresql.head(stream), checkpoints.get(stream, {})
        if head.published != head.sequence:
            left.append(f"{stream} is published up to {head.published} of {head.sequence}")
        if row.get("sequence", 0) != head.sequence:
            left.append(f"{stream} is applied up to {row.get('sequence', 0)} of {head.sequence}")
        elif head.sequence and row["event_id"] != str(postgresql.stream(stream)[-1].event_id):
            left.append(f"{stream} ends with another event than the log")
        if row.get("witness"):
            left.append(f"{stream} had come to {row['witness']}")
        if row.get("stopped"):
            left.append(f"stopped: {row['stopped']}")
    if parked := shop.parked():
        left.append(f"parked: {[letter['_id'] for letter in parked]}")
    markers = [row["_id"] for row in shop.rows("projection_stopped") if row["generation"] == shop.live]
    if markers:
        left.append(f"markers: {markers}")
    if gapped := _gapped(shop):
        left.append(f"with a gap: {gapped}")
    requests_ = [r for r in shop.rows(REQUESTS) if r["state"] in (MARKING, WAITING) and r["generation"] == shop.live]
    left += [f"request {row['action']} {row['selection']} is {row['state']}" for row in requests_]
    return left


def _told(shop: Shop) -> set[str]:
    """What operators are told of partitions and the publisher, from which alerts are made."""
    rows = [(name, blocked) for name, made in shop.running.items() for blocked in made._supply.as_rows()]
    said = {f"{name} {b['topic']}[{b['partition']}] {b['kind']}: {b['why']}" for name, b in rows if b["kind"] in SAID}
    return said | ({shop.postgresql.halted} - {""})


def _compare(shop: Shop) -> None:
    """The documents are those that a replay of the log makes."""
    log = [event for stream in shop.streams for event in shop.postgresql.stream(stream)]
    found = shop.store[collection_name(shop.name, shop.live)].rows
    actual = {str(key): canonical(row) for key, (_, row) in found.items()}
    if lines := differences(replay(shop.projection, log, plain_unseal), actual):
        raise Failed("documents differ from the log: " + "\n".join(lines))


def _check_kafka(shop: Shop) -> None:
    """Every event is in Kafka, unless Kafka has lost some where nobody could see it: consumers have the log then."""
    if shop.broker.cut:
        return
    for stream in shop.streams:
        have = {record_id(record) for record in shop.broker.records[stream]}
        wanted = {str(event.event_id) for event in shop.postgresql.stream(stream)}
        if lost := wanted - have:
            raise Failed(f"{stream}: {len(lost)} events are counted as published and Kafka has never had them")


def record_id(record: Any) -> str:
    return dict(record.headers)["ce_id"].decode()
