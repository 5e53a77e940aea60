"""The journal of promotions: what was run, by whom, how far it is; and that nobody changes it afterwards."""

from __future__ import annotations

import os

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from core.bm.engine import altering, journal
from core.bm.engine.batches import Batches
from core.bm.engine.journal import Superseded, Turn
from core.bm.engine.run import Action, Run
from core.bm.engine.steps import Step
from core.errors import NotFound
from tests.core.bm.conftest import Live

CHANGE = """
    change: table deal
    fields:
      region: {type: text, after: company}
      buyer: {type: link, to: company}
    indexes: {by_amount: {fields: [amount]}}
    """


def last(system: Live) -> int:
    return int(system.sql("select max(id) from bm.promotion")[0][0])


def test_what_was_run_is_what_the_plan_said_in_its_order(system: Live) -> None:
    system.site.write("deal.yaml", CHANGE)
    planned = [(step.number, sql) for step in system.plan().plan.steps for sql in step.sql]
    assert len(planned) > 4
    system.promote()
    with system.engine.connect() as connection:
        ran = journal.statements(connection, last(system))
    assert [(one.step, one.sql) for one in ran] == planned
    assert [one.number for one in ran] == list(range(1, len(ran) + 1))
    assert all(one.seconds > 0 and one.tries == 1 and not one.undo for one in ran)


def test_the_first_version_has_its_statements_too(system: Live) -> None:
    with system.engine.connect() as connection:
        ran = [one.sql for one in journal.statements(connection, 1)]
    assert any(one.startswith("create table ed.") for one in ran)
    assert ran == [sql for (plan,) in system.sql("select plan from bm.promotion where id = 1")
                   for step in plan["steps"] for sql in step["sql"]]


def test_progress_tells_who_what_and_how_far(system: Live) -> None:
    system.site.write("deal.yaml", CHANGE)
    seen: list[journal.Progress] = []

    def say(step: Step) -> None:
        with system.engine.connect() as connection:
            seen.append(journal.progress(connection, last(system)))
    system.promote(author="anna", message="Regions", say=say)
    first, later = seen[0], next(one for one in seen if one.state == "flipped")
    assert (first.by, first.message, first.base, first.target, first.process) == ("anna", "Regions", 1, 2, os.getpid())
    assert [step.state for step in first.steps] == ["done"] + ["waiting"] * (len(first.steps) - 1)
    assert first.may_cancel and not later.may_cancel and not first.ended
    with system.engine.connect() as connection:
        done = journal.progress(connection, last(system))
    assert done.ended and {step.state for step in done.steps} == {"done"} and done.error is None
    assert all(step.seconds_left is None for step in done.steps)


def test_of_a_promotion_that_never_was_there_is_no_progress(system: Live) -> None:
    with system.engine.connect() as connection, pytest.raises(NotFound, match="no promotion 77"):
        journal.progress(connection, 77)


def test_requirement_13_time_left_follows_from_a_steps_own_speed(system: Live) -> None:
    """Of 1,000 records 200 are done; 150 of them in the 30 seconds since it went on: 160 seconds for the others."""
    system.site.write("deal.yaml", CHANGE)
    system.promote()
    with system.engine.begin() as connection:
        connection.execute(text("alter table bm.promotion disable trigger user"))
        connection.execute(text("alter table bm.step disable trigger user"))
        connection.execute(text("update bm.promotion set state = 'flipped', ended_on = null where id = 2"))
        connection.execute(text(
            "update bm.step set state = 'running', done = 200, total = 1000, since_done = 50, ended_on = null,"
            " started_on = now() - interval '1 hour', since = now() - interval '30 seconds'"
            " where promotion_id = 2 and kind = 'validate'"))
        [step] = [one for one in journal.progress(connection, 2).steps if one.state == "running"]
        connection.rollback()
    assert step.seconds_left == pytest.approx(160, rel=0.1) and step.seconds == pytest.approx(3600, rel=0.1)


@pytest.mark.parametrize("statement", [
    "update bm.promotion set state = 'running'", "update bm.promotion set message = 'other'",
    "update bm.promotion set by_name = 'somebody'", "delete from bm.promotion",
    "update bm.step set error = null", "delete from bm.step", "update bm.statement set sql = ''",
    "delete from bm.statement", "truncate bm.statement", "truncate bm.promotion cascade", "truncate bm.step",
    "delete from bm.wish", "update bm.wish set wish = 'pause'"])
def test_what_has_ended_is_neither_changed_nor_deleted_even_by_the_owner(system: Live, statement: str) -> None:
    system.site.write("deal.yaml", CHANGE)
    planned = system.plan()
    asked: list[int] = []

    def ask(step: Step) -> None:
        if not asked:
            asked.append(1)
            with system.engine.begin() as connection:
                connection.execute(text(
                    "insert into bm.wish (promotion_id, wish, by_name, host, process) select max(id), 'continue',"
                    " 'anna', '', 1 from bm.promotion"))
    system.promote(planned=planned, say=ask)
    before = [system.sql(f"select md5(string_agg(t::text, '' order by t::text)) from bm.{table} t")
              for table in ("promotion", "step", "statement", "wish")]
    with pytest.raises(DBAPIError, match="only added to"), system.engine.begin() as connection:
        connection.execute(text(statement))
    assert before == [system.sql(f"select md5(string_agg(t::text, '' order by t::text)) from bm.{table} t")
                      for table in ("promotion", "step", "statement", "wish")]


