"""An operator's way with dead letters in a real browser and with a real worker: find, read, retry, see them gone."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest
from playwright.sync_api import Page, expect

from acme.contracts.base import Event
from commands.customers.models import User
from projections.registry import PROJECTIONS
from projections.runtime.projection import Projection
from tests.integration.projections.conftest import Shop, wait_until

# Asked for first, so that without a browser no engine is started.
pytestmark = [pytest.mark.usefixtures("chromium"), pytest.mark.timeout(180)]
EMAIL, PASSWORD = "operator@acme.test", "correct-horse-battery"


def poisoned(victims: set[UUID]) -> Projection:
    """Products, with a defect that refuses every price of these."""
    good = PROJECTIONS["products"]

    def failing(instance: Any, section: dict[str, Any], event: Event, at: datetime) -> None:
        if event.aggregate_id in victims:
            raise ZeroDivisionError("poison")
        good.on["PriceSet"](instance, section, event, at)

    return replace(good, on={**good.on, "PriceSet": failing})


@pytest.fixture
def victims(shop: Shop, point_mongodb: Callable[[str | None], None]) -> set[UUID]:
    """Products whose prices fail in a running worker, until they are taken out of this set."""
    point_mongodb(shop.mongo.url)
    shop.act(40)
    chosen = {product for product, _ in shop.products[:2]}
    shop.worker("products", projection=poisoned(chosen))
    wait_until(lambda: len(shop.store["projection_dead_letters"].distinct("aggregate")) == 2, 60)
    return chosen


@pytest.fixture
def index(live_server: Any, page: Page, victims: set[UUID]) -> Page:
    """The admin's first page, after the login page."""
    User.objects.create_superuser(EMAIL, PASSWORD)
    page.goto(f"{live_server.url}/admin/")
    page.get_by_label("Email").fill(EMAIL)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    return page


def open_first_failing(page: Page) -> None:
    """From the first page to the letter: list, group, and the letter that failed itself."""
    page.get_by_role("link", name="Dead letters", exact=True).first.click()
    groups = page.locator("table.groups tbody tr")
    expect(groups).to_have_count(1)
    expect(groups).to_contain_text("ZeroDivisionError: poison")
    fingerprint = groups.locator("code").inner_text()
    groups.get_by_role("link", name=fingerprint).click()
    expect(page.get_by_label("Fingerprint")).to_have_value(fingerprint)
    page.locator("#result_list tbody tr", has_text="ZeroDivisionError").first.get_by_role("link").first.click()
    expect(page.locator("pre.code", has_text="in failing")).to_be_visible()


def test_a_letter_is_retried_and_gone(shop: Shop, victims: set[UUID], index: Page) -> None:
    letters = shop.store["projection_dead_letters"]
    open_first_failing(index)
    index.get_by_role("button", name="its fingerprint").click()
    expect(index.locator(".standing")).to_contain_text("2 failed again")  # the page looks again by itself
    assert letters.count_documents({"state": "parked", "outcome.result": "failed"}) == 2

    victims.clear()
    open_first_failing(index)
    total = letters.count_documents({})
    index.get_by_role("link", name=f"its fingerprint ({total})", exact=True).click()  # a dry run
    expect(index.locator(".standing")).to_contain_text(f"{total} of {total} letters would be applied")
    if shots := os.environ.get("ACME_SHOTS"):
        index.screenshot(path=f"{shots}/dry-run.png", full_page=True)
    index.go_back()
    index.get_by_role("button", name=f"its fingerprint ({total})").click()
    expect(index.locator(".state.running", has_text="done")).to_be_visible()
    expect(index.locator(".facts div", has_text="Done").first).to_contain_text(str(total))
    index.get_by_role("link", name="Dead letters of products").click()
    expect(index.get_by_text("None that match the filter.")).to_be_visible()
    shop.settled("products")
    index.get_by_role("link", name="Requests", exact=True).first.click()
    expect(index.locator("#result_list tbody tr")).to_have_count(2)
    expect(index.locator("#result_list tbody tr", has_text=EMAIL)).to_have_count(2)
