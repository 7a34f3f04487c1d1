"""Cleaning of free text that people type: trimmed, bounded, without control characters; blank means not given."""

from __future__ import annotations

from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from acme.errors import Invalid
from acme.http.fields import has_control_characters

EMAIL_LENGTH = 254
NAME_LENGTH = 200
COUNTRY_LENGTH = 60


def clean_text(text: str | None, *, pointer: str, max_length: int) -> str | None:
    """The text trimmed, None when blank. Raises `Invalid`: too many characters, or control characters."""
    cleaned = (text or "").strip()
    if len(cleaned) > max_length:
        raise Invalid(f"at most {max_length} characters", code="too-long", pointer=pointer)
    if has_control_characters(cleaned):
        raise Invalid("control characters are not allowed", code="not-printable", pointer=pointer)
    return cleaned or None


def clean_name(name: str | None, *, pointer: str = "/name") -> str | None:
    """A person's name, or None."""
    return clean_text(name, pointer=pointer, max_length=NAME_LENGTH)


def clean_email(email: str | None, *, pointer: str = "/email") -> str | None:
    """An e-mail address in lower case, or None. Raises `Invalid` when it is none."""
    cleaned = clean_text(email, pointer=pointer, max_length=EMAIL_LENGTH)
    if cleaned is None:
        return None
    try:
        validate_email(cleaned)
    except ValidationError as error:
        raise Invalid("not an e-mail address", code="not-an-email", pointer=pointer) from error
    return cleaned.lower()


def clean_country(country: str | None, *, pointer: str = "/country") -> str | None:
    """An ISO 3166 alpha-2 code (put in upper case), a country's name as given, or None."""
    cleaned = clean_text(country, pointer=pointer, max_length=COUNTRY_LENGTH)
    return cleaned.upper() if cleaned is not None and len(cleaned) == 2 else cleaned


def id_text(value: UUID | None) -> str | None:
    """An id as JSON has it."""
    return None if value is None else str(value)
