"""Personal data in the log: AES-256-GCM under one key per data subject, so that erasure is one deleted key.

The event id is the additional authenticated data: a sealed value cannot be moved to another event.
"""

from __future__ import annotations

import base64
import os
from typing import Any
from uuid import UUID

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.db import DatabaseError, connection

from acme.contracts.envelope import Sealed
from commands.outbox.models import DataSubjectKey

NONCE_BYTES = 12
#: Makes the key, or reads the one that is there. Neither row comes where somebody else made it at this very moment.
KEY_OF = """
WITH made AS (INSERT INTO data_subject_key (subject, key) VALUES (%s, %s) ON CONFLICT DO NOTHING RETURNING key)
SELECT key FROM made
UNION ALL SELECT key FROM data_subject_key WHERE subject = %s AND NOT EXISTS (SELECT FROM made)
"""
TRIES = 5


def seal(subject: str, event_id: UUID, personal: dict[str, Any]) -> dict[str, str]:
    """JSON of a `Sealed` value; makes the subject's key at its first use."""
    key = _key_of(subject)
    nonce = os.urandom(NONCE_BYTES)
    box = nonce + AESGCM(key).encrypt(nonce, msgspec.json.encode(personal), event_id.bytes)
    return {"subject": subject, "sealed": base64.b64encode(box).decode()}


def _key_of(subject: str) -> bytes:
    """The subject's key, in one statement. Another transaction's key is seen by the next statement, once it is in."""
    with connection.cursor() as cursor:
        for _ in range(TRIES):
            cursor.execute(KEY_OF, [subject, AESGCM.generate_key(bit_length=256), subject])
            row = cursor.fetchone()
            if row is not None:
                return bytes(row[0])
    raise DatabaseError(f"the key of {subject} is made and deleted again and again")


class DataSubjectKeys:
    """Implements `acme.ports.SubjectKeys`."""

    def unseal(self, sealed: Sealed, event_id: UUID) -> dict[str, Any] | None:
        key = DataSubjectKey.objects.filter(subject=sealed.subject).values_list("key", flat=True).first()
        if key is None:
            return None
        box = base64.b64decode(sealed.sealed)
        try:
            plain = AESGCM(bytes(key)).decrypt(box[:NONCE_BYTES], box[NONCE_BYTES:], event_id.bytes)
        except InvalidTag as error:
            raise ValueError(f"personal data of event {event_id} does not open with the key of its subject") from error
        personal: dict[str, Any] = msgspec.json.decode(plain)
        return personal
