"""Jobs: queued with the caller's transaction, worked off by `work` processes, taken over from the dead."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import Engine, text

from core.database import engine as engines
from core.database import jobs
from core.settings import ROOT, Settings

WORK = """
import sys, time
from pathlib import Path
from sqlalchemy import text
from core.database import engine, jobs, worker
from core.settings import Settings

jobs.MODULES = ()

def note(job, word):
    with job.engine.begin() as connection:
        connection.execute(text("insert into ed.noted (word) values (:word)"), {"word": word})

@jobs.task("note")
def run_note(job, word):
    note(job, word)

@jobs.task("count", queue="slow")
def count(job, to):
    for _ in range(to):
        job.check()
        with job.engine.begin() as connection:
            done = connection.scalar(text("update ed.progress set done = done + 1 where done < :to returning done"),
                                     {"to": to})
        if done is None:
            return
        time.sleep(0.05)

@jobs.task("fail", attempts=2)
def fail(job):
    note(job, "failed")
    raise ValueError("no")

@jobs.task("tick", every=0.1)
def tick(job):
    note(job, "tick")

if __name__ == "__main__":
    settings = Settings.load()
    worker.HEARTBEAT, worker.STALLED = 0.3, 1.0
    worker.work(settings, engine.open(settings, "app"), lambda connection: None, sys.argv[1:] or None)
"""


@pytest.fixture(scope="module", autouse=True)
def tables(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("create table ed.noted (word text, at timestamptz default clock_timestamp())"))
        connection.execute(text("create table ed.progress as select 0 as done"))


@pytest.fixture(autouse=True)
def registered(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tasks of WORK, by name; the queue is empty."""
    monkeypatch.setattr(jobs, "MODULES", ())
    monkeypatch.setattr(jobs, "_TASKS", {
        "note": jobs.Task("note", lambda job: None), "count": jobs.Task("count", lambda job: None, "slow"),
        "fail": jobs.Task("fail", lambda job: None)})
    with engine.begin() as connection:
        connection.execute(text("truncate jobs.procrastinate_jobs cascade"))
        connection.execute(text("truncate ed.noted"))
        connection.execute(text("update ed.progress set done = 0"))


@pytest.fixture
def work(database: Settings) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    started = []

    def start(*queues: str) -> subprocess.Popen[bytes]:
        environ = {**os.environ, "TESSERA_HOME": str(database.home), "TESSERA_DATABASE": str(database.database)}
        started.append(subprocess.Popen([sys.executable, "-c", WORK, *queues], cwd=ROOT, env=environ))
        return started[-1]

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.wait()


def words(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        return list(connection.scalars(text("select word from ed.noted where word <> 'tick' order by at")))


def states(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        return list(connection.scalars(text("select status::text from jobs.procrastinate_jobs order by id")))


def done(engine: Engine) -> int:
    with engine.connect() as connection:
        return int(connection.execute(text("select done from ed.progress")).scalar_one())


def wait_for(condition: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.05)


def test_a_job_is_queued_with_the_transaction_and_gone_with_its_rollback(engine: Engine, app_engine: Engine) -> None:
    with app_engine.connect() as connection:
        jobs.enqueue(connection, "note", word="never")
        connection.rollback()
    assert states(engine) == []
    with engines.transaction(app_engine) as connection:
        assert jobs.enqueue(connection, "note", word="kept")
        assert states(engine) == []
    assert states(engine) == ["todo"]


def test_a_job_asked_for_once_is_queued_once_and_harms_no_transaction(engine: Engine, app_engine: Engine) -> None:
    with engines.transaction(app_engine) as connection:
        assert jobs.enqueue(connection, "note", once="rebuild", word="a")
        assert jobs.enqueue(connection, "note", once="rebuild", word="b") is None
        assert jobs.enqueue(connection, "note", word="c")
    assert states(engine) == ["todo", "todo"]


def test_an_unknown_task_is_an_error_at_once(app_engine: Engine) -> None:
    with pytest.raises(KeyError), engines.transaction(app_engine) as connection:
        jobs.enqueue(connection, "nothing")


def test_a_name_is_registered_once() -> None:
    with pytest.raises(ValueError, match="twice"):
        jobs.task("note")(lambda job: None)


def test_jobs_are_worked_off_and_removed(engine: Engine, app_engine: Engine,
                                         work: Callable[..., subprocess.Popen[bytes]]) -> None:
    work()
    with engines.transaction(app_engine) as connection:
        for word in ("one", "two", "three"):
            jobs.enqueue(connection, "note", lock="in order", word=word)
    wait_for(lambda: words(engine) == ["one", "two", "three"])
    wait_for(lambda: states(engine) == [])


def test_a_failing_job_is_tried_again_and_then_kept_as_failed(engine: Engine, app_engine: Engine,
                                                              work: Callable[..., subprocess.Popen[bytes]]) -> None:
    with engines.transaction(app_engine) as connection:
        jobs.enqueue(connection, "fail")
    work()
    wait_for(lambda: states(engine) == ["failed"])
    assert words(engine) == ["failed", "failed"]


def test_a_killed_workers_job_goes_on_where_it_was(engine: Engine, app_engine: Engine,
                                                   work: Callable[..., subprocess.Popen[bytes]]) -> None:
    with engines.transaction(app_engine) as connection:
        jobs.enqueue(connection, "count", to=40)
    first = work()
    wait_for(lambda: done(engine) > 3)
    first.kill()
    first.wait()
    stopped_at = done(engine)
    assert stopped_at < 40
    work()
    wait_for(lambda: done(engine) == 40 and states(engine) == [])


def test_a_stopped_worker_gives_its_job_back_at_once(engine: Engine, app_engine: Engine,
                                                     work: Callable[..., subprocess.Popen[bytes]]) -> None:
    with engines.transaction(app_engine) as connection:
        jobs.enqueue(connection, "count", to=400)
    first = work()
    wait_for(lambda: done(engine) > 3)
    first.send_signal(signal.SIGTERM)
    assert first.wait(60) == 0
    assert done(engine) < 400
    assert states(engine) == ["todo"]


def test_a_worker_takes_jobs_of_its_queues_only(engine: Engine, app_engine: Engine,
                                                work: Callable[..., subprocess.Popen[bytes]]) -> None:
    with engines.transaction(app_engine) as connection:
        jobs.enqueue(connection, "count", to=1)
        jobs.enqueue(connection, "note", word="mine")
    work("default")
    wait_for(lambda: words(engine) == ["mine"])
    time.sleep(0.3)
    assert states(engine) == ["todo"]


def test_a_repeated_task_runs_without_being_queued(engine: Engine,
                                                   work: Callable[..., subprocess.Popen[bytes]]) -> None:
    def ticks() -> int:
        with engine.connect() as connection:
            return int(connection.execute(text("select count(*) from ed.noted where word = 'tick'")).scalar_one())
    work()
    wait_for(lambda: ticks() >= 3)
