"""`manage.py import_products` on PostgreSQL: the template, Livostyle, a second run."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command

from acme.env import env
from commands.states import StateTables
from tests.integration.commands.shop import everything
from tests.integration.importing.runs import content, id_of, rejected, run, state_of

pytestmark = pytest.mark.django_db
LIVOSTYLE = env.data / "livostyle_products_2766.csv.gz"
TEMPLATE = """sku,name,price,currency,description,brand,category,variant,variant_of,stock
MUG-W,Enamel Mug,12.50,,"Two
lines",Tolland,Kitchen > Mugs,white,,40
MUG-B,,13,GBP,,,,blue,MUG-W,
TIN,Loaf Tin,9.99,EUR,,,kitchen,,,
MUG-B,Again,1,,,,,,,
SPOON,Spoon,1.005,,,,,,,
FORK,,1,,,,,,,
LID,Lid,2,,,,,,POT,
KNIFE,Knife,20,,,,Kitchen > Knives,,,7
"""


def test_the_template(tmp_path: Path) -> None:
    path = tmp_path / "products.csv"
    path.write_text(TEMPLATE)
    code, summary = run("import_products", path)
    assert code == 1
    assert summary.pop("seconds") >= 0
    assert summary == {
        "format": "csv",
        "products": 3,
        "variants": 1,
        "categories": 3,
        "stocked": 2,
        "already_there": 0,
        "rejected": 4,
    }
    mug = state_of("product", name="Enamel Mug")
    assert (mug["description"], mug["brand"], mug["status"]) == ("Two\nlines", "Tolland", "published")
    assert [(each["sku"], each["name"], each["prices"]) for each in mug["variants"]] == [
        ("MUG-W", "white", {"GBP": 1250}),
        ("MUG-B", "blue", {"GBP": 1300}),
    ]
    kitchen, mugs = id_of("category", name="Kitchen"), state_of("category", name="Mugs")
    assert (mugs["parent_id"], mug["category_id"]) == (str(kitchen), str(id_of("category", name="Mugs")))
    assert state_of("product", name="Loaf Tin")["category_id"] == str(kitchen)
    assert {state["sku"]: state["on_hand"] for _, state in content("stock_item")} == {"MUG-W": 40, "KNIFE": 7}
    assert sorted(rejected(tmp_path / "products.csv.rejected.csv")) == [
        (6, "the SKU stands in line 4 already"),
        (7, "price: GBP has 2 decimals."),
        (8, "name: must not be blank"),
        (9, "variant_of: there is no SKU POT, here or in an earlier row"),
    ]


@pytest.mark.parametrize("batch", ["1", "100"])
def test_a_second_run_changes_nothing(tmp_path: Path, batch: str) -> None:
    path = tmp_path / "products.csv"
    path.write_text(TEMPLATE)
    run("import_products", path, "--batch", batch)
    before = everything()
    code, summary = run("import_products", path)
    assert (code, summary["products"], summary["variants"], summary["stocked"]) == (1, 0, 0, 0)
    assert (summary["already_there"], summary["rejected"]) == (4, 4)
    assert everything() == before


def test_the_wrong_format_is_a_usage_error(tmp_path: Path) -> None:
    path = tmp_path / "products.csv"
    path.write_text(TEMPLATE)
    with pytest.raises(CommandError, match="the header has no handle") as caught:
        call_command("import_products", str(path), "--format", "livostyle")
    assert caught.value.returncode == 2


@pytest.mark.skipif(not LIVOSTYLE.exists(), reason=f"{LIVOSTYLE} is absent (set ACME_DATA)")
def test_the_livostyle_catalogue(tmp_path: Path) -> None:
    code, summary = run("import_products", LIVOSTYLE, "--rejects", str(tmp_path / "rejected.csv"))
    assert (code, summary["format"], summary["products"], summary["rejected"]) == (0, "livostyle", 2766, 0)
    product = state_of("product", name="Openwork V-Neck Slit Cover-Up")
    (variant,) = product["variants"]
    assert (variant["sku"], variant["prices"]) == ("openwork-v-neck-slit-cover-up", {"USD": 2899})
    path, category_id = [], product["category_id"]
    while category_id is not None:
        category = StateTables().state("category", UUID(category_id))
        assert category is not None
        path.insert(0, category["name"])
        category_id = category["parent_id"]
    assert path == ["Apparel & Accessories", "Clothing", "Swimwear", "Cover Ups"]
    assert content("stock_item") == []
