"""The search index's jobs: what was written is indexed, and a rebuild that is cut off goes on where it was."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import Engine, delete, func, select

from core.database.jobs import Job, Stopped
from core.ed import jobs, tables
from tests.core.ed.world import World, build


@pytest.fixture(scope="module")
def world(engine: Engine) -> World:
    return build(engine)


def job(engine: Engine, world: World, number: int = 1, stopping: Callable[[], bool] = lambda: False) -> Job:
    return Job(engine, lambda connection: world.system, stopping, number)


def words(engine: Engine) -> set[tuple[int, int, str]]:
    """The whole index."""
    with engine.connect() as connection:
        return {(row.record_id, row.part, row.tsv) for row in connection.execute(select(tables.search))}


def waiting(engine: Engine) -> int:
    with engine.connect() as connection:
        return int(connection.execute(select(func.count()).select_from(tables.search_queue)).scalar_one())


def test_a_rebuild_makes_the_index_as_it_was(engine: Engine, app_engine: Engine, world: World) -> None:
    before = words(engine)
    with engine.begin() as connection:
        connection.execute(delete(tables.search))
    jobs.rebuild_search(job(app_engine, world))
    assert words(engine) == before
    assert waiting(engine) == 0


def test_a_rebuild_removes_the_words_of_records_that_are_gone(engine: Engine, app_engine: Engine,
                                                              world: World) -> None:
    before = words(engine)
    table_id = world.system.stored("company").type_id
    with engine.begin() as connection:
        connection.execute(tables.search.insert().values(record_id=10**9, table_id=table_id, part=0, tsv="ghost",
                                                         label="Ghost"))
    jobs.rebuild_search(job(app_engine, world))
    assert words(engine) == before


def test_a_rebuild_that_is_stopped_goes_on_with_the_next_table(engine: Engine, app_engine: Engine, world: World,
                                                              monkeypatch: pytest.MonkeyPatch) -> None:
    before = words(engine)
    queued: list[str] = []
    original = jobs.queue_all
    monkeypatch.setattr(jobs, "queue_all",
                        lambda connection, system, names: queued.extend(names) or original(connection, system, names))
    with engine.begin() as connection:
        connection.execute(delete(tables.search))
    asked = iter([False] * 4 + [True])
    with pytest.raises(Stopped):
        jobs.rebuild_search(job(app_engine, world, 7, lambda: next(asked)))
    assert words(engine) < before
    jobs.rebuild_search(job(app_engine, world, 7))
    assert words(engine) == before
    assert len(queued) == len(set(queued)) == len([t for t in world.system.model.tables.values() if not t.abstract])


def test_another_rebuild_begins_anew(engine: Engine, app_engine: Engine, world: World) -> None:
    asked = iter([False] * 4 + [True])
    with pytest.raises(Stopped):
        jobs.rebuild_search(job(app_engine, world, 8, lambda: next(asked)))
    before = words(engine)
    with engine.begin() as connection:
        connection.execute(delete(tables.search))
    jobs.rebuild_search(job(app_engine, world, 9))
    assert words(engine) == before


def test_nothing_is_indexed_before_there_is_a_version(app_engine: Engine, engine: Engine) -> None:
    jobs.rebuild_search(Job(app_engine, lambda connection: None, lambda: False))
    assert waiting(engine) == 0
