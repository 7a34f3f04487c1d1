"""factory-boy factories of the demo shop's commands: they build commands, and nothing of them touches a table."""

from __future__ import annotations

import factory
from factory import fuzzy
from slugify import slugify

from acme.contracts.base import Money
from acme.env import env
from commands.catalog.create_product import CreateProduct
from commands.catalog.variants import NewVariant
from commands.customers.import_customer import ImportCustomer
from commands.demo.assortment import CARE, COUNTRIES, OPENINGS, QUALITIES, Shelf
from commands.inventory.receive_stock import ReceiveStock

#: Prices that end as prices do.
ENDINGS = (0, 50, 95, 99)


class VariantFactory(factory.Factory[NewVariant]):
    """``pounds``: about what it costs, in whole units."""

    class Meta:
        model = NewVariant

    class Params:
        pounds = 20
        ending = fuzzy.FuzzyChoice(ENDINGS)

    name = ""
    price = factory.LazyAttribute(lambda made: Money(max(made.pounds * 100 - 100 + made.ending, 99), env.currency))


class ProductFactory(factory.Factory[CreateProduct]):
    """A published product of a shelf; ``noun`` and ``finish`` are two of its words, ``code`` its SKU."""

    class Meta:
        model = CreateProduct

    class Params:
        shelf: Shelf | None = None
        noun = ""
        finish = ""
        code = ""
        pounds = factory.LazyAttribute(lambda made: factory.random.randgen.randint(*made.shelf.goods[made.noun]))
        opening = fuzzy.FuzzyChoice(OPENINGS)
        quality = fuzzy.FuzzyChoice(QUALITIES)
        care = fuzzy.FuzzyChoice(CARE)

    name = factory.LazyAttribute(lambda made: f"{made.brand} {made.finish} {made.noun}")
    publish = True

    @factory.lazy_attribute
    def description(made) -> str:  # noqa: N805 (factory-boy hands in what has been made so far)
        opening = made.opening.format(finish=made.finish.lower(), noun=made.noun.lower(), maker=made.brand)
        return f"{opening[0].upper()}{opening[1:]} {made.quality} {made.care}"

    @factory.lazy_attribute
    def variants(made) -> tuple[NewVariant, ...]:  # noqa: N805
        if not made.shelf.sizes:
            return (VariantFactory(sku=made.code, pounds=made.pounds),)
        return tuple(
            VariantFactory(
                sku=f"{made.code}-{slugify(size).upper()}", name=size, pounds=made.pounds + step * made.pounds // 6
            )
            for step, size in enumerate(made.shelf.sizes)
        )


class DeliveryFactory(factory.Factory[ReceiveStock]):
    """The first delivery of a SKU."""

    class Meta:
        model = ReceiveStock

    quantity = factory.LazyFunction(lambda: factory.random.randgen.choice((6, 24, 60, 120, 240)))
    reference = factory.Sequence(lambda number: f"DN-{2401 + number // 12}")


class CustomerFactory(factory.Factory[ImportCustomer]):
    """A customer without a login."""

    class Meta:
        model = ImportCustomer

    number = factory.Sequence(lambda number: f"D{number + 1:04d}")
    name = factory.Faker("name", locale="en_GB")
    email = factory.LazyAttribute(lambda made: f"{slugify(made.name, separator='.')}.{made.number.lower()}@example.com")
    country = fuzzy.FuzzyChoice(COUNTRIES)
