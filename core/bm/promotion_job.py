"""Promotions in the `work` process: those that pages begin, and what broke off anywhere."""

from __future__ import annotations

from typing import Literal

from core.bm import service
from core.bm.engine.journal import unfinished
from core.bm.engine.wishes import Cancelled, Left
from core.database.jobs import Job, Stopped, task

EVERY = 10.0                    # seconds between two looks for what broke off


@task("run_promotion", attempts=1)
def run_promotion(job: Job, promotion: int) -> None:
    """Run a promotion that a page began; whatever is left of it, `settle_promotions` finds."""
    settle_promotions(job)


@task("settle_promotions", every=EVERY)
def settle_promotions(job: Job) -> None:
    """End a promotion that nobody runs; none where somebody holds the lock, or a person paused it."""
    if job.settings is None:
        return
    with job.engine.connect() as connection:
        found = unfinished(connection)
    if found is None:
        return

    def stop() -> Literal["", "leave"]:
        return "leave" if job.stopping() else ""
    with service.owner(job.settings) as engine:
        try:
            service.finish_earlier(engine, service.load_plugins(job.settings), found.by_name, stop=stop, patient=False)
        except Cancelled:
            return                                  # as was asked
        except Left:
            raise Stopped from None
