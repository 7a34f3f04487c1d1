"""The network client that all three use: one that never creates a topic by asking for it."""

from __future__ import annotations

from typing import Any

from kafka.net.compat import KafkaNetClient


def net_client(**configs: Any) -> Any:
    """A client for kafka-python's option ``kafka_client``.

    kafka-python 3.0.12 does not hand ``allow_auto_create_topics`` to the part that asks for metadata: a consumer that
    waits for an emptied broker would create its topics, with the broker's partition count and not the contract's.
    """
    client = KafkaNetClient(**configs)
    client.cluster.config["allow_auto_create_topics"] = False
    return client
