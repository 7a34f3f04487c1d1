"""A run: a random schedule of steps on a shop, and then peace until everything has settled.

Each step draws from a generator of its own, so a schedule is the list of the numbers of its steps: one that fails is
made shorter by leaving steps out. Of the faults each run has some kinds only, and more of those: faults of all kinds at
once hide one another.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable

from projections.runtime import control, requests
from projections.runtime.letterbox import Selection
from tests.model.actors import FAIL, FAIL_AFTER, Actor
from tests.model.checks import Failed, check_step, nobody_can_tell, settle
from tests.model.shop import Shop

STEPS = 70
Step = Callable[[Shop, random.Random], None]


#: Calls before which others come in: writes, the reading of documents, and what the publisher does.
DELICATE = (" writes", "__g1 find", "__g1 write", "checkpoints", "dead_letters", "send", "move", "acquire")


def work(shop: Shop, chance: random.Random) -> None:
    """Somebody goes on: to the end of the turn, for a few calls of engines, or up to a delicate one."""
    workers = [worker for worker in shop.workers if worker.name not in shop.asleep]
    actors = [*workers, *workers, *shop.publishers, *([shop.operator] if shop.operator else [])]
    go_on(shop, chance, chance.choice(actors))


def go_on(shop: Shop, chance: random.Random, actor: Actor, order: str = "") -> None:
    how = chance.random()
    if how < 0.5:
        shop.go_on(actor, order=order)
    elif how < 0.75:
        shop.go_on(actor, chance.randint(0, 30), order)
    else:
        shop.go_on(actor, order=order, stops_before=chance.choice(DELICATE))


def a_worker_falls_asleep(shop: Shop, chance: random.Random) -> None:
    """In the middle of a batch; the broker gives its partitions to the others, who go on for it."""
    number = chance.randrange(len(shop.workers))
    worker = shop.workers[number]
    for _ in range(chance.randint(1, 2)):
        shop.go_on(worker, stops_before=f"__g{shop.live} {chance.choice(['find', '', 'write'])}")
    others = [member for member in shop.broker.members if not member.closed and member.owner is not worker]
    if not others:
        return
    shop.asleep.add(worker.name)
    for member in shop.broker.members:
        if member.owner is worker:
            for stream in sorted(member.target):
                chance.choice(others).target.add(stream)
            member.target = set()
    for _ in range(chance.randint(2, 8)):
        work(shop, chance)


def all_wake_up(shop: Shop, chance: random.Random) -> None:
    for worker in shop.workers:
        if worker.name in shop.asleep:
            shop.asleep.remove(worker.name)
            go_on(shop, chance, worker)


def record(shop: Shop, chance: random.Random) -> None:
    numbers = range(len(shop.history))
    wanted = [(chance.choice(numbers), chance.randint(1, 3)) for _ in range(chance.randint(1, 3))]
    shop.postgresql.begin(wanted)
    if chance.random() < 0.6:
        commit(shop, chance)


def commit(shop: Shop, chance: random.Random) -> None:
    """Or, seldom, roll back: the positions are gone."""
    if not shop.postgresql.open:
        return
    number = chance.randrange(len(shop.postgresql.open))
    if chance.random() < 0.9:
        shop.postgresql.commit(number)
    else:
        shop.postgresql.open.pop(number)


def wait(shop: Shop, chance: random.Random) -> None:
    shop.clock.advance(chance.choice([0.5, 3.0, 20.0]))


def kill(shop: Shop, chance: random.Random) -> None:
    actors = chance.choice([shop.workers, shop.workers, shop.publishers])
    shop.kill(actors, chance.randrange(len(actors)))


def a_call_fails(shop: Shop, chance: random.Random) -> None:
    actor = chance.choice([*shop.workers, *shop.publishers])
    if actor.greenlet:
        go_on(shop, chance, actor, chance.choice([FAIL, FAIL_AFTER]))


def an_engine_is_away(shop: Shop, chance: random.Random) -> None:
    down = shop.actors.down
    if down:
        down.clear()
    else:
        down.update(chance.choice([("mongodb",), ("kafka",), ("log", "lane")]))


def partitions_move(shop: Shop, chance: random.Random) -> None:
    if chance.random() < 0.3:
        shop.broker.share_out()
    else:
        shop.broker.move_partition(chance)


def kafka_is_emptied(shop: Shop, chance: random.Random) -> None:
    """Where PostgreSQL is restored too, workers are started anew: one that reads on before it has looked at the topics
    (once a second) takes what follows its checkpoint without a hole (README, limits)."""
    if shop.postgresql.backups:
        for number in range(len(shop.workers)):
            shop.kill(shop.workers, number)
    shop.broker.restart_empty(with_topics=chance.random() < 0.5)


def kafka_loses_its_tail(shop: Shop, chance: random.Random) -> None:
    records = shop.broker.records.get(chance.choice(shop.streams))
    if records:
        del records[-chance.randint(1, 3) :]
        shop.broker.cut = True


def kafka_delivers_again(shop: Shop, chance: random.Random) -> None:
    for member in shop.broker.members:
        for stream, offset in member.held.items():
            member.held[stream] = chance.randint(0, offset)


def a_late_record_arrives(shop: Shop, chance: random.Random) -> None:
    late = shop.broker.late
    if late:
        record = late.pop(chance.randrange(len(late)))
        if (record.topic, record.partition) in shop.broker.records:
            shop.broker.append(record)


def the_store_restarts(shop: Shop, chance: random.Random) -> None:
    """Mostly it loses a few of its last changes, sometimes all since long ago: an older copy was put back."""
    lost = chance.choice([0, 1, 2, chance.randint(1, 10), chance.randint(1, 40), chance.randint(1, 400)])
    shop.store.gives_up = chance.random() < 0.5
    shop.store.restart(lost)


def the_store_restarts_whole(shop: Shop, _: random.Random) -> None:
    """With all that it had."""
    shop.store.restart(0)


def a_publisher_loses_its_session(shop: Shop, chance: random.Random) -> None:
    """It was silent for too long; the lock is free."""
    shop.postgresql.end_sessions(chance.choice(shop.publishers))


def postgresql_crashes(shop: Shop, _: random.Random) -> None:
    shop.postgresql.crash()


def an_event_is_poison(shop: Shop, chance: random.Random) -> None:
    shop.release()
    event = chance.choice(chance.choice(shop.history))
    shop.poison.add((event.event_type, event.aggregate_id))


def the_code_is_mended(shop: Shop, _: random.Random) -> None:
    shop.release()
    shop.poison.clear()


def an_operator_asks(shop: Shop, chance: random.Random) -> None:
    """Retry most of the time, discard, resync, pause and resume; seldom a reset. One operator at a time."""
    if shop.operator is not None and not shop.operator.over:
        shop.go_on(shop.operator)
        return
    store, name = shop.store, shop.name
    aggregate = chance.choice(shop.history)[0].aggregate
    selection = Selection(everything=True) if chance.random() < 0.5 else Selection(aggregate=aggregate)
    what = {
        "retry": lambda: requests.ask_retry(store, name, selection, by="model"),
        "canary": lambda: requests.ask_canary(store, name, selection, by="model"),
        "discard": lambda: requests.ask_discard(store, name, selection, by="model", reason="test"),
        "resync": lambda: requests.ask_resync(store, shop.projection, aggregate, by="model"),
        "pause": lambda: control.pause(store, name, by="model"),
        "resume": lambda: control.resume(store, name),
        "reset": lambda: control.reset(store, shop.projection, by="model"),
    }
    chosen = chance.choices(list(what), [8, 2, 3, 3, 1, 3, 0.5])[0]
    go_on(shop, chance, shop.ask(what[chosen]))


def back_up(shop: Shop, _: random.Random) -> None:
    shop.postgresql.back_up()


def postgresql_is_restored(shop: Shop, chance: random.Random) -> None:
    """Between batches: what one that never came to its checkpoint has left in documents nobody can tell, unless Kafka
    still has it. Only `verify` finds that (README, limits)."""
    backups = shop.postgresql.backups
    if backups:
        shop.actors.down.clear()
        for worker in shop.workers * 4:
            shop.go_on(worker)
        if nobody_can_tell(shop):
            return
        shop.postgresql.restore(chance.randrange(len(backups)))


#: What always happens, how often.
NORMAL: dict[Step, float] = {work: 12, record: 4, commit: 2, wait: 1}
#: What happens in some runs only. Steps of one group need each other.
FAULTS: list[dict[Step, float]] = [
    {kill: 2},
    {a_call_fails: 2},
    {an_engine_is_away: 1},
    {partitions_move: 2},
    {a_worker_falls_asleep: 2, all_wake_up: 1.5},
    {kafka_is_emptied: 1},
    {kafka_loses_its_tail: 1},
    {kafka_delivers_again: 1, a_late_record_arrives: 1},
    {the_store_restarts: 2},
    {a_publisher_loses_its_session: 1},
    {postgresql_crashes: 1},
    {an_event_is_poison: 1.5, the_code_is_mended: 1, an_operator_asks: 2.5},
]
RESTORE: dict[Step, float] = {back_up: 1.5, postgresql_is_restored: 0.7}


class Run:
    """One schedule: ``steps`` are the numbers of those that are taken."""

    def __init__(
        self, seed: int, steps: Iterable[int] = range(STEPS), tell: Callable[[str], None] | None = None
    ) -> None:
        self.seed, self.steps, self._tell = seed, list(steps), tell
        chance = random.Random(seed + 1)
        self.possible = dict(NORMAL)
        for group in FAULTS:
            if chance.random() < 0.4:
                self.possible |= group
        self.restores = chance.random() < 0.15
        if self.restores:
            self.possible |= RESTORE
            if the_store_restarts in self.possible and self.possible.keys() & {kafka_is_emptied, kafka_loses_its_tail}:
                del self.possible[the_store_restarts]  # nobody can tell when all three engines have lost something
                self.possible[the_store_restarts_whole] = 2

    def take(self) -> None:
        """Raises `Failed`, or what a process has ended with."""
        shop = Shop(self.seed)
        shop.actors.tell = self._tell
        with shop.in_place():
            try:
                for number in self.steps:
                    self._step(shop, number)
                    check_step(shop)
                shop.actors.tell = None  # what follows is long, and always the same
                settle(shop)
            except Failed:
                raise
            except Exception as error:
                raise Failed(f"{type(error).__name__}: {error}") from error
            finally:
                shop.actors.tell = None
                shop.end()

    def _step(self, shop: Shop, number: int) -> None:
        chance = random.Random(self.seed * 1_000_003 + number)
        shop.broker.chance = chance
        (step,) = chance.choices(list(self.possible), list(self.possible.values()))
        if self._tell:
            self._tell(f"{number:3} {step.__name__}")
        step(shop, chance)


def shortest(run: Run, tries: int = 400) -> Run:
    """The failing run without the steps that it does not need, found by leaving out fewer and fewer at a time."""
    steps, size = run.steps, max(1, len(run.steps) // 2)
    while tries > 0:
        start = 0
        while start < len(steps) and tries > 0:
            tries -= 1
            fewer = steps[:start] + steps[start + size :]
            if what_fails(Run(run.seed, fewer)):
                steps = fewer
            else:
                start += size
        if size == 1:
            break
        size = max(1, size // 2)
    return Run(run.seed, steps)


def what_fails(run: Run) -> str:
    """Why a run fails; empty when it does not."""
    try:
        run.take()
    except Failed as error:
        return str(error)
    return ""
