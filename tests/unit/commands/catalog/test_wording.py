from __future__ import annotations

import pytest

from acme.errors import Invalid
from commands.catalog.wording import clean_description, clean_line, required_line


def test_a_line_is_trimmed_and_in_one_line() -> None:
    assert clean_line("  Café\u00a0 au\n lait ", pointer="/name", max_length=20) == "Café au lait"
    assert clean_line("می‌خواهم 👩‍🚀", pointer="/name", max_length=20) == "می‌خواهم 👩‍🚀"
    assert clean_line(" \t", pointer="/name", max_length=20) is None
    assert clean_line(None, pointer="/name", max_length=20) is None


@pytest.mark.parametrize("text", ["a\x00b", "a\x07b", "a\x7fb", "\ud83d"])
def test_control_characters_and_half_characters_are_refused(text: str) -> None:
    with pytest.raises(Invalid) as caught:
        clean_line(text, pointer="/brand", max_length=20)
    assert (caught.value.code, caught.value.pointer) == ("not-printable", "/brand")
    with pytest.raises(Invalid):
        clean_description(text)


def test_too_long_and_blank() -> None:
    assert required_line("x" * 20, pointer="/name", max_length=20) == "x" * 20
    with pytest.raises(Invalid) as caught:
        required_line("x" * 21, pointer="/name", max_length=20)
    assert caught.value.code == "too-long"
    with pytest.raises(Invalid) as caught:
        required_line("  ", pointer="/name", max_length=20)
    assert caught.value.code == "required"


def test_a_description_keeps_its_lines() -> None:
    assert clean_description("\r\n one\ttwo  \r\n\r\nthree \n") == "one two\n\nthree"
    assert clean_description("") == ""
