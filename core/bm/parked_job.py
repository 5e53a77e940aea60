"""Once a day, if the setting `purge_parked` says so: what has been parked long enough is removed for good."""

from __future__ import annotations

from datetime import UTC, datetime

import structlog

from core.bm import parked_purge, service
from core.database.engine import transaction
from core.database.jobs import Job, once_a_day, task
from core.errors import Refused

LOOK = 600.0                         # seconds between two looks whether a day has passed
LAST = "purged parked"               # the setting that says when it was done last
log = structlog.get_logger("jobs")


@task("purge_parked", every=LOOK)
def purge_parked(job: Job) -> None:
    """Done by whichever process claims the day first; while a promotion is under way it waits for another day."""
    settings = job.settings
    if settings is None or not settings.purge_parked:
        return
    with transaction(job.engine) as connection:
        if job.system(connection) is None or not once_a_day(connection, LAST):
            return
    with service.owner(settings) as engine:
        try:
            number = parked_purge.purge_ripe(settings, engine, service.load_plugins(settings), datetime.now(UTC))
        except Refused as refused:
            log.info("nothing parked was purged", reason=str(refused))
            return
    log.info("purged what was parked", promotion=number)
