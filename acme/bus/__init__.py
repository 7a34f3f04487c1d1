"""Kafka behind one small interface; the only importer of kafka-python.

`Producer` sends numbered events and waits for their acknowledgements, `Consumer` is a member of a consumer group that
leaves offsets to its caller, `Reader` reads partitions without a group, `Topics` creates topics and tells which
incarnation of them there is. All raise `BusUnavailable` when no broker can be reached; nothing of kafka-python's own
shows outside.
"""

from acme.bus.consumer import Consumer
from acme.bus.errors import BusError, BusUnavailable, RecordRefused, TopicMismatch
from acme.bus.producer import Producer
from acme.bus.reader import Reader
from acme.bus.records import Outgoing, Partition, Record
from acme.bus.topics import Tail, Topics

__all__ = [
    "BusError",
    "BusUnavailable",
    "Consumer",
    "Outgoing",
    "Partition",
    "Producer",
    "Reader",
    "Record",
    "RecordRefused",
    "Tail",
    "TopicMismatch",
    "Topics",
]
