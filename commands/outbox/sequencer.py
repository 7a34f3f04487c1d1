"""Numbering: gives committed events their place in their partition, dense and for ever.

An id from a sequence is handed out before commit, so its order is not the order in which events become visible. Here
events are numbered after commit, by one publisher at a time: a transaction that commits late gets later numbers, and
whoever follows ``sequence`` misses nothing. ``position`` orders events of one aggregate as they were committed, because
every command locks its aggregate first.
"""

from __future__ import annotations

from commands.outbox.direct import Connection

# A statement for any plan: where nothing waited at the last ANALYZE, which is how it should be, PostgreSQL expects one
# event and joins by nested loops. So there is nothing to join but heads, of which there are few, and rows by their key.
NUMBER = """
WITH waiting AS (
    SELECT position, topic, partition FROM domain_event WHERE sequence IS NULL ORDER BY position LIMIT %s
), taken AS (
    SELECT position, topic, partition,
        row_number() OVER (PARTITION BY topic, partition ORDER BY position DESC) - 1 AS before_last
    FROM waiting
), raised AS (
    INSERT INTO stream_head AS head (topic, partition, sequence, published, topic_identity, kafka_offset)
    SELECT topic, partition, count(*), 0, '', -1 FROM waiting GROUP BY topic, partition
    ON CONFLICT (topic, partition) DO UPDATE SET sequence = head.sequence + EXCLUDED.sequence
    RETURNING topic, partition, sequence
)
UPDATE domain_event AS event SET sequence = raised.sequence - taken.before_last
FROM taken JOIN raised USING (topic, partition)
WHERE event.position = taken.position
"""


def number(connection: Connection, limit: int) -> int:
    """Numbers up to ``limit`` events and raises the stream heads, in one transaction; returns how many there were.

    Only the holder of the lane may call it: two at once would wait for each other and one would fail.
    """
    return connection.execute(NUMBER, [limit], prepare=True).rowcount
