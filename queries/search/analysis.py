"""How text becomes terms: once when a product document is written, and the same way when a query is asked."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

_WORD = re.compile(r"\w+", re.UNICODE)
MAX_TERMS = 400
MAX_TERM_LENGTH = 40


def fold(text: str) -> str:
    """Case-folded and without accents (NFKD, combining marks removed), so that "Café" is found by "cafe"."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(char for char in decomposed if not unicodedata.combining(char))


def terms(texts: Iterable[str | None]) -> list[str]:
    """Distinct terms in order of appearance, at most MAX_TERMS of at most MAX_TERM_LENGTH characters."""
    found: dict[str, None] = {}
    for text in texts:
        for word in _WORD.findall(fold(text or "")):
            found.setdefault(word[:MAX_TERM_LENGTH])
    return list(found)[:MAX_TERMS]
