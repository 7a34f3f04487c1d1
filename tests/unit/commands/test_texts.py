"""Cleaning of what people type."""

from __future__ import annotations

import pytest

from acme.errors import Invalid
from commands.texts import clean_country, clean_email, clean_name


@pytest.mark.parametrize(("given", "kept"), [(" Zoë　Ōe ", "Zoë　Ōe"), ("", None), ("  ", None), (None, None)])
def test_names_in_any_script(given: str | None, kept: str | None) -> None:
    assert clean_name(given) == kept


@pytest.mark.parametrize("name", ["a\0b", "a\nb", "x" * 201, "\ud800"])
def test_names_that_cannot_be_kept(name: str) -> None:
    with pytest.raises(Invalid) as caught:
        clean_name(name)
    assert caught.value.pointer == "/name"


def test_emails_in_lower_case_and_country_codes_in_upper() -> None:
    assert clean_email(" A.B@Example.ORG ") == "a.b@example.org"
    assert (clean_country("ie"), clean_country("Channel Islands")) == ("IE", "Channel Islands")
