"""All kinds, with how often a long campaign draws them and what one of them costs on two cores."""

from __future__ import annotations

from tests.faults.campaign.kinds import clocks, deliveries, kills, rebuilds, stores, workers
from tests.faults.campaign.plan import Kind

KINDS: tuple[Kind, ...] = (
    Kind(name="kill -9 of web", strike=kills.kill("web"), weight=7, seconds=8, early=True),
    Kind(name="kill -9 of relay", strike=kills.kill("relay"), weight=10, seconds=2),
    Kind(name="kill -9 of a projector", strike=kills.kill("projector-1"), weight=10, seconds=7),
    Kind(name="kill -9 of kafka", strike=kills.kill("kafka"), weight=6, seconds=8),
    Kind(name="kill -9 of mongodb", strike=stores.read_store_killed, weight=10, seconds=3),
    Kind(name="kill -9 of postgres", strike=kills.kill("postgres"), weight=10, seconds=3),
    Kind(name="kill -9 of redis, worker, beat", strike=kills.kill_of_celery, weight=3, seconds=3),
    Kind(name="kill -9 of everything", strike=kills.power_cut, weight=3, seconds=15, early=True),
    Kind(name="an engine hangs", strike=kills.engine_hangs, weight=6, seconds=5),
    Kind(name="postgres restarted", strike=kills.postgres_restarted, weight=6, seconds=3),
    Kind(name="publisher suspended", strike=kills.publisher_suspended, weight=8, seconds=4),
    Kind(name="broker emptied", strike=stores.broker_emptied, weight=5, seconds=9),
    Kind(name="older copy of mongodb, running", strike=stores.read_store_put_back, weight=5, seconds=8),
    Kind(name="older copy of mongodb, stopped", strike=stores.read_store_put_back_at_rest, weight=3, seconds=12),
    Kind(name="poison event", strike=workers.poison, weight=1, seconds=30),
    Kind(name="projector suspended past its session", strike=workers.projector_suspended, weight=2, seconds=20),
    Kind(name="rebalance storm", strike=workers.rebalance_storm, weight=2, seconds=18),
    Kind(name="wrong clock of web", strike=clocks.wrong_clock("web"), weight=5, seconds=3, early=True),
    Kind(name="wrong clock of relay", strike=clocks.wrong_clock("relay"), weight=4, seconds=2),
    Kind(name="wrong clock of a projector", strike=clocks.wrong_clock("projector-1"), weight=4, seconds=7),
    Kind(name="clocks set right", strike=clocks.clocks_set_right, weight=2, seconds=4, early=True),
    Kind(name="a topic replayed", strike=deliveries.replayed, weight=3, seconds=6),
    Kind(name="old records written again", strike=deliveries.written_again, weight=5, seconds=4),
    Kind(name="records in changed order", strike=deliveries.changed_order, weight=4, seconds=10),
    Kind(name="rebuild killed and finished", strike=rebuilds.rebuild_killed, weight=1, seconds=25),
    Kind(name="swap killed at a step", strike=rebuilds.swap_killed, weight=2, seconds=60),
)
