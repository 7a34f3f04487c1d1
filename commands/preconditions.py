"""The request headers of a command: If-Match and Idempotency-Key."""

from __future__ import annotations

import re
from dataclasses import dataclass

from rest_framework.request import Request

from acme.http.problems import header_invalid

#: An entity tag of ours: the version, perhaps with a digest of the representation; weak after gzip.
_TAG = re.compile(r'(?:W/)?"([0-9]{1,18})(?:-[\x21\x23-\x7e]*)?"')
_KEY = re.compile(r"[\x20-\x7e]{1,200}")


@dataclass(frozen=True)
class IfMatch:
    """What If-Match asked for. ``version`` is None for ``*``, which any version of an existing thing matches."""

    version: int | None


def if_match(request: Request) -> IfMatch | None:
    """The header's version alone (a digest is not compared); None without the header. A malformed one is a 400.

    Of several tags all must name the same version: a command changes one version of one aggregate.
    """
    header = request.headers.get("If-Match")
    if header is None:
        return None
    if header.strip() == "*":
        return IfMatch(None)
    found = [_TAG.fullmatch(tag.strip()) for tag in header.split(",")]
    versions = {int(match[1]) for match in found if match}
    if None in found or len(versions) != 1:
        raise header_invalid("If-Match", 'must be the entity tag of one version, such as "7"')
    return IfMatch(versions.pop())


def idempotency_key(request: Request, *, required: bool) -> str | None:
    """The client's own key of this request. Missing where required, or malformed: a 400."""
    key = request.headers.get("Idempotency-Key")
    if key is None:
        if required:
            raise header_invalid(
                "Idempotency-Key", "is required: a key of your own for this request", code="idempotency-key-required"
            )
        return None
    if not _KEY.fullmatch(key):
        raise header_invalid("Idempotency-Key", "must be 1 to 200 printable ASCII characters")
    return key
