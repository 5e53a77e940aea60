"""Once a day: what has been in the trash for long is removed, and files that nothing names any more."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from core.database.engine import transaction
from core.database.jobs import Job, once_a_day, task
from core.ed import staging
from core.ed.files import FileStore
from core.ed.purge import purge
from core.ed.session import Session

LOOK = 600.0                         # seconds between two looks whether a day has passed
LAST = "purged"                      # the setting that says when it was done last
log = structlog.get_logger("jobs")


class _Nothing(Exception):
    """No version is live yet."""


@task("purge", every=LOOK)
def purge_daily(job: Job) -> None:
    """Done by whichever process claims the day first; a run that is cut off goes on the day after."""
    if job.settings is None:
        return
    with transaction(job.engine) as connection:
        if job.system(connection) is None or not once_a_day(connection, LAST):
            return
    done = purge(lambda: _session(job), job.settings.trash_days, forget=not job.settings.trash_history,
                 between=job.check)
    with transaction(job.engine) as connection:
        staged = staging.forget_staged(connection)
    with transaction(job.engine) as connection:
        files = FileStore(job.settings.home / "files").collect(connection)
    log.info("purged", records=done.records, kept=done.kept, history=done.history, staged=staged, files=files)


@contextmanager
def _session(job: Job) -> Iterator[Session]:
    with transaction(job.engine) as connection:
        system = job.system(connection)
        if system is None:
            raise _Nothing
        yield Session.system_session(system, connection)
