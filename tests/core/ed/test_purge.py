"""Removing for good: what is old enough and needed by nothing, with all that is kept of it; nothing else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine, text

from core.database.jobs import Job, once_a_day
from core.ed import purge_job
from core.ed.files import FileStore, Upload, digest
from core.ed.purge import Purged, order, purge
from core.ed.purge_job import purge_daily
from core.errors import Denied, Invalid, NotFound
from core.settings import Settings
from tests.fixtures.writing import World, writing_world


@pytest.fixture
def world(engine: Engine, app_engine: Engine, database: Settings) -> World:
    with engine.begin() as connection:
        for table in connection.scalars(text("select tablename from pg_tables where schemaname = 'ed'")).all():
            connection.exec_driver_sql(f'drop table ed."{table}" cascade')
        connection.execute(text("truncate sys.history, sys.file, sys.search, sys.physical, sys.remark"))
    world = writing_world(engine, app_engine, database.home)
    with engine.begin() as connection:
        for (identity, part), (table, column) in world.system.physical.items():
            connection.execute(text("insert into sys.physical (id, part, table_name, column_name) values (:i, :p, :t, :c)"),
                               {"i": identity, "p": part, "t": table, "c": column})
    return world


def make(world: World, table: str = "deal", **values: object) -> int:
    with world.records() as records:
        given = {"name": "made", **({} if table == "label" else {"owner": world["sue"]}), **values}
        [id_] = records.create(table, [given])
    return id_


def trash(world: World, engine: Engine, table: str, *ids: int, days: int = 100) -> None:
    with world.records() as records:
        records.delete(table, ids)
    with engine.begin() as connection:
        for name in connection.scalars(text("select tablename from pg_tables where schemaname = 'ed'")).all():
            connection.exec_driver_sql(f'update ed."{name}" set _deleted_on = _deleted_on - interval \'{days} days\''
                                       " where _deleted_on > now() - interval '1 hour'")


def there(engine: Engine, world: World, table: str, id_: int) -> bool:
    with engine.connect() as connection:
        source = world.system.stored(table).table
        return connection.execute(source.select().where(source.c.id == id_)).first() is not None


def history(engine: Engine, id_: int) -> list[Any]:
    with engine.connect() as connection:
        return list(connection.scalars(text("select change from sys.history where record_id = :id order by id"), {"id": id_}))


def run(world: World, user: str | None = None, days: int = 90, **options: Any) -> Purged:
    return purge(lambda: _session(world, user), days, **options)


def _session(world: World, user: str | None) -> Any:
    from contextlib import contextmanager

    @contextmanager
    def opened():  # type: ignore[no-untyped-def]
        with world.records(user, how="system") as records:
            yield records.session
    return opened()


def test_what_is_old_goes_with_its_lines_files_and_history_and_the_rest_stays(world: World, engine: Engine) -> None:
    old = make(world, lines=[{"price": 1}, {"price": 2}], paper=Upload("a", b"old paper"))
    young, kept = make(world), make(world)
    trash(world, engine, "deal", old)
    trash(world, engine, "deal", young, days=10)
    done = run(world, "ada")
    assert done.records == {"deal": 1, "deal_line": 2} and (done.files, done.kept) == (1, 0)
    assert [there(engine, world, "deal", id_) for id_ in (old, young, kept)] == [False, True, True]
    [last] = history(engine, old)
    assert list(last) == ["_purged"] and len(history(engine, young)) == 2
    with engine.connect() as connection:
        row = connection.execute(text("select user_id, how from sys.history where record_id = :id"), {"id": old}).one()
        assert tuple(row) == (world["ada"], "system")
        assert connection.scalar(text("select count(*) from sys.file")) == 0
    store = FileStore(world.home / "files")
    with world.engine.begin() as connection:
        assert store.collect(connection, grace=-1) == 1 and not store.path(digest(b"old paper")).exists()
    with pytest.raises(NotFound), world.records("ada") as records:
        records.restore("deal", [old])
    assert run(world).count == 0


def test_history_may_be_kept(world: World, engine: Engine) -> None:
    old = make(world)
    trash(world, engine, "deal", old)
    run(world, forget=False)
    assert len(history(engine, old)) == 3 and not there(engine, world, "deal", old)


def test_what_something_still_links_to_stays(world: World, engine: Engine) -> None:
    customer, label, alone = make(world, "customer"), make(world, "label", name="x"), make(world, "customer")
    first = make(world, customer=customer)
    tagged = make(world, "customer", tags=[label])
    trash(world, engine, "deal", first, days=10)
    trash(world, engine, "customer", tagged, days=10)
    trash(world, engine, "customer", customer, alone)
    trash(world, engine, "label", label)
    done = run(world)
    assert done.records == {"customer": 1} and done.kept == 2
    with world.records() as records:
        records.restore("customer", [customer])
        records.restore("deal", [first])


def test_records_that_link_in_a_circle_go_together(world: World, engine: Engine) -> None:
    above = make(world, "customer", name="above")
    below = make(world, "customer", name="below", parent=above)
    trash(world, engine, "customer", below, above)
    with engine.begin() as connection:
        stored = world.system.stored("customer")
        for one, other in ((above, below), (below, above)):
            connection.execute(stored.table.update().where(stored.table.c.id == one).values(
                {stored.column("parent"): other}))
    assert run(world).records == {"customer": 2}


def test_a_dry_run_and_anybody_but_an_administrator_remove_nothing(world: World, engine: Engine,
                                                                    unchanged: Callable[[], Any]) -> None:
    old = make(world, lines=[{"price": 1}])
    trash(world, engine, "deal", old)
    with unchanged():
        assert run(world, dry_run=True).records == {"deal": 1, "deal_line": 1}
        with pytest.raises(Denied):
            run(world, "sue")


def test_people_and_what_was_shipped_are_never_removed(world: World, engine: Engine) -> None:
    label = make(world, "label", name="shipped")
    trash(world, engine, "label", label)
    with world.records() as records:
        [person] = records.create("user", [{"name": "gone"}])
    trash(world, engine, "user", person)
    with engine.begin() as connection:
        connection.execute(text("insert into sys.seed values (1, 'k', 'l', '{}', :id)"), {"id": label})
    try:
        assert run(world).count == 0
    finally:
        with engine.begin() as connection:
            connection.execute(text("delete from sys.seed"))


def test_zero_days_are_for_ever(world: World, engine: Engine) -> None:
    trash(world, engine, "deal", make(world), days=20_000)
    assert run(world, days=0).count == 0


def test_the_app_role_forgets_no_history_of_what_is_there(world: World, engine: Engine) -> None:
    id_ = make(world)
    with world.engine.begin() as connection:
        assert connection.scalar(text("select sys.forget_history(:ids)"), {"ids": [id_]}) == 0
    assert len(history(engine, id_)) == 1


def test_once_a_day_it_is_done_by_whichever_process_is_first(world: World, engine: Engine) -> None:
    settings = Settings(home=world.home, trash_days=30)
    job = Job(world.engine, lambda connection: world.system, lambda: False, settings=settings)
    with engine.begin() as connection:
        connection.execute(text("delete from sys.setting where key = 'purged'"))
    first, second = make(world), make(world)
    trash(world, engine, "deal", first)
    purge_daily(job)
    assert not there(engine, world, "deal", first)
    trash(world, engine, "deal", second)
    purge_daily(job)
    assert there(engine, world, "deal", second)
    with engine.begin() as connection:
        connection.execute(text("update sys.setting set value = to_jsonb(now() - interval '25 hours') where key = 'purged'"))
    purge_daily(job)
    assert not there(engine, world, "deal", second)


@pytest.mark.parametrize(("since", "due"), [
    ("-1 hours", False), ("0 hours", False), ("1 hours", False), ("23 hours 59 minutes", False), ("24 hours 1 minutes", True)])
def test_past_case_54_a_day_is_a_day_however_the_clock_steps(world: World, engine: Engine, since: str, due: bool) -> None:
    """Once in 24 hours, by one; an hour back (what was done last lies ahead) does it no second time. In UTC, so nights count alike."""
    with engine.begin() as connection:
        assert connection.scalar(text("show timezone")) == "UTC"
        connection.execute(text("insert into sys.setting (key, value) values ('purged', to_jsonb(now() - cast(:since as interval)))"
                                " on conflict (key) do update set value = excluded.value"), {"since": since})
        claims = [once_a_day(connection, purge_job.LAST) for _ in range(2)]
    assert claims == [due, False]


def test_what_is_locked_stays_with_all_it_needs(world: World, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    deal, other = make(world, lines=[{"price": 1}]), make(world)
    trash(world, engine, "deal", deal, other)
    with engine.connect() as connection:
        source = world.system.stored("deal_line").table
        line = connection.scalar(source.select().with_only_columns(source.c.id).where(
            source.c[world.system.stored("deal_line").name("deal")] == deal))
    monkeypatch.setattr("core.ed.purge._is_locked", lambda session, table, id_: id_ == line)
    done = run(world)
    assert done.records == {"deal": 1} and done.kept == 2
    assert there(engine, world, "deal", deal) and there(engine, world, "deal_line", line)


@pytest.mark.parametrize(("edges", "waves"), [
    ([], [{"a": [1, 2, 3]}]),
    ([(1, 2), (2, 3)], [{"a": [1]}, {"a": [2]}, {"a": [3]}]),
    ([(9, 2), (2, 3)], [{"a": [1]}]),                               # who is not going needs 2, and 2 needs 3
    ([(1, 2), (2, 1)], [{"a": [3]}, {"a": [1, 2]}]),
    ([(1, 1)], [{"a": [1, 2, 3]}]),
])
def test_who_links_goes_before_who_is_linked_to(edges: list[tuple[int, int]], waves: list[dict[str, list[int]]]) -> None:
    assert list(order({"a": [1, 2, 3]}, edges)) == waves


def test_a_record_does_not_come_back_without_what_it_needs(world: World, engine: Engine,
                                                           unchanged: Callable[[], Any]) -> None:
    deal = make(world, lines=[{"price": 1}])
    trash(world, engine, "deal", deal)
    with engine.begin() as connection:
        source = world.system.stored("deal_line").table
        line = connection.scalar(source.select().with_only_columns(source.c.id))
    with unchanged(), pytest.raises(Invalid) as error, world.records() as records:
        records.restore("deal_line", [line])
    assert error.value.problems[0].code == "trashed"
