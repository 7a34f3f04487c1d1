"""The README's tour does what the README says: its commands are run, and what they print is compared."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

import pytest

from tests.e2e import tour
from tests.stack import ADMIN, Stack

pytestmark = pytest.mark.timeout(420)

README = tour.README.read_text()


def caught_up(stack: Stack, seconds: float = 180) -> None:
    """Returns when the documents show the demo shop, as the tour asks its reader to wait for."""
    deadline = time.monotonic() + seconds
    while True:
        rows = json.loads(stack.manage("projector", "lag", "--json").stdout)["projections"]
        behind = {row["projection"]: row["seconds"] for row in rows if row["seconds"] != 0}
        if rows and not behind:
            return
        assert time.monotonic() < deadline, behind
        time.sleep(0.2)


def test_the_readme_has_a_tour_that_shows_output() -> None:
    found = tour.steps(README)
    assert len(found) >= 9
    assert len([step for step in found if step.shown]) >= 8
    assert tour.tour(README).count("```bash") == len(found), "a block that would not be run"
    assert tour.tour(README).count("```text") == len([step for step in found if step.shown is not None])


def test_the_tour_gives_what_the_readme_says(acme_stack: Callable[..., Stack]) -> None:
    stack = acme_stack("--workers", "1")
    caught_up(stack)
    found = tour.steps(README)
    printed = tour.run([step.script for step in found], shop=stack.base_url, password=ADMIN["password"])
    assert len(printed) == len(found)
    for step, output in zip(found, printed, strict=True):
        assert tour.masked(output) == tour.masked(step.shown or ""), step.script


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ('"id":"01a20c5a-0df2-770c-921b-69791c772467"', '"id":"01a20c57-f04d-79c3-970e-fffa1d5add4f"'),
        ("As-Of: 2026-11-24T06:59:16.270000Z", "As-Of: 2026-12-01T10:00:00Z"),
        ('ETag: "4-b533fb24f6ff19b9"', 'ETag: "4-afd33e3ed3f1c2c1"'),
        ("Consistency-Token: kZQAAcQQAaIM_x", "Consistency-Token: k5QBAMQQAaIMWg-AeHO"),
        ('{"token":"orewzr7Cn3913PLprKGb0I"}', '{"token":"b9Z_mQ92r4IhucDtpgxWE6"}'),
    ],
)
def test_what_differs_from_run_to_run_is_masked(one: str, other: str) -> None:
    assert one != other
    assert tour.masked(one) == tour.masked(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("HTTP/1.1 201 Created", "HTTP/1.1 200 OK"),
        ('ETag: "4-b533fb24f6ff19b9"', 'ETag: "5-b533fb24f6ff19b9"'),
        ('"available":200', '"available":400'),
        ('"status":"placed"', '"status":"confirmed"'),
    ],
)
def test_what_matters_is_compared(one: str, other: str) -> None:
    assert tour.masked(one) != tour.masked(other)
