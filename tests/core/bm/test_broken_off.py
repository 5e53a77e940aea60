"""Promotions killed between any two steps: the next run continues or cleans up, and users see no half of it."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from core.bm.engine import altering
from core.bm.engine.run import Run
from core.bm.engine.steps import Step
from core.database import address
from core.database import engine as engines
from core.settings import Settings
from tests.core.bm.conftest import Live

WORK = """
    change: table deal
    fields:
      region: {type: text, after: company}
      buyer: {type: link, to: company}
      size: {type: integer}
    """


class Killed(BaseException):
    """Nobody catches this, as nobody catches a kill."""


def kill_before(number: int) -> object:
    def say(step: Step) -> None:
        if step.number == number:
            raise Killed
    return say


def prepare(system: Live) -> list[Step]:
    """Records to lose, and a change with a step of every kind that matters."""
    text_of_company = (system.site.folder / "addons/shop/company.yaml").read_text()
    system.create("company", name="Acme", size=3)
    system.site.addon("company.yaml", text_of_company.replace("  size: {type: integer}\n", ""))
    system.site.write("deal.yaml", WORK)
    system.site.write("regions.yaml", """
        data: firms
        of: company
        key: name
        records: {Globex: {}, Initech: {}}
        """)
    return list(system.plan().plan.steps)


NUMBERS = range(2, 11)


def check_whole(system: Live) -> None:
    """Live is the target, the journal is closed, the catalog says what the physical map says, nothing is left over."""
    assert system.plan().plan.empty
    assert not system.sql("select 1 from bm.promotion where state not in ('done', 'abandoned', 'failed')")
    assert not system.sql("select 1 from bm.member where state = 'new'")
    assert not system.sql("select 1 from pg_index where not indisvalid")
    assert not system.sql("select 1 from pg_constraint where contype = 'f' and not convalidated")
    mapped = {f"{table}.{column}" for table, column in system.sql(
        "select table_name, column_name from sys.physical where column_name is not null")}
    there = {name for name in system.columns() if name.rpartition("_")[2].isdigit() or name.endswith("_key")}
    assert mapped == there
    assert {row[0] for row in system.sql("select path from bm.member where state = 'parked'")} == {"company.size"}
    names = system.records(lambda records: [row["name"] for row in records.page("company", ["name"]).records])
    assert sorted(names) == ["Acme", "Globex", "Initech"]


@pytest.mark.parametrize("number", NUMBERS)
def test_requirement_3_killed_before_a_step_the_next_run_ends_it(system: Live, number: int) -> None:
    steps = prepare(system)
    assert len(steps) == NUMBERS[-1], [step.kind for step in steps]
    flip = next(step.number for step in steps if step.kind == "flip")
    with pytest.raises(Killed):
        system.promote(say=kill_before(number))
    assert system.version == (1 if number <= flip else 2)
    assert system.promote() == 2
    check_whole(system)


@pytest.mark.parametrize("number", [3, 6])
def test_requirement_3_killed_before_the_flip_and_given_up_nothing_stays_behind(system: Live, number: int) -> None:
    prepare(system)
    with pytest.raises(Killed):
        system.promote(say=kill_before(number))
    before = system.columns()
    system.site.write("deal.yaml", None)
    system.promote()
    check_whole(system)
    assert len(system.columns()) < len(before)


def test_requirement_3_killed_inside_a_step_its_journal_and_its_work_are_undone_together(
        system: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    prepare(system)
    original = altering.note_physical

    def killed(*arguments: Any) -> None:
        original(*arguments)
        raise Killed
    monkeypatch.setattr(altering, "note_physical", killed)
    before = system.columns()
    with pytest.raises(Killed):
        system.promote()
    assert system.columns() == before
    assert system.sql("select count(*) from bm.step s join bm.promotion p on p.id = promotion_id"
                      " where p.target = 2 and s.state = 'done'") == [(1,)]
    monkeypatch.undo()
    system.promote()
    check_whole(system)


def test_requirement_13_an_index_whose_runner_was_killed_before_it_said_so_is_in_the_journal_once(
        system: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    prepare(system)
    index = next(step for step in system.plan().plan.steps if step.kind == "index")
    for killed_at in ("ran", "done"):
        original = getattr(Run, killed_at)

        def killed(*given: Any, original: Any = original, **more: Any) -> None:
            if any(isinstance(one, Step) and one.number == index.number for one in given):
                raise Killed
            original(*given, **more)
        monkeypatch.setattr(Run, killed_at, killed)
        with pytest.raises(Killed):
            system.promote()
        monkeypatch.undo()
        assert system.sql("select count(*) from pg_indexes where schemaname = 'ed' and indexname = "
                          f"'{index.probe.names[0] if index.probe else ''}'") == [(1,)]
    system.promote()
    assert system.sql("select count(*), min(ended_on - started_on) > interval '0' from bm.statement"
                      f" where step = {index.number} and sql ilike 'create%index concurrently%'") == [(1, True)]
    check_whole(system)


def test_requirement_13_a_broken_index_of_an_earlier_try_is_made_again(system: Live, server: Settings) -> None:
    prepare(system)
    index = next(step for step in system.plan().plan.steps if step.kind == "index")
    assert index.probe is not None
    with pytest.raises(Killed):
        system.promote(say=kill_before(index.number))
    superuser = engines.connect_to(address.url(server, "superuser").set(database=system.engine.url.database))
    with superuser.begin() as connection:            # what a killed CREATE INDEX CONCURRENTLY leaves
        connection.exec_driver_sql(index.sql[0].replace(" CONCURRENTLY", ""))
        connection.execute(text("update pg_index set indisvalid = false where indexrelid = to_regclass(:name)"),
                           {"name": f"ed.{index.probe.names[0]}"})
    superuser.dispose()
    assert [step.kind for step in system.plan().plan.steps].count("index") == 1
    system.promote()
    check_whole(system)


def test_killed_twice_after_the_flip_it_still_ends(system: Live) -> None:
    steps = prepare(system)
    with pytest.raises(Killed):
        system.promote(say=kill_before(steps[-2].number))
    with pytest.raises(Killed):
        system.promote(say=kill_before(steps[-1].number))
    system.promote()
    check_whole(system)


def test_what_is_left_over_goes_without_locking_out_those_who_read_the_other_table_first(system: Live) -> None:
    prepare(system)
    with pytest.raises(Killed):
        system.promote(say=kill_before(6))
    system.site.write("deal.yaml", None)
    deal, company = (name for path in ("ticket", "company") for name, in system.sql(
        "select table_name from sys.physical join bm.member using (id)"
        f" where path = '{path}' and column_name is null"))
    ready, failures = threading.Event(), []

    def read() -> None:
        """Read the linked table, wait until someone wants it for himself, and read the other in the same transaction."""
        with system.engine.connect() as reader:
            reader.execute(text(f'select 1 from ed."{company}"'))
            ready.set()
            end = time.monotonic() + 30
            while time.monotonic() < end and not system.sql(
                    f"select 1 from pg_locks where not granted and relation = 'ed.\"{company}\"'::regclass"):
                time.sleep(0.005)
            try:
                reader.execute(text(f'select 1 from ed."{deal}"'))
            except DBAPIError as error:
                failures.append(str(error))
    thread = threading.Thread(target=read)
    thread.start()
    assert ready.wait(10)
    system.promote()
    thread.join()
    assert failures == []
    check_whole(system)
