"""Reading numbers, amounts, moments and countries strictly: what is doubtful is refused, never guessed."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Context, Decimal, Inexact
from functools import lru_cache

import pycountry

from acme.http.fields import has_control_characters
from acme.money import digits
from commands.importing.rejects import Refused
from commands.texts import COUNTRY_LENGTH

MOST_PIECES = 2**31 - 1  # of one line; what PostgreSQL's integer holds
_WHOLE = re.compile(r"[+-]?[0-9]{1,30}(\.0+)?", re.ASCII)
_DECIMAL = re.compile(r"[+-]?([0-9]{1,30}(\.[0-9]{0,30})?|\.[0-9]{1,30})", re.ASCII)
_AMERICAN = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4}) (\d{1,2}):(\d{2})(?::(\d{2}))?", re.ASCII)
#: Wide enough for every number that `_DECIMAL` lets through, and loud if that should ever be wrong.
_EXACT = Context(prec=200, traps=[Inexact])
#: Names of countries in the wild that ISO 3166 does not know as such.
_ALIASES = {"EIRE": "IE", "RSA": "ZA"}


def whole_number(text: str, column: str) -> int:
    """An integer; "6.0" is one too. Raises `Refused`."""
    cleaned = text.strip()
    if not _WHOLE.fullmatch(cleaned):
        raise Refused(f"{column} is not a whole number")
    return int(cleaned.partition(".")[0])


def decimal_number(text: str, column: str) -> Decimal:
    """A plain decimal with a point, no exponent, no separators. Raises `Refused`."""
    cleaned = text.strip()
    if not _DECIMAL.fullmatch(cleaned):
        raise Refused(f"{column} is not a decimal number")
    return Decimal(cleaned)


def rounded_minor(amount: Decimal, currency: str, *, times: int = 1) -> int:
    """amount × times in minor units of the currency, rounded half up (away from zero) once, at the end."""
    exact = _EXACT.scaleb(_EXACT.multiply(amount, Decimal(times)), digits(currency))
    return int(exact.to_integral_value(rounding=ROUND_HALF_UP))


def moment(text: str, column: str) -> datetime:
    """A date with time as ISO 8601 (UTC unless it says otherwise) or month/day/year hour:minute; in UTC.
    Raises `Refused`."""
    cleaned = text.strip()
    try:
        american = _AMERICAN.fullmatch(cleaned)
        if american:
            month, day, year, hour, minute, second = (int(part or 0) for part in american.groups())
            return datetime(year, month, day, hour, minute, second, tzinfo=UTC)
        found = datetime.fromisoformat(cleaned)
        found = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise Refused(f"{column} is not a date with time") from error
    return found


@lru_cache(maxsize=1024)
def country(text: str) -> str | None:
    """The ISO 3166 alpha-2 code where the text is a country's name or code, else the text; None when blank.
    Raises `Refused`."""
    cleaned = text.strip()
    if not cleaned:
        return None
    if len(cleaned) > COUNTRY_LENGTH or has_control_characters(cleaned):
        raise Refused(f"Country has more than {COUNTRY_LENGTH} characters, or unprintable ones")
    alias = _ALIASES.get(cleaned.upper())
    if alias or cleaned.isdigit():
        return alias or cleaned
    try:
        return str(pycountry.countries.lookup(cleaned).alpha_2)
    except LookupError:
        return cleaned


def printable_line(text: str, max_length: int) -> str:
    """Decoration such as a description: in one line, without control characters, cut; never a reason to refuse."""
    line = " ".join(text.split())
    if not line.isprintable():
        line = "".join(character for character in line if not has_control_characters(character))
    return line[:max_length].strip()
