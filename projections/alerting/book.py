"""The book in MongoDB, collection `projection_alerts`: each cause that holds or held lately, and who was told when.

One document per cause: {_id: key, kind, projection, severity, summary, details, patience, mark, opened_at, held_since,
last_seen_at, missed_at, closed_at, returned, told: {channel: at}, sent: {channel: messages}, claims: {channel: {token,
until}}, failures: {channel: {count, at, reason}}}. Every change that matters names what was read, so that of two checks
at once one sends; a claim whose owner died lapses, and the same message (the same id) is sent again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from pymongo.database import Database
from pymongo.errors import DuplicateKeyError

from acme.alert_settings import AlertSettings
from projections.alerting.cause import Assessment, Cause, Kind
from projections.alerting.message import Message, message_id
from projections.alerting.telling import CLAIM, OPEN, Due, Standing, due_state, is_over

COLLECTION = "projection_alerts"
Row = dict[str, Any]
_ABSENT = {"$exists": False}


@dataclass(frozen=True, kw_only=True)
class BookClaim:
    """The token that stands in the document while the message is sent."""

    key: str
    token: str


class Book:
    """Of one shop. Raises pymongo's errors; a check that breaks off is made good by the next."""

    def __init__(self, store: Database[Row], settings: AlertSettings) -> None:
        self._rows, self._settings = store[COLLECTION], settings

    def note(self, assessment: Assessment, now: datetime) -> None:
        mine = [cause for cause in assessment.causes if cause.kind is not Kind.READ_STORE]
        for cause in mine:
            self._seen(cause, now)
        keys = [row["_id"] for row in self._rows.find({"closed_at": _ABSENT}, {"_id": 1})]
        absent = sorted(set(keys) - {cause.key for cause in mine})
        gone = [key for key in absent if assessment.knows(key)]
        # Of two looks that make it "over" both must have known, with nothing in between of which nobody knew.
        doubtful = {
            "_id": {"$in": [key for key in absent if not assessment.knows(key)]},
            "missed_at": {"$exists": True},
        }
        self._rows.update_many({**doubtful, "last_seen_at": {"$lt": now}}, {"$unset": {"missed_at": ""}})
        if not gone:
            return
        unseen = {"_id": {"$in": gone}, "last_seen_at": {"$lt": now}}
        # What nobody was told, and nobody is being told, may be forgotten.
        self._rows.delete_many({**unseen, "told": {}, "sent": {}, "claims": {}})
        self._rows.update_many({**unseen, "missed_at": _ABSENT}, {"$set": {"missed_at": now}})

    def _seen(self, cause: Cause, now: datetime) -> None:
        begun = {"opened_at": cause.since or now, "held_since": now}
        back = {"$set": begun, "$inc": {"returned": 1}, "$unset": {"closed_at": "", "missed_at": ""}}
        self._rows.update_one({"_id": cause.key, "closed_at": {"$exists": True}}, back)
        interrupted = [{"mark": {"$ne": cause.mark}}, {"missed_at": {"$exists": True}}]
        self._rows.update_one({"_id": cause.key, "told": {}, "$or": interrupted}, {"$set": {"held_since": now}})
        said = {
            "kind": str(cause.kind),
            "projection": cause.projection,
            "severity": cause.severity,
            "summary": cause.summary,
            "details": cause.details,
            "patience": cause.patience,
            "mark": cause.mark,
        }
        new: Row = {**begun, "returned": 0, "told": {}, "sent": {}, "claims": {}, "failures": {}}
        change = {"$set": said, "$max": {"last_seen_at": now}, "$unset": {"missed_at": ""}, "$setOnInsert": new}
        try:
            self._rows.update_one({"_id": cause.key}, change, upsert=True)
        except DuplicateKeyError:  # another check was faster with the insert
            self._rows.update_one({"_id": cause.key}, change)

    def due(self, channels: tuple[str, ...], assessment: Assessment, now: datetime) -> list[Due]:
        held = {cause.key for cause in assessment.causes}
        found = []
        for row in self._rows.find({"closed_at": _ABSENT}).sort("opened_at"):
            judged = row["_id"] in held if row.get("missed_at") is None else assessment.knows(row["_id"])
            for channel in channels if judged else ():
                state = due_state(standing(row), channel, now, self._settings)
                if state is not None:
                    failures = row["failures"].get(channel, {}).get("count", 0)
                    message = self._message(row, channel, state, now)
                    found.append(Due(channel=channel, message=message, failures=failures))
        return sorted(found, key=lambda due: due.failures)

    def _message(self, row: Row, channel: str, state: str, now: datetime) -> Message:
        number = row["sent"].get(channel, 0)
        return Message(
            id=message_id(self._settings.shop, row["_id"], row["opened_at"], state, number),
            key=row["_id"],
            kind=row["kind"],
            state=state,
            severity=row["severity"],
            summary=row["summary"],
            details=row["details"],
            projection=row["projection"],
            opened_at=row["opened_at"],
            at=now,
            shop=self._settings.shop,
        )

    def claim(self, due: Due, now: datetime) -> BookClaim | None:
        """Under exactly the circumstances in which it was found due, and if nobody else has it."""
        row = self._rows.find_one({"_id": due.message.key, "closed_at": _ABSENT})
        state = due.message.state
        if row is None or due_state(standing(row), due.channel, now, self._settings) != state:
            return None
        held = row["claims"].get(due.channel)
        if held is not None and held["until"] > now:
            return None
        told = row["told"].get(due.channel)
        token = str(uuid4())
        as_read: Row = {
            "_id": row["_id"],
            "closed_at": _ABSENT,
            "missed_at": _ABSENT if state == OPEN else row["missed_at"],
            f"told.{due.channel}": _ABSENT if told is None else told,
            f"claims.{due.channel}.token": _ABSENT if held is None else held["token"],
        }
        change = {"$set": {f"claims.{due.channel}": {"token": token, "until": now + CLAIM}}}
        if not self._rows.update_one(as_read, change).modified_count:
            return None
        return BookClaim(key=row["_id"], token=token)

    def sent(self, claim: BookClaim, due: Due, now: datetime) -> None:
        done = {f"claims.{due.channel}": "", f"failures.{due.channel}": ""}
        change: Row = {"$inc": {f"sent.{due.channel}": 1}, "$unset": done}
        if due.message.state == OPEN:
            change["$set"] = {f"told.{due.channel}": now}
        else:
            done[f"told.{due.channel}"] = ""
        self._rows.update_one({"_id": claim.key, f"claims.{due.channel}.token": claim.token}, change)

    def failed(self, claim: BookClaim, due: Due, now: datetime, reason: str) -> None:
        note = {"count": due.failures + 1, "at": now, "reason": reason}
        self._rows.update_one(
            {"_id": claim.key, f"claims.{due.channel}.token": claim.token},
            {"$unset": {f"claims.{due.channel}": ""}, "$set": {f"failures.{due.channel}": note}},
        )

    def close(self, channels: tuple[str, ...], assessment: Assessment, now: datetime) -> None:
        """Ends what is over and of which every channel knows; forgets it when its return would be news again."""
        for row in self._rows.find({"closed_at": _ABSENT, "missed_at": {"$exists": True}}):
            waits = any(channel in row["told"] or channel in row["claims"] for channel in channels)
            if not waits and assessment.knows(row["_id"]) and is_over(standing(row), now, self._settings):
                as_read = {"_id": row["_id"], "missed_at": row["missed_at"], "closed_at": _ABSENT}
                forgotten: Row = {"closed_at": now, "told": {}, "claims": {}, "failures": {}}
                self._rows.update_one(as_read, {"$set": forgotten})
        old = now - timedelta(seconds=self._settings.repeat)
        self._rows.delete_many({"closed_at": {"$lt": old}})

    def entries(self) -> list[Row]:
        """What holds or was not yet told to be over, oldest first."""
        return list(self._rows.find({"closed_at": _ABSENT}).sort("opened_at"))


def standing(row: Row) -> Standing:
    """A document as the decisions want it."""
    return Standing(
        held_since=row["held_since"],
        patience=row["patience"],
        missed_at=row.get("missed_at"),
        told=row["told"],
        returned=row["returned"],
    )
