"""Name → module of every measure, in the order of the table."""

from __future__ import annotations

MEASURES = {
    "P1": "tests.bench.p1_entities",
    "P2": "tests.bench.p2_ten_events",
    "P3": "tests.bench.p3_counters",
    "P4": "tests.bench.p4_saves",
    "P6": "tests.bench.p6_publisher",
    "P7": "tests.bench.p7_command",
    "P8": "tests.bench.p8_latency",
    "P9": "tests.bench.p9_rebuild",
}