def test_an_account_that_goes_leaves_its_name_in_the_journal(system: Live) -> None:
    with system.engine.begin() as connection:
        account = connection.scalar(text(
            "insert into sys.account (user_id, login, password) values (1, 'anna', 'x') returning id"))
    system.site.write("deal.yaml", CHANGE)
    system.promote(author="anna", account=account)
    with system.engine.begin() as connection:
        connection.execute(text("delete from sys.account where login = 'anna'"))
    assert system.sql("select by_name, by_account from bm.promotion where id = 2") == [("anna", None)]


def test_a_process_whose_promotion_was_taken_over_writes_nothing_any_more(
        system: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    """The zombie: it slept while its lock was lost, and wakes up in the midst of its steps."""
    system.site.write("deal.yaml", CHANGE)

    def say(step: Step) -> None:
        if step.kind == "index":
            with system.engine.begin() as connection:
                journal.take(connection, last(system))
    before = system.version
    with pytest.raises(Superseded):
        system.promote(say=say)
    assert system.version == before
    assert system.sql("select state from bm.promotion where id = 2") == [("running",)]
    assert {state for (state,) in system.sql("select state from bm.step where promotion_id = 2 and kind = 'index'")
            } == {"waiting"}
    system.promote()
    assert system.version == 2


def test_each_writing_function_asks_for_the_turn(system: Live) -> None:
    system.site.write("deal.yaml", CHANGE)
    steps = system.plan().plan.steps

    def refused(step: Step) -> None:
        old = Turn(last(system), 0)
        for write in (lambda c: journal.step_started(c, old, step), lambda c: journal.step_done(c, old, step),
                      lambda c: journal.step_undone(c, old, step), lambda c: journal.step_failed(c, old, step, "x"),
                      lambda c: journal.step_waits(c, old, step, "x"), lambda c: journal.set_state(c, old, "done"),
                      lambda c: journal.batch_done(c, old, step, 1, 1, 1), lambda c: journal.pause(c, old, None),
                      lambda c: journal.statement(c, old, step, "x", seconds=0),
                      lambda c: journal.batch_statement(c, old, step, "x", seconds=0, rows=0)):
            with pytest.raises(Superseded), system.engine.begin() as connection:
                write(connection)
    system.promote(say=refused)
    assert steps and system.version == 2


def test_requirement_13_batches_go_on_from_the_cursor_and_count_their_statement(system: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    from core.bm import actions
    seen: list[object] = []

    def work(run: Run, step: Step) -> None:
        batches = run.batches(step)
        seen.append(batches.cursor)
        for number in range(1, 4):
            if batches.cursor is not None and number <= batches.cursor:
                continue
            with batches.begin() as connection:
                assert batches.change(connection, text("update bm.live set epoch = epoch")) == 1
                batches.note(connection, number, 10, 30)
            if number == 2 and len(seen) == 1:
                raise KeyboardInterrupt
        with run.begin() as connection:
            run.done(connection, step)
    monkeypatch.setitem(actions.ACTIONS, "suspend", Action(work, altering.undo_short))  # type: ignore[arg-type]
    from core.bm.planning import plan as planning
    monkeypatch.setattr(planning, "FAMILIES", (*planning.FAMILIES, planning.Family(
        "test", steps=lambda way: iter([Step(0, "suspend", "deal")]))))
    system.site.write("deal.yaml", CHANGE)
    with pytest.raises(KeyboardInterrupt):
        system.promote()
    assert system.sql("select done, total, cursor from bm.step where kind = 'suspend'") == [(20, 30, 2)]
    system.promote()
    assert seen == [None, 2] and system.version == 2
    assert system.sql("select done, total, cursor, state from bm.step where kind = 'suspend'") == [(30, 30, 3, "done")]
    assert system.sql("select tries, rows from bm.statement where sql = 'update bm.live set epoch = epoch'") == [
        (3, 3)]


def test_a_batch_that_fails_leaves_the_cursor_where_it_was(system: Live) -> None:
    found: list[object] = []

    class Runner:
        line = system.engine
        turn = Turn(1, 0)

        def begin(self) -> object:
            return system.engine.begin()

        def check(self) -> None:
            found.append("looked")
    with system.engine.begin() as connection:
        connection.execute(text("alter table bm.step disable trigger user"))
        connection.execute(text("update bm.step set cursor = '7' where promotion_id = 1 and number = 1"))
        epoch = connection.scalar(text("select runner_epoch from bm.promotion where id = 1"))
    Runner.turn = Turn(1, int(epoch or 0))
    batches = Batches(Runner(), Step(1, "stage", ""))  # type: ignore[arg-type]
    with pytest.raises(ZeroDivisionError), batches.begin() as connection:
        batches.note(connection, 8, 1)
        1 / 0  # noqa: B018
    assert batches.cursor == 7
    batches.breathe()
    assert found == ["looked"] and system.sql("select cursor from bm.step where promotion_id = 1 and number = 1") == [(7,)]
