from __future__ import annotations

import itertools

import pytest

from acme.errors import Conflict
from commands.catalog.lifecycle import Status, change_status
from commands.catalog.models import Product

ALLOWED = {("draft", "published"), ("published", "draft"), ("draft", "archived"), ("published", "archived")}


@pytest.mark.parametrize(("current", "target"), list(itertools.product(Status, Status)))
def test_every_pair_of_states(current: Status, target: Status) -> None:
    product = Product(status=current.value)
    if current == target:
        assert not change_status(product, target)
    elif (current.value, target.value) in ALLOWED:
        assert change_status(product, target)
        assert product.status == target
    else:
        with pytest.raises(Conflict, match=f"is {current.value} and cannot become {target.value}") as caught:
            change_status(product, target)
        assert caught.value.code == "wrong-state"
        assert product.status == current
