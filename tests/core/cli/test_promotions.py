"""`promotions`: what was promoted, one of them in detail, and what one asks of it."""

from __future__ import annotations

from collections.abc import Callable

import click
import pytest
from click.testing import CliRunner, Result
from sqlalchemy import text

from core.bm.engine.steps import Step
from core.cli import Invocation, promotions
from core.errors import NotFound, Refused
from tests.core.bm.conftest import Live, database_of_test, system
from tests.core.bm.engine.test_wishes import CHANGE, catalog, state

__all__ = ["database_of_test", "system"]
Run = Callable[..., Result]


class Killed(BaseException):
    """Nobody catches this, as nobody catches a kill."""


@pytest.fixture
def run(system: Live) -> Run:
    def run_(*arguments: object) -> Result:
        return CliRunner().invoke(promotions.command, [str(one) for one in arguments],
                                  obj=Invocation(system.settings), catch_exceptions=False, standalone_mode=False)
    return run_


def broken_off(system: Live) -> None:
    system.site.write("deal.yaml", CHANGE)

    def say(step: Step) -> None:
        if step.kind == "prepare":
            raise Killed
    with pytest.raises(Killed):
        system.promote(author="anna", message="Regions", say=say)


def test_the_list_and_one_of_them(system: Live, run: Run) -> None:
    system.site.write("deal.yaml", CHANGE)
    system.promote(author="anna", message="Regions")
    newest, first = run().output.splitlines()
    assert newest.split()[0] == "2" and "done" in newest and newest.endswith("1 -> 2  anna  Regions")
    assert first.endswith("- -> 1  First")
    told = run(2).output
    assert told.startswith("Promotion 2: version 1 to 2, done\nby anna on ")
    assert "alter table ed." in told and " s]" in told
    assert [line.split()[1] for line in told.splitlines() if line[2:5].strip().isdigit()] == [
        step for step, in system.sql("select kind from bm.step where promotion_id = 2 order by number")]
    with pytest.raises(NotFound, match="no promotion 77"):
        run(77)


def test_one_that_broke_off_is_cancelled(system: Live, run: Run) -> None:
    before = catalog(system)
    broken_off(system)
    assert "running" in run().output.splitlines()[0]
    assert "cancelled by admin; nothing was changed" in run(2, "--cancel").output
    assert catalog(system) == before and state(system) == "cancelled"
    assert "undo: " in run(2).output
    with pytest.raises(Refused, match="has ended already"):
        run(2, "--continue")


def test_one_that_was_paused_goes_on_when_asked(system: Live, run: Run) -> None:
    broken_off(system)
    assert "will rest" in run(2, "--pause").output and system.version == 1
    with pytest.raises(Refused, match="paused by admin"):
        system.promote()
    run(2, "--continue")
    assert (system.version, state(system)) == (2, "done")


def test_one_that_rests_is_told_from_one_that_runs(system: Live, run: Run) -> None:
    broken_off(system)
    assert "  running " in run().output.splitlines()[0]
    with system.engine.begin() as connection:
        connection.execute(text("update bm.promotion set paused = '{\"why\": \"busy\"}' where id = 2"))
    assert "  paused " in run().output.splitlines()[0]


@pytest.mark.parametrize("arguments", [("--pause",), (2, "--pause", "--cancel")])
def test_what_cannot_be_meant_is_wrong_usage(run: Run, arguments: tuple[object, ...]) -> None:
    with pytest.raises(click.UsageError, match="one at a time"):
        run(*arguments)
