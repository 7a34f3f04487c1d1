"""What the bus says no with, and how kafka-python's exceptions become it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from kafka import errors as kafka_errors


class BusError(Exception):
    """Base of all errors of the bus; the message says what was tried and what Kafka answered."""


class BusUnavailable(BusError):
    """No broker answers, or not in time. The same call may succeed later."""


class RecordRefused(BusError):
    """Kafka will not take this record as it is (too large, say); trying again does not help."""


class TopicMismatch(BusError):
    """A topic exists with another partition count than the contract's; a count never changes."""


# Answers that no retry changes, with the record as it is.
REFUSALS = (kafka_errors.MessageSizeTooLargeError, kafka_errors.RecordListTooLargeError)
# Not marked retriable by kafka-python, though a broker that comes back (or is another one) heals them.
PASSING = (
    kafka_errors.UnknownError,
    kafka_errors.UnknownProducerIdError,  # the broker that knew the producer is gone; a new producer is made
    kafka_errors.OutOfOrderSequenceNumberError,
    kafka_errors.InvalidProducerEpochError,
    kafka_errors.BrokerNotAvailableError,
    kafka_errors.UnknownBrokerIdError,
    kafka_errors.KafkaProtocolError,
    kafka_errors.UnknownMemberIdError,
    kafka_errors.IllegalGenerationError,
    kafka_errors.RebalanceInProgressError,
    kafka_errors.CommitFailedError,
)


@contextmanager
def translated(doing: str) -> Iterator[None]:
    """Raises what happens inside as an error of the bus; ``doing`` completes "while …"."""
    try:
        yield
    except kafka_errors.KafkaError as error:
        raise as_bus_error(error, doing) from error
    except OSError as error:
        raise BusUnavailable(f"Kafka cannot be reached while {doing}: {error}") from error


def as_bus_error(error: BaseException, doing: str) -> BusError:
    """The bus's error for one of kafka-python's."""
    said = f"{type(error).__name__}: {error}"
    if isinstance(error, REFUSALS):
        return RecordRefused(f"Kafka refuses the record while {doing}: {said}")
    # The bare class is how kafka-python wraps "unknown error" while a producer introduces itself to a fresh broker.
    unspecific = type(error) is kafka_errors.KafkaError
    if unspecific or getattr(error, "retriable", False) or isinstance(error, (OSError, *PASSING)):
        return BusUnavailable(f"Kafka cannot be reached while {doing}: {said}")
    return BusError(f"Kafka answers with an error while {doing}: {said}")
