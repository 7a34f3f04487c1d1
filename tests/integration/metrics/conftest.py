"""A read store of the tests' own for the projections' bookkeeping, and scrapes of single sources."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from pymongo.database import Database

from acme.exposition import Source, StateCollector
from queries.documents import connection

Store = Database[dict[str, Any]]
#: Series as it is written, labels included → value.
Samples = dict[str, float]
_SAMPLE = re.compile(r"^(\w+(?:\{.*\})?) (\S+)$", re.MULTILINE)


def scrape(*sources: Source) -> Samples:
    """What a scrape of these sources alone shows."""
    registry = CollectorRegistry()
    registry.register(StateCollector(*sources))
    found = _SAMPLE.findall(generate_latest(registry).decode())
    assert len({series for series, _ in found}) == len(found), "a series is there twice"
    return {series: float(value) for series, value in found}


def names(samples: Samples) -> set[str]:
    """Without labels."""
    return {series.partition("{")[0] for series in samples}


@pytest.fixture
def store(mongo: str, mongo_database: str, point_mongodb: Callable[[str], None]) -> Store:
    """Empty."""
    point_mongodb(f"{mongo.rpartition('/')[0]}/{mongo_database}")
    return connection.database()
