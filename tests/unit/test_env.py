"""Variables that cannot be used are named at start; what a proxy says counts only where there is one."""

from __future__ import annotations

from pathlib import Path

import pytest
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory

from acme.env import EnvironmentInvalid, read
from commands.customers.throttle import PerClient


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ACME_PROXIES", "-1"),
        ("ACME_PROXIES", "one"),
        ("ACME_PROXIES", "٢"),
        ("ACME_PROXIES", "100"),
        ("ACME_METRICS_PORT", "65536"),
        ("ACME_METRICS_PORT", "-1"),
        ("ACME_METRICS_PORT", "http"),
        ("ACME_ROLE", "both"),
        ("ACME_DEBUG", "perhaps"),
        ("ACME_CURRENCY", "gbp"),
        ("ACME_TIME_ZONE", "Mars/Olympus"),
    ],
)
def test_an_unusable_value_is_named(name: str, value: str, tmp_path: Path) -> None:
    with pytest.raises(EnvironmentInvalid, match=name):
        read({"ACME_HOME": str(tmp_path), name: value})


def test_the_number_of_proxies_is_none_unless_said(tmp_path: Path) -> None:
    assert read({"ACME_HOME": str(tmp_path)}).proxies == 0
    assert read({"ACME_HOME": str(tmp_path), "ACME_PROXIES": "2"}).proxies == 2


def test_without_a_proxy_nobody_chooses_the_address_that_failed_logins_are_counted_for() -> None:
    request = APIRequestFactory().post("/api/v1/auth/login", HTTP_X_FORWARDED_FOR="203.0.113.7")
    assert PerClient().subject(Request(request)) == "127.0.0.1"
