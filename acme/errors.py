"""What the shop says no with: exceptions that become RFC 9457 problem documents (acme.http.problems).

Raised by handlers and queries alike; each class has a stable ``code`` and an HTTP status, an instance adds a detail
and, where one member of the input is at fault, a JSON pointer to it.
"""

from __future__ import annotations


class ShopError(Exception):
    """Base. ``pointer`` is a JSON pointer into the request body such as ``/lines/0/sku``, or None."""

    status = 400
    code = "bad-request"
    title = "The request cannot be carried out"

    def __init__(self, detail: str, *, code: str | None = None, pointer: str | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.pointer = pointer
        if code is not None:
            self.code = code


class Invalid(ShopError):
    """A member of the input breaks a rule that its type alone does not show."""

    status = 422
    code = "invalid"
    title = "The request breaks a rule"


class NotAuthenticated(ShopError):
    status = 401
    code = "not-authenticated"
    title = "Log in first"


class Forbidden(ShopError):
    status = 403
    code = "forbidden"
    title = "Not allowed"


class NotFound(ShopError):
    status = 404
    code = "not-found"
    title = "There is no such thing"


class Conflict(ShopError):
    """The aggregate's state does not allow the command."""

    status = 409
    code = "conflict"
    title = "The state does not allow this"


class StaleVersion(ShopError):
    status = 412
    code = "stale-version"
    title = "It has changed since it was read"


class VersionRequired(ShopError):
    status = 428
    code = "version-required"
    title = "If-Match is required"


class Busy(ShopError):
    """Serialization failures or deadlocks went on after all retries; the same request may succeed later."""

    status = 503
    code = "busy"
    title = "Try again in a moment"


class Unavailable(ShopError):
    """An engine that the request needs cannot be reached."""

    status = 503
    code = "unavailable"
    title = "An engine cannot be reached"
