"""One golden payload per event and schema version: what was written once must be read for ever.

A changed event needs a new schema version with an upcaster and an example of its own; the examples of old versions
stay. ``ACME_WRITE_EXAMPLES=1`` writes examples that are missing (never over existing ones).
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import msgspec
import pytest

import acme.contracts
from acme.contracts.envelope import Envelope, decode, encode
from acme.contracts.registry import EVENTS
from tests.contract.history import History, plain_unseal

EXAMPLES = Path(acme.contracts.__file__).parent / "examples"
STREAM = {envelope.event_type: envelope for envelope in History(seed=3).interleaved(1)}


def example_of(name: str, version: int) -> Path:
    return EXAMPLES / f"{name}.v{version}.json"


def with_data(envelope: Envelope, data: dict[str, object], version: int) -> Envelope:
    fields = {field: getattr(envelope, field) for field in envelope.__struct_fields__}
    return Envelope(**{**fields, "data": data, "schema_version": version})


@pytest.mark.parametrize("name", EVENTS)
def test_every_event_has_an_example_of_its_current_version(name: str) -> None:
    path = example_of(name, EVENTS[name].schema_version)
    if os.environ.get("ACME_WRITE_EXAMPLES") and not path.exists():
        path.write_text(json.dumps(STREAM[name].data, indent=2, ensure_ascii=False) + "\n")
    assert path.exists(), f"write {path.name}"


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.json")), ids=lambda path: path.stem)
def test_every_example_is_still_read(path: Path) -> None:
    name, _, version = path.stem.rpartition(".v")
    data = json.loads(path.read_text())
    event = decode(with_data(STREAM[name], data, int(version)), plain_unseal)
    if int(version) == EVENTS[name].schema_version:
        assert encode(event)[0] == data, "the current version must read and write the same"


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.json")), ids=lambda path: path.stem)
def test_an_example_with_an_unknown_member_is_refused(path: Path) -> None:
    """A new member without a new schema version would be lost by older readers; it is an error instead."""
    name, _, version = path.stem.rpartition(".v")
    data = {**json.loads(path.read_text()), "surprise": 1}
    with pytest.raises(ValueError, match="surprise"):
        decode(with_data(STREAM[name], data, int(version)), plain_unseal)


def test_personal_data_stands_nowhere_but_in_personal() -> None:
    for name, cls in EVENTS.items():
        suspicious = {"email", "name", "address", "phone"} & set(cls.__struct_fields__)
        assert not suspicious or cls.topic().name == "acme.catalog" or name == "CartLineAdded", name


def test_events_are_frozen() -> None:
    event = decode(STREAM["CategoryCreated"], plain_unseal)
    with pytest.raises(AttributeError):
        event.name = "changed"  # type: ignore[attr-defined]
    assert msgspec.structs.asdict(event)["name"]
