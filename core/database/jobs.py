"""Jobs: work put off in the caller's own transaction, and done by a `work` process.

A task is a function `run(job, **arguments)` registered by `task(...)` in one of the modules of MODULES. A task with
`every` is no queued job: each `work` process calls it again and again, so it must not mind company.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import IntegrityError

from core.settings import Settings

# Every module that registers tasks; the only list of them.
MODULES = ("core.ed.jobs", "core.ed.computed_jobs", "core.ed.purge_job", "core.ed.import_job",
           "core.bm.promotion_job", "core.bm.parked_job")
_TASKS: dict[str, Task] = {}


class Stopped(Exception):
    """The process is asked to stop: the job ends here, and goes on later from where it is."""


@dataclass(frozen=True, slots=True)
class Job:
    """What a task gets beside its arguments: the database, the live System, and the question whether to stop."""

    engine: Engine
    system: Callable[[Connection], Any]
    stopping: Callable[[], bool]
    id: int = 0
    settings: Settings | None = None                 # of this process; None in tests of a single task

    def check(self) -> None:
        """To be called between batches; raises Stopped when the process is asked to stop."""
        if self.stopping():
            raise Stopped


@dataclass(frozen=True, slots=True)
class Task:
    """A kind of job: its name, its function, and how it is tried again."""

    name: str
    run: Callable[..., None]
    queue: str = "default"
    attempts: int = 3
    every: float | None = None                       # seconds; None: only when enqueued


def once_a_day(connection: Connection, key: str) -> bool:
    """Whether this process is the first that claims the day; the setting of that key says when it was claimed last."""
    return connection.scalar(text(
        "insert into sys.setting (key, value) values (:key, to_jsonb(now())) on conflict (key) do update"
        " set value = to_jsonb(now())"
        " where (sys.setting.value #>> '{}')::timestamptz < now() - interval '24 hours' returning 1"),
        {"key": key}) is not None


def task(name: str, *, queue: str = "default", attempts: int = 3,
         every: float | None = None) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Register the function below as a task."""
    def register(function: Callable[..., None]) -> Callable[..., None]:
        if name in _TASKS:
            raise ValueError(f"task {name} is registered twice")
        _TASKS[name] = Task(name, function, queue, attempts, every)
        return function
    return register


def tasks() -> Mapping[str, Task]:
    """All tasks by name."""
    for module in MODULES:
        importlib.import_module(module)
    return MappingProxyType(_TASKS)


def enqueue(connection: Connection, name: str, /, *, lock: str | None = None, once: str | None = None,
            at: datetime | None = None, **arguments: object) -> int | None:
    """Put a job into the queue, in the caller's transaction: a rollback takes it away again.

    Jobs with the same `lock` run one after the other. With `once`, nothing is queued, and None returned, while a job
    with the same word waits. Raises KeyError for an unknown task.
    """
    wanted = tasks()[name]
    statement = text(
        "select (jobs.procrastinate_defer_jobs_v1(array[row(cast(:queue as varchar), cast(:name as varchar), 0,"
        " cast(:lock as text), cast(:once as text), cast(:arguments as jsonb), cast(:at as timestamptz))"
        "::jobs.procrastinate_job_to_defer_v1]))[1]")
    values = {"queue": wanted.queue, "name": name, "lock": lock, "once": once, "at": at,
              "arguments": json.dumps(arguments)}
    if once is None:
        return int(connection.execute(statement, values).scalar_one())
    try:
        with connection.begin_nested():
            return int(connection.execute(statement, values).scalar_one())
    except IntegrityError as error:
        if "queueing_lock" not in str(error.orig):
            raise
        return None
