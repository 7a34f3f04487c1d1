"""A Kafka of a test's own, and what differs between the embedded broker and Apache Kafka when it is started again."""

from __future__ import annotations

import shutil

from acme.devstack import kafka
from acme.devstack.engine import EngineServer
from acme.devstack.home import Home
from acme.devstack.ports import free_port


class Broker(EngineServer):
    """``kill`` and ``start`` bring Apache Kafka back with its records and topics, and the embedded broker with none."""

    def __init__(self, home: Home) -> None:
        super().__init__(kafka.find(home, free_port(), lambda line: None))
        self._data = home.data(kafka.NAME)

    @property
    def keeps(self) -> bool:
        """Whether what it holds outlives its process."""
        return self._data.is_dir()

    def start_empty(self) -> None:
        """On the same port, as another cluster without any topic."""
        shutil.rmtree(self._data, ignore_errors=True)
        self.start()

    def restart(self) -> None:
        """Stopped, and empty again on the same port."""
        self.process.stop()
        self.start_empty()
