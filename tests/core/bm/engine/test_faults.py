"""What nobody foresaw breaks a promotion off: it stands in the journal with its place, and is tried again later and later."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import pytest
from click.testing import CliRunner
from sqlalchemy import text

from core.bm import actions, promotion_job
from core.bm.engine import altering, faults, history, wishes
from core.bm.engine.faults import Fault
from core.bm.engine.run import Action, Run
from core.bm.engine.steps import Step
from core.cli import Invocation, doctor, promotions
from core.database import ddl
from core.errors import Refused
from tests.core.bm.conftest import Live
from tests.core.bm.engine.test_wishes import CHANGE, catalog, state
from tests.core.bm.test_settling import job

Break = Callable[[str], list[int]]


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> Break:
    """Makes the steps of a kind raise an error in our own code, as long as the list that it gives holds anything."""
    def break_(kind: str) -> list[int]:
        still, original = [1], actions.ACTIONS[kind]  # type: ignore[index]

        def do(run: Run, step: Step) -> None:
            if still:
                ddl.add_check("name", "table", None)  # type: ignore[arg-type]
            original.do(run, step)
        monkeypatch.setitem(actions.ACTIONS, kind, Action(do, original.undo))  # type: ignore[arg-type]
        return still
    return break_


def last(system: Live) -> Fault:
    with system.engine.connect() as connection:
        found = faults.last(connection, 2)
    assert found is not None
    return found


def count(system: Live) -> int:
    return int(system.sql("select count(*) from bm.fault")[0][0])


def later(system: Live, seconds: float) -> None:
    """Let so many seconds pass since the last fault."""
    with system.engine.begin() as connection:
        connection.execute(text("update bm.fault set happened_on = happened_on - make_interval(secs => :seconds)"),
                           {"seconds": seconds})


def work(system: Live) -> None:
    """The work process looks once; what it meets goes into its log."""
    with suppress(TypeError):
        promotion_job.settle_promotions(job(system))


def test_it_stands_in_the_journal_with_its_place_and_is_not_tried_again_at_once(system: Live, broken: Break) -> None:
    broken("validate")
    system.site.write("deal.yaml", CHANGE)
    step = next(step.number for step in system.plan().plan.steps if step.kind == "validate")
    with pytest.raises(TypeError):
        system.promote()
    assert (system.version, state(system)) == (2, "flipped")
    found = last(system)
    assert found.said.startswith("TypeError: ") and found.place.startswith("core/database/ddl.py:")
    assert (found.step, found.tries, found.waits) == (step, 1, True)
    work(system)
    assert count(system) == 1


def test_its_tries_grow_apart_to_an_hour(system: Live, broken: Break) -> None:
    still = broken("validate")
    system.site.write("deal.yaml", CHANGE)
    with pytest.raises(TypeError):
        system.promote()
    waited = []
    for _ in range(11):
        found = last(system)
        seconds = (found.next_on - found.happened_on).total_seconds()
        waited.append(seconds)
        tries = count(system)
        later(system, seconds - 5)
        work(system)
        assert count(system) == tries                   # not yet
        later(system, 5)
        work(system)
        assert count(system) == tries + 1
    assert waited == [10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600, 3600]
    still.clear()
    later(system, 3600)
    work(system)
    assert state(system) == "done" and count(system) == 12


def test_who_lets_it_continue_has_it_tried_at_once(system: Live, broken: Break) -> None:
    still = broken("validate")
    system.site.write("deal.yaml", CHANGE)
    with pytest.raises(TypeError):
        system.promote()

    def go_on() -> None:
        with system.engine.begin() as connection:
            wishes.ask(connection, 2, "continue", "anna")
    go_on()
    assert not last(system).waits
    work(system)
    assert count(system) == 2 and last(system).waits        # it was asked for one try
    still.clear()
    go_on()
    work(system)
    assert state(system) == "done"


def test_whoever_promotes_tries_at_once(system: Live, broken: Break) -> None:
    still = broken("validate")
    system.site.write("deal.yaml", CHANGE)
    with pytest.raises(TypeError):
        system.promote()
    still.clear()
    assert system.promote() == 2 and state(system) == "done"


def test_an_undoing_that_breaks_off_is_kept_too(system: Live, monkeypatch: pytest.MonkeyPatch, broken: Break) -> None:
    before = catalog(system)
    still, original = [1], actions.ACTIONS["expand"]

    def undo(run: Run, step: Step) -> None:
        if still:
            raise LookupError("no such thing\nand more")
        original.undo(run, step)
    monkeypatch.setitem(actions.ACTIONS, "expand", Action(original.do, undo))  # type: ignore[arg-type]
    broken("prepare")
    system.site.write("deal.yaml", CHANGE)
    with pytest.raises(LookupError):
        system.promote()
    assert state(system) == "undoing" and last(system).said == "LookupError: no such thing" and last(system).place
    promotion_job.settle_promotions(job(system))
    assert state(system) == "undoing"
    still.clear()
    later(system, 10)
    promotion_job.settle_promotions(job(system))
    assert state(system) == "failed" and catalog(system) == before


def test_what_ends_with_its_error_leaves_no_fault(system: Live, broken: Break) -> None:
    broken("prepare")
    system.site.write("deal.yaml", CHANGE)
    with pytest.raises(TypeError):
        system.promote()
    assert state(system) == "failed" and count(system) == 0


def test_commands_tell_of_it_and_how_to_go_on(system: Live, broken: Break) -> None:
    still = broken("validate")
    system.site.write("deal.yaml", CHANGE)
    with pytest.raises(TypeError):
        system.promote()

    def run(*arguments: str) -> str:
        return CliRunner().invoke(promotions.command, arguments, obj=Invocation(system.settings)).output
    assert "TypeError: " in run() and "core/database/ddl.py:" in run("2") and "tried 1 times; again at" in run("2")
    [told] = doctor.promotions(system.settings)
    assert told.startswith("promotion 2 has not ended: it broke off at step ") and "promotions --continue 2" in told
    still.clear()
    assert "It goes on." in run("2", "--continue") and state(system) == "done"
    assert doctor.promotions(system.settings) == []
    assert "TypeError: " in run("2")                    # what happened stays in the journal


def test_what_the_records_did_not_allow_is_told_by_the_list_and_the_doctor(
        system: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(run: Run, step: Step) -> None:
        raise Refused("3 records are empty in it")
    monkeypatch.setitem(actions.ACTIONS, "validate", Action(refuse, altering.undo_short))  # type: ignore[arg-type]
    system.site.write("deal.yaml", CHANGE)
    system.promote()
    listed = CliRunner().invoke(promotions.command, [], obj=Invocation(system.settings)).output
    [told] = doctor.promotions(system.settings)
    assert "3 records are empty in it" in listed and "3 records are empty in it" in told
    with system.engine.connect() as connection:
        assert history.entries(connection)[0].fault is None
