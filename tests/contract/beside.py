"""What stands in for the helper threads of the product where a test decides what happens first."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any


class Inline:
    """Does the work at once."""

    def submit(self, work: Callable[..., Any], *arguments: Any) -> Future[Any]:
        done: Future[Any] = Future()
        try:
            done.set_result(work(*arguments))
        except Exception as error:
            done.set_exception(error)
        return done


class Postponed(Future[Any]):
    """Work that is done when somebody wants to know what came of it."""

    def __init__(self, work: Callable[[], Any]) -> None:
        super().__init__()
        self._work = work

    def exception(self, timeout: float | None = None) -> BaseException | None:
        if not self.done():
            try:
                self.set_result(self._work())
            except Exception as error:
                self.set_exception(error)
        return super().exception(timeout)

    def result(self, timeout: float | None = None) -> Any:
        self.exception()
        return super().result(timeout)


class Beside(Inline):
    """A writer's: ``store_first`` says whether the store writes before or after what is done meanwhile."""

    def __init__(self, store_first: Callable[[], bool]) -> None:
        self._store_first = store_first

    def submit(self, work: Callable[..., Any], *arguments: Any) -> Future[Any]:
        if self._store_first():
            return super().submit(work, *arguments)
        return Postponed(lambda: work(*arguments))
