"""kafka-python's exceptions as errors of the bus: what may be tried again, and what never helps."""

from __future__ import annotations

import pytest
from kafka import errors

from acme.bus.errors import BusError, BusUnavailable, RecordRefused, as_bus_error, translated


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (errors.KafkaTimeoutError("slow"), BusUnavailable),
        (errors.NodeNotReadyError("down"), BusUnavailable),
        (errors.KafkaConnectionError("gone"), BusUnavailable),
        (errors.UnknownTopicOrPartitionError("emptied"), BusUnavailable),
        (errors.NotEnoughReplicasError("few"), BusUnavailable),
        (errors.MessageSizeTooLargeError("big"), RecordRefused),
        (errors.TopicAuthorizationFailedError("no"), BusError),
    ],
)
def test_kinds(given: errors.KafkaError, expected: type[BusError]) -> None:
    error = as_bus_error(given, "testing")
    assert type(error) is expected
    assert "while testing" in str(error)


def test_what_the_network_says_is_translated_and_other_faults_are_not() -> None:
    with pytest.raises(BusUnavailable, match="while testing: refused"), translated("testing"):
        raise ConnectionRefusedError("refused")
    with pytest.raises(ZeroDivisionError), translated("testing"):
        raise ZeroDivisionError
