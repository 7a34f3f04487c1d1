"""Names and descriptions of the catalogue: in any script, without control characters, bounded."""

from __future__ import annotations

import unicodedata

from acme.errors import Invalid

DESCRIPTION_LENGTH = 50_000  # characters


def clean_line(text: str | None, *, pointer: str, max_length: int) -> str | None:
    """The text in one line, runs of blanks as one space; None when blank. Raises `Invalid`."""
    return _checked(" ".join((text or "").split()), pointer, max_length) or None


def required_line(text: str, *, pointer: str, max_length: int) -> str:
    """Like `clean_line`, but blank is `Invalid` too."""
    line = clean_line(text, pointer=pointer, max_length=max_length)
    if line is None:
        raise Invalid("must not be blank", code="required", pointer=pointer)
    return line


def clean_description(text: str) -> str:
    """Several lines, trimmed, ends of lines as ``\\n``; may be empty. Raises `Invalid`."""
    lines = "\n".join(line.rstrip() for line in text.replace("\t", " ").splitlines())
    return _checked(lines.strip(), "/description", DESCRIPTION_LENGTH)


def _checked(text: str, pointer: str, max_length: int) -> str:
    if len(text) > max_length:
        raise Invalid(f"at most {max_length} characters", code="too-long", pointer=pointer)
    # Cc: control characters, Cs: halves of a surrogate pair. PostgreSQL cannot store some of them at all.
    if any(unicodedata.category(character) in {"Cc", "Cs"} for character in text if character != "\n"):
        raise Invalid("control characters are not allowed", code="not-printable", pointer=pointer)
    return text
