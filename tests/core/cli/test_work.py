"""`work`: what is written is found a moment later; a killed rebuild of the index is finished by the next process."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import text

from core.database import jobs
from core.settings import ROOT
from tests.core.bm.conftest import Live, database_of_test, system

__all__ = ["database_of_test", "system"]


@pytest.fixture
def work(system: Live) -> Iterator[Callable[[], subprocess.Popen[bytes]]]:
    started = []

    def start() -> subprocess.Popen[bytes]:
        environ = {**os.environ, "TESSERA_HOME": str(system.settings.home),
                   "TESSERA_DATABASE": str(system.settings.database),
                   "TESSERA_METADATA": str(system.settings.metadata),
                   "TESSERA_ADDONS": os.pathsep.join(map(str, system.settings.addons))}
        started.append(subprocess.Popen([sys.executable, "server.py", "work"], cwd=ROOT, env=environ))
        return started[-1]

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.wait()


def wait_for(condition: Callable[[], bool], seconds: float = 90) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.02)


def count(system: Live, source: str) -> int:
    with system.engine.connect() as connection:
        return int(connection.execute(text(f"select count(*) from {source}")).scalar_one())


def test_what_is_written_is_indexed_a_moment_later(system: Live, work: Callable[[], subprocess.Popen[bytes]]) -> None:
    system.site.write("search.yaml", "change: table company\nfields:\n  name: {search: words}\n")
    system.promote(message="Search")
    process = work()
    wait_for(lambda: count(system, "sys.worker") > 0)
    record = system.create("company", name="Acme Rockets")
    wait_for(lambda: count(system, f"sys.search where record_id = {record} and tsv @@ 'rockets'") == 1)
    process.terminate()
    assert process.wait(60) == 0
    assert count(system, "sys.worker") == 0


@pytest.mark.slow
def test_a_killed_rebuild_is_finished_by_the_next_process(system: Live,
                                                          work: Callable[[], subprocess.Popen[bytes]]) -> None:
    system.site.write("search.yaml", "change: table company\nfields:\n  name: {search: words}\n")
    system.promote(message="Search")
    for batch in range(3):
        rows = [{"name": f"Company {batch}.{n}"} for n in range(2000)]
        system.records(lambda records, rows=rows: records.create("company", rows))
    with system.engine.begin() as connection:
        connection.execute(text("delete from sys.search_queue"))
        jobs.enqueue(connection, "rebuild_search", once="rebuild_search")
    first = work()
    wait_for(lambda: count(system, "sys.search") > 0)
    first.kill()
    first.wait()
    assert count(system, "sys.search") < 6000
    assert count(system, "jobs.procrastinate_jobs where status = 'doing'") == 1
    work()
    wait_for(lambda: count(system, "jobs.procrastinate_jobs") == 0)
    assert count(system, "sys.search") == 6000
    assert count(system, "sys.setting where key = 'rebuild_search'") == 0
