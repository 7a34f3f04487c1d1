"""What every domain event is: a frozen typed fact, registered under its name and schema version."""

from __future__ import annotations

from typing import Any, ClassVar, TypeVar
from uuid import UUID

import msgspec

from acme.contracts.topics import BY_AGGREGATE, Topic


class Money(msgspec.Struct, frozen=True, order=True):
    """An amount in integer minor units (pence, cents) with its ISO 4217 code; never a float."""

    amount_minor: int
    currency: str


class Event(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of all domain events; subclasses are declared with `@event`.

    Personal data (names, e-mails, addresses, phone) stands in a field ``personal`` and nowhere else; an event that
    has one says with `data_subject` under whose key it is encrypted.
    """

    aggregate_type: ClassVar[str] = ""
    schema_version: ClassVar[int] = 1
    #: Name of the field that holds the aggregate's id.
    id_field: ClassVar[str] = ""

    @classmethod
    def topic(cls) -> Topic:
        return BY_AGGREGATE[cls.aggregate_type]

    @property
    def aggregate_id(self) -> UUID:
        value: UUID = getattr(self, self.id_field)
        return value

    def data_subject(self) -> str | None:
        """``customer:ID`` or ``order:ID`` when the event has personal data, else None."""
        return None


E = TypeVar("E", bound=type[Event])

#: Event types by name, in order of declaration.
EVENTS: dict[str, type[Event]] = {}


def event(aggregate_type: str, *, id_field: str, version: int = 1) -> Any:
    """Class decorator: registers an event type of one aggregate under its class name."""

    def register(cls: E) -> E:
        if cls.__name__ in EVENTS:
            raise TypeError(f"event type {cls.__name__} is declared twice")
        if id_field not in cls.__struct_fields__:
            raise TypeError(f"{cls.__name__} has no field {id_field}")
        cls.aggregate_type = aggregate_type
        cls.id_field = id_field
        cls.schema_version = version
        EVENTS[cls.__name__] = cls
        return cls

    return register
