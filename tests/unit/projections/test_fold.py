"""Folding in memory: what is refused, what stands before it, and where an aggregate's section is."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest

from acme.contracts.carts import CartLineAdded
from acme.contracts.envelope import Envelope
from projections.registry import PROJECTIONS
from projections.runtime.fold import Fold, documents_of, fold_batch, group_by_aggregate
from projections.runtime.projection import Section
from tests.contract.history import History, plain_unseal

CARTS = PROJECTIONS["carts"]
STREAM = [event for event in History(seed=3).interleaved(1) if event.aggregate_type == "cart"]


def life(length: int) -> list[Envelope]:
    """The first events of one cart, at least so many."""
    found = next(events for events in group_by_aggregate(STREAM) if len(events) >= length)
    return found[:length]


def unknown(event: Envelope) -> Envelope:
    """The same, of a type that no code knows."""
    return msgspec.structs.replace(event, event_type="NobodyKnowsThis")


def folded(events: list[Envelope], stored: dict[str, Any] | None = None) -> Fold:
    return fold_batch(CARTS, group_by_aggregate(events), lambda key, path: dict(stored or {}), plain_unseal)


@pytest.mark.parametrize("good", [0, 1, 2])
def test_what_comes_before_a_refused_event_stands(good: int) -> None:
    events = life(3)
    poisoned = [*events[:good], unknown(events[good]), *events[good + 1 :]]
    fold = folded(poisoned)
    (refusal,) = fold.refusals
    assert (refusal.envelope, list(refusal.held)) == (poisoned[good], poisoned[good + 1 :])
    assert "NobodyKnowsThis" in refusal.error
    assert fold.applied == good
    assert [state.value["version"] for state in fold.sections.values()] == ([good] if good else [])


def test_a_refused_event_holds_up_no_other_aggregate() -> None:
    first, *others = (events[0] for events in group_by_aggregate(STREAM))
    fold = folded([unknown(first), *others])
    assert [refusal.envelope.aggregate_id for refusal in fold.refusals] == [first.aggregate_id]
    assert fold.applied == len(fold.sections) == len(others) > 1


def test_a_handler_that_fails_half_way_leaves_nothing() -> None:
    def half(instance: Any, section: dict[str, Any], event: Any, at: Any) -> None:
        section["lines"] = "half"
        raise ValueError("in the middle")

    events = [event for event in STREAM if event.event_type in {"CartCreated", "CartLineAdded"}]
    mine = next(group for group in group_by_aggregate(events) if len(group) > 1)[:2]
    broken = replace(CARTS, on={**CARTS.on, CartLineAdded.__name__: half})
    fold = fold_batch(broken, group_by_aggregate(mine), lambda key, path: {}, plain_unseal)
    (state,) = fold.sections.values()
    assert (state.value["version"], state.value["lines"]) == (1, [])
    assert ["in the middle" in refusal.error for refusal in fold.refusals] == [True]


def test_aggregates_of_two_kinds_with_one_id_are_two() -> None:
    first, second = (msgspec.structs.replace(life(1)[0], aggregate_type=kind) for kind in ("cart", "order"))
    assert list(group_by_aggregate([first, second, first])) == [[first, first], [second]]


# ---------------------------------------------------------------- where a section is
@pytest.mark.parametrize(
    ("key", "path", "one"),
    [
        ("{aggregate_id}", "cart", True),
        ("{aggregate}", "", True),
        ("all", "of.{aggregate_id}", True),
        ("{product_id}", "product", False),
        ("{aggregate_id}", "stock.{variant_id}", False),
    ],
)
def test_whether_all_events_of_an_aggregate_have_one_place(key: str, path: str, one: bool) -> None:
    assert Section(aggregate="cart", path=path, key=key).one_place is one


def test_of_the_declared_sections_only_stock_is_found_by_the_events_data() -> None:
    several = {(p.name, s.aggregate) for p in PROJECTIONS.values() for s in p.sections.values() if not s.one_place}
    assert several == {("products", "stock_item")}


def test_documents_of_one_owner_are_those_that_are_inserted_and_replaced() -> None:
    """Others may make those of the rest at the same time, or the store computes what is in them."""
    assert {p.name for p in PROJECTIONS.values() if p.has_one_owner} == {"carts", "orders", "stock", "categories"}


@pytest.mark.parametrize(
    ("key", "path", "alone"),
    [
        ("{aggregate_id}", "", True),
        ("{aggregate}", "cart", True),
        ("{product_id}", "cart", False),
        ("all", "of.{aggregate_id}", False),
        ("{aggregate_id}", "of.{variant_id}", False),
    ],
)
def test_a_document_that_several_may_change_has_no_one_owner(key: str, path: str, alone: bool) -> None:
    section = Section(aggregate="cart", path=path, key=key)
    assert replace(CARTS, sections={"cart": section}).has_one_owner is alone


def test_a_section_whose_place_changes_is_found_by_each_event() -> None:
    """Each event of this cart goes to the document of the product that it names."""
    moving = replace(CARTS, sections={"cart": Section(aggregate="cart", path="cart", key="{product_id}")}, on={})
    products = [uuid4(), uuid4()]
    events = [
        msgspec.structs.replace(event, event_type="CartLineAdded", data=_line(event, product), aggregate_version=1)
        for event, product in zip(life(2), products, strict=True)
    ]
    groups = group_by_aggregate(events)
    assert len(groups) == 1
    assert documents_of(moving, groups) == {str(product) for product in products}
    fold = fold_batch(moving, groups, lambda key, path: {}, plain_unseal)
    assert {document for document, _ in fold.sections} == {str(product) for product in products}
    assert not fold.refusals


def _line(event: Envelope, product: UUID) -> dict[str, Any]:
    return {
        "cart_id": str(event.aggregate_id),
        "product_id": str(product),
        "variant_id": str(product),
        "sku": "S",
        "name": "N",
        "quantity": 1,
        "unit_price": {"amount_minor": 1, "currency": "GBP"},
    }
