"""Promotions that broke off end by themselves: finished, or taken back, by whoever comes next."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from sqlalchemy import Engine, text

from core.bm import promotion_job, service
from core.bm.engine import altering, journal, wishes
from core.bm.engine.lock import holding
from core.bm.engine.run import Action
from core.bm.engine.steps import Step
from core.bm.settling import nothing
from core.database import ddl
from core.database.ddl import Busy
from core.database.jobs import Job
from core.errors import Refused
from tests.core.bm.conftest import Live
from tests.core.bm.engine.test_wishes import CHANGE, NEW, catalog, state, wait_for


class Killed(BaseException):
    """Nobody catches this, as nobody catches a kill."""


def change(system: Live) -> list[Step]:
    system.create("deal", title="Pilot", amount=10)
    system.site.write("deal.yaml", CHANGE)
    system.site.write("visit.yaml", NEW)
    return list(system.plan().plan.steps)


def kill_before(system: Live, kind: str) -> None:
    def say(step: Step) -> None:
        if step.kind == kind:
            raise Killed
    with pytest.raises(Killed):
        system.promote(say=say)


def job(system: Live, stopping: bool = False) -> Job:
    return Job(system.engine, lambda connection: None, lambda: stopping, settings=system.settings)


def work_alive(system: Live) -> None:
    with system.engine.begin() as connection:
        connection.execute(text(
            "insert into sys.worker (id, pid, kind, version, prepared, lease_until)"
            " select gen_random_uuid(), 1, 'work', n, n, now() + interval '1 minute' from generate_series(1, 1) n"))


BEFORE = ("expand", "index", "suspend", "prepare", "flip")
AFTER = ("acknowledge", "compute", "validate")


@pytest.mark.parametrize("kind", BEFORE)
def test_fault_17_killed_before_the_flip_the_work_process_goes_on_by_itself(system: Live, kind: str) -> None:
    change(system)
    kill_before(system, kind)
    assert system.version == 1
    promotion_job.settle_promotions(job(system))
    assert system.version == 2 and system.plan().plan.empty and state(system) == "done"


def test_fault_17_killed_when_a_unique_rule_is_loosened_already_it_goes_on(system: Live) -> None:
    system.site.write("unique.yaml", "change: table company\nunique: {name: {fields: [name]}}\n")
    system.promote()
    system.site.write("unique.yaml", None)
    kill_before(system, "flip")
    assert system.sql("select state from bm.step where kind = 'loosen'") == [("done",)]
    promotion_job.settle_promotions(job(system))
    assert system.version == 1 and system.plan().plan.empty and state(system) == "done"


@pytest.mark.parametrize("kind", AFTER)
def test_fault_17_killed_after_the_flip_the_work_process_finishes_it(system: Live, kind: str) -> None:
    change(system)
    kill_before(system, kind)
    assert (system.version, state(system)) == (2, "flipped")
    promotion_job.settle_promotions(job(system))
    assert system.plan().plan.empty and state(system) == "done"


@pytest.mark.parametrize("kind", BEFORE)
def test_killed_before_the_flip_and_not_wanted_any_more_it_is_undone(system: Live, kind: str) -> None:
    before = catalog(system)
    change(system)
    kill_before(system, kind)
    assert service.finish_earlier(system.engine, system.plugins, wanted=nothing)
    assert catalog(system) == before and (system.version, state(system)) == (1, "abandoned")


def test_fault_19_a_key_that_old_records_do_not_keep_is_told_and_does_not_keep_the_promotion_open(
        system: Live) -> None:
    """Somebody took a key away and a record with it; the next promotion makes the key again."""
    parent = system.create("company", name="Parent")
    system.create("company", name="Child", parent=parent)
    [(table, key)] = system.sql("select conrelid::regclass, conname from pg_constraint where conname ="
                                " (select 'fk_' || id from bm.member where path = 'company.parent')")
    with system.engine.begin() as connection:
        connection.exec_driver_sql(f"alter table {table} drop constraint {key}")
        connection.exec_driver_sql(f"delete from {table} where id = {parent}")
    system.site.write("company.yaml", "change: table company\nfields: {region: {type: text}}\n")
    assert system.promote() == 2
    assert state(system) == "done" and system.sql("select state from bm.step where kind = 'validate' and promotion_id = 2"
                                                  ) == [("failed",)]
    error = system.told(2)
    assert "company: old records do not keep what counts for all that is written from now on: Key (parent" in error
    assert system.promote() == 2 and system.create("company", name="Other")


def test_killed_while_it_is_undone_the_undoing_goes_on(system: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    before = catalog(system)
    change(system)
    kill_before(system, "prepare")
    original = journal.step_undone

    def killed(*arguments: Any) -> None:
        original(*arguments)
        raise Killed
    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(journal, "step_undone", killed)
        service.finish_earlier(system.engine, system.plugins, wanted=nothing)
    assert state(system) == "undoing" and catalog(system) != before
    promotion_job.settle_promotions(job(system))
    assert catalog(system) == before and state(system) == "abandoned"


def test_what_somebody_changed_by_hand_meanwhile_stops_it(system: Live) -> None:
    change(system)
    kill_before(system, "prepare")
    with system.engine.begin() as connection:
        connection.execute(text("create table ed.by_hand (id bigint)"))
    before = system.version
    promotion_job.settle_promotions(job(system))
    assert (system.version, state(system)) == (before, "abandoned")
    assert system.told(2) == "the tables of the records changed since the plan was made"


def test_another_folder_than_that_of_the_promotion_takes_it_back_first(system: Live) -> None:
    change(system)
    kill_before(system, "prepare")
    system.site.write("deal.yaml", "change: table deal\nfields: {other: {type: text}}\n")
    system.promote()
    assert system.sql("select state from bm.promotion order by id") == [("done",), ("abandoned",), ("done",)]
    assert not [name for name in system.columns() if "region" in name]


def test_a_rollback_takes_back_what_is_not_live(system: Live) -> None:
    system.site.write("region.yaml", "change: table company\nfields: {region: {type: text}}\n")
    system.promote()
    change(system)
    kill_before(system, "prepare")
    assert system.rollback() == 1
    assert [row for row, in system.sql("select state from bm.promotion order by id")] == [
        "done", "done", "abandoned", "done"]


def test_fault_21_a_second_promotion_is_refused_while_a_job_waits(system: Live) -> None:
    change(system)
    work_alive(system)
    planned = system.plan()
    number = service.begin_promotion(system.settings, system.engine, planned, "Regions", "anna", None, system.plugins)
    assert number == 2 and state(system) == "waiting" and system.version == 1
    told = "another promotion is under way: number 2 by anna"
    with pytest.raises(Refused, match=told):
        system.promote(planned=planned)
    with pytest.raises(Refused, match=told):
        service.begin_promotion(system.settings, system.engine, planned, "", "bob", None, system.plugins)
    with pytest.raises(Refused, match=told):
        system.rollback()
    assert system.sql("select args from jobs.procrastinate_jobs where task_name = 'run_promotion'") == [
        ({"promotion": 2},)]


def test_what_a_page_begins_is_run_by_the_work_process_and_told_in_the_folder(
        system: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    from core.bm import switching
    from core.bm.versions import folder
    monkeypatch.setattr(switching, "_unprepared", lambda run: [])
    monkeypatch.setattr(switching, "_behind", lambda run: [])
    change(system)
    work_alive(system)
    number = service.begin_promotion(system.settings, system.engine, system.plan(), "Regions", "anna", None,
                                     system.plugins)
    before = folder.read_base(system.settings.metadata)
    promotion_job.run_promotion(job(system), promotion=number)
    assert (system.version, state(system)) == (2, "done")
    assert folder.read_base(system.settings.metadata) != before and system.plan().plan.empty
    planned = service.plan_rollback(system.settings, system.engine, plugins=system.plugins)
    service.begin_promotion(system.settings, system.engine, planned, "", "anna", None, system.plugins)
    promotion_job.settle_promotions(job(system))
    assert system.version == 1
    assert system.sql("select message, by_name from bm.promotion where id = 3") == [("", "anna")]


def test_without_a_work_process_a_page_is_told_so_and_nothing_is_written(system: Live) -> None:
    change(system)
    with pytest.raises(Refused, match="no work process is running"):
        service.begin_promotion(system.settings, system.engine, system.plan(), "", "anna", None, system.plugins)
    assert system.sql("select count(*) from bm.promotion") == [(1,)]


def test_nothing_to_change_begins_nothing(system: Live) -> None:
    assert service.begin_promotion(system.settings, system.engine, system.plan(), plugins=system.plugins) is None


def test_what_a_person_paused_rests_until_they_say_so(system: Live) -> None:
    change(system)
    kill_before(system, "prepare")
    with system.engine.begin() as connection:
        wishes.ask(connection, 2, "pause", "anna")
    promotion_job.settle_promotions(job(system))
    assert (system.version, state(system)) == (1, "running")
    with pytest.raises(Refused, match="promotion 2 was paused by anna; `promotions --continue 2` goes on"):
        system.promote()
    with system.engine.begin() as connection:
        wishes.ask(connection, 2, "continue", "anna")
    promotion_job.settle_promotions(job(system))
    assert (system.version, state(system)) == (2, "done")


def test_what_somebody_runs_is_left_alone(system: Live) -> None:
    change(system)
    kill_before(system, "prepare")
    with holding(system.engine, "anna"):
        promotion_job.settle_promotions(job(system))
        assert (system.version, state(system)) == (1, "running")
    promotion_job.settle_promotions(job(system))
    assert system.version == 2


def busy(system: Live, monkeypatch: pytest.MonkeyPatch) -> str:
    """Shorter waits; the physical table of deals."""
    from core.bm.engine import run
    monkeypatch.setattr(ddl, "PAUSE", 0.05)
    monkeypatch.setattr(run, "BUDGET", 0.3)
    return str(system.sql("select table_name from sys.physical join bm.member using (id)"
                          " where path = 'ticket' and column_name is null")[0][0])


def test_fault_18_a_busy_table_pauses_the_promotion_and_names_who_holds_it(
        system: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    table = busy(system, monkeypatch)
    change(system)
    with system.engine.connect() as reader:
        reader.execute(text("set application_name = 'monthly report'"))
        reader.execute(text(f'select 1 from ed."{table}"'))
        with pytest.raises(Busy, match=r"monthly report \(process \d+\), for \d+ s: waits inside a transaction, select"):
            system.promote()
        [(paused,)] = system.sql("select paused from bm.promotion where id = 2")
        assert paused["why"] == "busy" and paused["blockers"][0]["params"]["name"] == "monthly report"
        promotion_job.settle_promotions(job(system))
        assert (system.version, state(system)) == (1, "running")
    promotion_job.settle_promotions(job(system))
    assert system.version == 1                              # one goes on when a person says so
    with system.engine.begin() as connection:
        wishes.ask(connection, 2, "continue", "anna")
    promotion_job.settle_promotions(job(system))
    assert (system.version, state(system)) == (2, "done")
    assert max(tries for tries, in system.sql("select tries from bm.statement")) == 1


def test_fault_18_a_table_that_is_busy_for_a_while_is_tried_again(
        system: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    table = busy(system, monkeypatch)
    from core.bm.engine import run
    monkeypatch.setattr(run, "BUDGET", 30.0)
    change(system)
    with system.engine.connect() as reader:
        reader.execute(text(f'select 1 from ed."{table}"'))
        promoting = threading.Thread(target=system.promote)
        promoting.start()
        wait_for(lambda: system.sql("select 1 from pg_locks where not granted and mode = 'AccessExclusiveLock'")
                 == [(1,)])
        wait_for(lambda: system.sql("select 1 from pg_locks where not granted and mode = 'AccessExclusiveLock'")
                 == [])                                     # it let go, so that others are not kept waiting
        reader.rollback()
    promoting.join(20)
    assert system.version == 2
    assert max(tries for tries, in system.sql("select tries from bm.statement where promotion_id = 2")) > 1


def test_a_busy_table_stops_no_undoing_for_good(system: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    before = catalog(system)
    table = busy(system, monkeypatch)
    change(system)
    kill_before(system, "index")
    with system.engine.connect() as reader:
        reader.execute(text(f'select 1 from ed."{table}"'))
        with pytest.raises(Busy):
            service.finish_earlier(system.engine, system.plugins, wanted=nothing)
    assert state(system) == "undoing"
    with system.engine.begin() as connection:
        [(said,)] = system.sql("select said from bm.fault")
        assert "busy" in str(said)
        wishes.ask(connection, 2, "continue", "anna")           # else it would wait until its next try
    promotion_job.settle_promotions(job(system))
    assert state(system) == "abandoned" and catalog(system) == before


def test_a_lost_connection_is_never_replaced_by_one_without_the_lock(system: Live) -> None:
    change(system)

    def say(step: Step) -> None:
        if step.kind == "index":
            with system.engine.begin() as connection:
                connection.execute(text(
                    "select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and granted"
                    " and pid <> pg_backend_pid() and database = (select oid from pg_database"
                    " where datname = current_database())"))
    with pytest.raises(Exception, match="terminat|gone|closed"):
        system.promote(say=say)
    assert (system.version, state(system)) == (1, "running")
    promotion_job.settle_promotions(job(system))
    assert (system.version, state(system)) == (2, "done")


def test_the_pool_that_holds_the_lock_has_one_connection(system: Live) -> None:
    with holding(system.engine, "anna") as line:
        assert isinstance(line, Engine)
        with line.connect(), pytest.raises(Refused, match="is gone"):
            line.connect()


def test_a_step_that_the_records_do_not_allow_is_told_and_stops_no_other(
        system: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    from core.bm import actions

    def refuse(run: Any, step: Step) -> None:
        raise Refused("3 records are empty in it")
    change(system)
    monkeypatch.setitem(actions.ACTIONS, "validate", Action(refuse, altering.undo_short))  # type: ignore[arg-type]
    number = next(step.number for step in system.plan().plan.steps if step.kind == "validate")
    assert system.promote() == 2
    assert state(system) == "done"
    assert service.last_error(system.engine).startswith(f"step {number} (validate): 3 records are empty in it")
    assert ("compute", "done") in system.sql("select kind, state from bm.step where promotion_id = 2")


def test_what_people_wrote_while_a_fill_was_undone_leaves_no_mark(
        system: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    """Marks are forgotten with the fill, and the triggers that make them go a moment later, with the columns."""
    from core.bm.engine import altering
    company = system.create("company", name="Acme", size=3)
    text_of = (system.site.folder / "addons/shop/company.yaml").read_text()
    system.site.addon("company.yaml", text_of.replace("size: {type: integer}", "size: {type: text}"))
    kill_before(system, "prepare")
    original = altering.undo_expand

    def write(*arguments: Any) -> None:
        version = system.read("company", company)["_version"]
        system.records(lambda records: records.update("company", [{"id": company, "_version": version, "size": 4}]))
        original(*arguments)
    from core.bm import actions
    monkeypatch.setitem(actions.ACTIONS, "expand",  # type: ignore[arg-type]
                        Action(actions.ACTIONS["expand"].do, write))
    assert service.finish_earlier(system.engine, system.plugins, wanted=nothing)
    assert system.sql("select count(*) from sys.touched") == [(0,)]
    assert system.read("company", company)["size"] == 4
