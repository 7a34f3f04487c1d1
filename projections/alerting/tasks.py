"""The Celery task that looks for alerts every ten seconds; two at once send each message once."""

from __future__ import annotations

from celery import shared_task

from acme.env import env
from projections.alerting.channels import configured
from projections.alerting.check import run_check
from projections.alerting.snapshot import take_snapshot


@shared_task(name="projections.alerting.check")  # type: ignore[untyped-decorator]
def check() -> int:
    """Returns how many messages were sent."""
    return run_check(take_snapshot(), configured(env.alerts), env.alerts).sent
