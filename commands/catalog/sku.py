"""The rule for SKUs: they stand in URLs and on labels, differ by case, and are never given out twice."""

from __future__ import annotations

from acme.errors import Invalid

SKU_LENGTH = 100
# Clients take these out of a URL's path before they send it, so such a SKU could not be addressed.
DOTS = {".", ".."}


def check_sku(sku: str, *, pointer: str = "/sku") -> None:
    """1 to 100 printable characters, no "/", no blanks at the ends. Raises `Invalid`."""
    if not 1 <= len(sku) <= SKU_LENGTH:
        raise Invalid(f"a SKU has 1 to {SKU_LENGTH} characters", code="invalid-sku", pointer=pointer)
    if not sku.isprintable() or "/" in sku or sku in DOTS:
        raise Invalid('a SKU has printable characters other than "/"', code="invalid-sku", pointer=pointer)
    if sku != sku.strip():
        raise Invalid("a SKU neither starts nor ends with a blank", code="invalid-sku", pointer=pointer)
