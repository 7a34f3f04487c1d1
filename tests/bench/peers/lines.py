"""The line that each peer adds to a cart, as big as that of `tests.bench.events`."""

import uuid


def new_line() -> dict:
    return {
        "product_id": str(uuid.uuid4()),
        "variant_id": str(uuid.uuid4()),
        "sku": "SKU-2",
        "name": "A product of a benchmark, of some size",
        "quantity": 2,
        "unit_price": {"amount_minor": 1299, "currency": "GBP"},
    }
