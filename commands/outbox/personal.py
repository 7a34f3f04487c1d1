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

from acme.contracts.envelope import Sealed
from commands.outbox.models import DataSubjectKey

NONCE_BYTES = 12


def seal(subject: str, event_id: UUID, personal: dict[str, Any]) -> dict[str, str]:
    """JSON of a `Sealed` value; makes the subject's key at its first use."""
    DataSubjectKey.objects.bulk_create(
        [DataSubjectKey(subject=subject, key=AESGCM.generate_key(bit_length=256))], ignore_conflicts=True
    )
    key = bytes(DataSubjectKey.objects.values_list("key", flat=True).get(subject=subject))
    nonce = os.urandom(NONCE_BYTES)
    box = nonce + AESGCM(key).encrypt(nonce, msgspec.json.encode(personal), event_id.bytes)
    return {"subject": subject, "sealed": base64.b64encode(box).decode()}


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
