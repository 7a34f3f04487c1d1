"""Name → module of every measure, in the order of the table."""

from __future__ import annotations

MEASURES = {
    "P1": "tests.bench.p1_entities",
    "P2": "tests.bench.p2_ten_events",
    "P3": "tests.bench.p3_counters",
    "P4": "tests.bench.p4_saves",
    "P5": "tests.bench.p5_peers",
    "P5b": "tests.bench.p5b_connect",
    "P6": "tests.bench.p6_publisher",
    "P7": "tests.bench.p7_command",
    "P8": "tests.bench.p8_latency",
    "P9": "tests.bench.p9_rebuild",
    "P12": "tests.bench.p12_growth",
    "P12M": "tests.bench.p12_memory",
}
