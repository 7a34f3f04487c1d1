"""A real browser: Debian's chromium, driven by playwright. Tests are skipped where there is none on the machine."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.integration.conftest import _emptied_by_its_owner, _published_by_hand, point_mongodb, shop_database
from tests.integration.projections.conftest import shop

__all__ = ["_emptied_by_its_owner", "_published_by_hand", "point_mongodb", "shop", "shop_database"]
NAMES = ("chromium", "chromium-browser", "google-chrome")
SECONDS = 20
expect.set_options(timeout=SECONDS * 1000)


@pytest.fixture(scope="session")
def chromium() -> str:
    """Its path."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        pytest.skip(f"no browser on this machine: {', '.join(NAMES)} (apt-get install chromium)")
    return found


@pytest.fixture
def browser(chromium: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Browser]:
    # playwright runs a loop in this thread, and Django's guard takes every query beside one for a mistake.
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """One tab, with everything that its scripts complain of kept for the end."""
    opened = browser.new_page(viewport={"width": 1360, "height": 900})
    opened.set_default_timeout(SECONDS * 1000)
    complaints: list[str] = []
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    yield opened
    assert not complaints
