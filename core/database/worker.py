"""The loop of a `work` process: jobs from the queue by procrastinate, and what every such process does again and again.

Imported by the `work` command alone, because the queue's machinery is heavy and no page needs it.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import procrastinate
import structlog
from procrastinate.jobs import Job as QueuedJob
from procrastinate.manager import JobManager
from procrastinate.retry import BaseRetryStrategy, RetryDecision
from sqlalchemy import Connection, Engine

from core.database import address
from core.database.engine import OPTIONS
from core.database.jobs import Job, Stopped, Task, tasks
from core.settings import Settings

HEARTBEAT = 3.0                                      # seconds between two signs of life
STALLED = 10.0                                       # seconds of silence after which another process takes over
log = structlog.get_logger("jobs")


class Retry(BaseRetryStrategy):
    """A stopped job goes on at the next chance; a failed one is tried again, later each time."""

    def __init__(self, attempts: int) -> None:
        self.attempts = attempts

    def get_retry_decision(self, *, exception: BaseException, job: QueuedJob) -> RetryDecision | None:
        """Whether and when to run the job again."""
        if isinstance(exception, Stopped):
            return RetryDecision(retry_in={"seconds": 0})
        if job.attempts + 1 >= self.attempts:
            return None
        return RetryDecision(retry_in={"seconds": 2 ** job.attempts})


def work(settings: Settings, engine: Engine, system: Callable[[Connection], Any],
         queues: Sequence[str] | None = None, until: threading.Event | None = None) -> None:
    """Do jobs until the process is told to stop, or `until` is set; raises the queue's error when the database goes.

    With `until` it may run in any thread, and leaves signals alone.
    """
    stop = until or threading.Event()
    app = _app(settings, Job(engine, system, stop.is_set, settings=settings))
    repeated = [task for task in tasks().values() if task.every is not None]
    with _repeating(repeated, Job(engine, system, stop.is_set, settings=settings), stop):
        asyncio.run(_run(app, settings, queues, until))


async def _run(app: procrastinate.App, settings: Settings, queues: Sequence[str] | None,
               until: threading.Event | None) -> None:
    async with app.open_async():
        rescue = asyncio.create_task(_rescue(app.job_manager))
        worker = asyncio.create_task(app.run_worker_async(
            queues=list(queues) if queues else None,  # type: ignore[arg-type]  # None: all of them
            concurrency=settings.job_threads, name="work", install_signal_handlers=until is None,
            shutdown_graceful_timeout=settings.kill_timeout / 2, update_heartbeat_interval=HEARTBEAT,
            stalled_worker_timeout=STALLED, fetch_job_polling_interval=1.0, delete_jobs="successful"))
        try:
            if until is not None:
                while not until.is_set() and not worker.done():
                    await asyncio.wait([worker], timeout=0.2)
                worker.cancel()
                await asyncio.wait([worker])
            if until is None or not worker.cancelled():
                await worker
        finally:
            rescue.cancel()


async def _rescue(jobs: JobManager) -> None:
    """Put jobs of killed processes back into the queue."""
    while True:
        for job in await jobs.get_stalled_jobs(seconds_since_heartbeat=STALLED):
            log.warning("job of a dead process goes on", job=job.id, task=job.task_name)
            await jobs.retry_job(job)
        await asyncio.sleep(HEARTBEAT)


def _app(settings: Settings, job: Job) -> procrastinate.App:
    url = address.url(settings, "app").set(drivername="postgresql")
    connector = procrastinate.PsycopgConnector(
        conninfo=url.render_as_string(hide_password=False), min_size=2, max_size=4,
        kwargs={"options": OPTIONS, "application_name": "tessera work"})
    app = procrastinate.App(connector=connector)
    for wanted in tasks().values():
        if wanted.every is None:
            app.task(name=wanted.name, queue=wanted.queue, retry=Retry(wanted.attempts),
                     pass_context=True)(_runner(wanted, job))
    return app


def _runner(wanted: Task, shared: Job) -> Callable[..., None]:
    def run(context: procrastinate.JobContext, **arguments: Any) -> None:
        number = context.job.id or 0
        job = Job(shared.engine, shared.system, lambda: shared.stopping() or context.should_abort(), number,
                  shared.settings)
        with structlog.contextvars.bound_contextvars(task=wanted.name, job=number):
            log.info("job begins", attempt=context.job.attempts + 1)
            try:
                wanted.run(job, **arguments)
            except Stopped:
                log.info("job stopped, goes on later")
                raise
            except Exception:
                log.exception("job failed")
                raise
            log.info("job done")
    return run


@contextmanager
def _repeating(wanted: Sequence[Task], job: Job, stop: threading.Event) -> Iterator[None]:
    threads = [threading.Thread(target=_repeat, args=(task, job, stop), name=task.name) for task in wanted]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def _repeat(wanted: Task, job: Job, stop: threading.Event) -> None:
    """Call a task again and again; an error is logged, and waited on longer each time."""
    pause = wanted.every or 1.0
    failures = 0
    while not stop.wait(min(pause * 2 ** failures, 60)):
        try:
            wanted.run(job)
            failures = 0
        except Stopped:
            return
        except Exception:
            failures += 1
            log.exception("repeated task failed", task=wanted.name)
