"""`projector dlq`: dead letters, that is events that a projection could not apply, and those that wait behind them."""

from __future__ import annotations

from projections.cli.dlq_discard import DISCARD
from projections.cli.dlq_look import LIST, SHOW, STATS
from projections.cli.dlq_retry import RETRY
from projections.cli.subcommand import Group

DLQ = Group(
    name="dlq",
    help="looks at dead letters, and has them retried or discarded",
    members=(LIST, SHOW, RETRY, DISCARD, STATS),
)
