"""Slows down guessing of passwords: counts *failed* logins per e-mail address and per client address.

The counts live in Django's cache of this process, so several web processes allow that many failures each; it is a brake
on guessing, not the lock. Successful logins are never counted.
"""

from __future__ import annotations

import hashlib
from typing import Any

from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle


class FailedLogins(SimpleRateThrottle):
    """Base: refuses once too many failures were counted for what `subject` answers."""

    rate = ""

    def subject(self, request: Request) -> str:
        raise NotImplementedError

    def get_cache_key(self, request: Request, view: Any) -> str:
        subject = hashlib.sha256(self.subject(request).encode()).hexdigest()
        return self.cache_format % {"scope": type(self).__name__, "ident": subject}

    def throttle_success(self) -> bool:
        """Unlike REST framework's, counts nothing: the login may well be right."""
        return True

    def count_failure(self, request: Request) -> None:
        """Counts one failure; call it when the login was refused."""
        key = self.get_cache_key(request, None)
        since = self.timer() - self.duration
        failures = [moment for moment in self.cache.get(key, []) if moment > since]
        self.cache.set(key, [self.timer(), *failures][: self.num_requests], self.duration)


class PerEmail(FailedLogins):
    rate = "10/min"

    def subject(self, request: Request) -> str:
        email = request.data.get("email") if isinstance(request.data, dict) else None
        return str(email).strip().lower()


class PerClient(FailedLogins):
    """Behind proxies ACME_PROXIES says how many entries of X-Forwarded-For are theirs; without, it is not believed."""

    rate = "60/min"

    def subject(self, request: Request) -> str:
        return self.get_ident(request)
