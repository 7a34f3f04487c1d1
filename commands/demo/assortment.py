"""What the demo shop sells, as data: departments, shelves, makers, goods with their price ranges and sizes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Shelf:
    """A category below a department. ``goods``: noun → cheapest and dearest price in whole pounds."""

    name: str
    code: str
    makers: tuple[str, ...]
    finishes: tuple[str, ...]
    goods: dict[str, tuple[int, int]]
    sizes: tuple[str, ...] = ()


DEPARTMENTS: dict[str, tuple[Shelf, ...]] = {
    "Kitchen": (
        Shelf(
            "Cookware",
            "COK",
            ("Harrow & Finch", "Ironmere", "Tolland"),
            ("Cast Iron", "Enamelled", "Copper", "Non-Stick"),
            {"Casserole": (45, 140), "Frying Pan": (19, 75), "Saucepan": (18, 70), "Griddle": (24, 60)},
            ("20 cm", "24 cm", "28 cm"),
        ),
        Shelf(
            "Knives",
            "KNI",
            ("Ironmere", "Sorrel Works"),
            ("Forged", "Damascus", "Everyday"),
            {"Chef's Knife": (28, 160), "Bread Knife": (18, 90), "Paring Knife": (9, 55), "Knife Block": (35, 110)},
        ),
        Shelf(
            "Bakeware",
            "BAK",
            ("Tolland", "Mill Lane"),
            ("Tinned Steel", "Silicone", "Stoneware"),
            {"Loaf Tin": (7, 22), "Cake Tin": (8, 28), "Baking Tray": (9, 26), "Pie Dish": (11, 32)},
        ),
    ),
    "Dining": (
        Shelf(
            "Tableware",
            "TAB",
            ("Mill Lane", "Ostrea", "Harrow & Finch"),
            ("Stoneware", "Porcelain", "Speckled", "Hand-Glazed"),
            {"Dinner Plate": (8, 28), "Cereal Bowl": (7, 22), "Mug": (6, 19), "Serving Dish": (18, 60)},
        ),
        Shelf(
            "Glassware",
            "GLA",
            ("Ostrea", "Clearwell"),
            ("Recycled", "Crystal", "Ribbed"),
            {"Wine Glass": (6, 32), "Tumbler": (4, 18), "Carafe": (16, 48), "Champagne Flute": (7, 30)},
        ),
        Shelf(
            "Table Linen",
            "LIN",
            ("Weald Weavers", "Mill Lane"),
            ("Washed Linen", "Organic Cotton", "Herringbone"),
            {"Tablecloth": (28, 95), "Napkin Set": (14, 42), "Table Runner": (16, 48), "Apron": (18, 46)},
        ),
    ),
    "Bedroom": (
        Shelf(
            "Bedding",
            "BED",
            ("Weald Weavers", "Northcot"),
            ("Percale", "Washed Linen", "Brushed Cotton"),
            {"Duvet Cover": (38, 160), "Pillowcase": (9, 35), "Fitted Sheet": (22, 85), "Bedspread": (48, 180)},
            ("Single", "Double", "King"),
        ),
        Shelf(
            "Blankets",
            "BLA",
            ("Northcot", "Fellside Wool"),
            ("Lambswool", "Merino", "Recycled Wool"),
            {"Throw": (32, 120), "Blanket": (45, 150), "Hot Water Bottle": (15, 38)},
        ),
    ),
    "Garden": (
        Shelf(
            "Garden Tools",
            "GDT",
            ("Sorrel Works", "Boxley"),
            ("Ash-Handled", "Stainless", "Carbon Steel"),
            {"Spade": (28, 75), "Hand Fork": (9, 28), "Secateurs": (16, 60), "Hoe": (22, 54), "Trowel": (8, 26)},
        ),
        Shelf(
            "Pots and Planters",
            "POT",
            ("Boxley", "Terra Vale"),
            ("Terracotta", "Zinc", "Glazed"),
            {"Planter": (14, 90), "Hanging Basket": (9, 34), "Window Box": (16, 58), "Watering Can": (18, 52)},
        ),
    ),
    "Outdoors": (
        Shelf(
            "Camping",
            "CAM",
            ("Ridgeway", "Fellside Wool"),
            ("Lightweight", "Expedition", "Weekend"),
            {"Tent": (90, 420), "Sleeping Bag": (45, 220), "Camping Stove": (28, 95), "Lantern": (16, 60)},
        ),
        Shelf(
            "Outdoor Clothing",
            "CLO",
            ("Ridgeway", "Fellside Wool", "Northcot"),
            ("Waterproof", "Merino", "Windproof"),
            {"Jacket": (70, 260), "Base Layer": (28, 85), "Fleece": (35, 110), "Beanie": (14, 34)},
            ("S", "M", "L", "XL"),
        ),
    ),
    "Stationery": (
        Shelf(
            "Notebooks",
            "NOT",
            ("Quire", "Paper & Reed"),
            ("Clothbound", "Leather", "Recycled"),
            {"Notebook": (6, 24), "Sketchbook": (9, 32), "Diary": (11, 30), "Photo Album": (18, 48)},
        ),
        Shelf(
            "Pens",
            "PEN",
            ("Quire", "Sorrel Works"),
            ("Brass", "Lacquered", "Walnut"),
            {"Fountain Pen": (24, 140), "Ballpoint Pen": (8, 42), "Pencil Set": (7, 26), "Desk Tidy": (14, 46)},
        ),
    ),
}

#: What a description is made of: one sentence of each.
OPENINGS = (
    "{finish} {noun} from {maker}, made to be used every day.",
    "A {noun} that {maker} has made in the same way for years: {finish}, plain and sturdy.",
    "{maker} designed this {finish} {noun} to last, and guarantees it for ten years.",
)
QUALITIES = (
    "It is finished by hand, so no two are quite alike.",
    "Parts can be bought and replaced one by one.",
    "It comes in a plain card box without any plastic.",
    "Customers like its weight and the way it ages.",
)
CARE = (
    "Wipe clean with a damp cloth.",
    "Wash before first use.",
    "Keep dry when it is not in use.",
    "Easy to care for.",
)
#: Where customers live; most at home.
COUNTRIES = ("GB",) * 14 + ("IE", "FR", "DE", "NL", "ES", "US")
