"""Processes that promote at the same time, and such as were frozen while another one took over."""

from __future__ import annotations

import os
import signal

import pytest
from sqlalchemy import text

from core.bm import service
from core.errors import Refused
from tests.core.bm.conftest import database_of_test, system  # noqa: F401
from tests.sweep import generations
from tests.sweep.test_every_moment import Killing, begun, ended, killing, promoting, settled_by_work  # noqa: F401

KINDS = ("set", "fill", "index", "prepare", "flip", "settle", "compute", "park")


def number_of(killing: Killing, kind: str) -> int:  # noqa: F811
    """The last step of a kind in the plan of the next generation."""
    return max(step.number for step in killing.next().plan.steps if step.kind == kind)


def plan(killing: Killing) -> service.Planned:  # noqa: F811
    return killing.live.plan(answers=generations.answers(killing.now))


@pytest.mark.parametrize("kind", KINDS)
def test_fault_21_a_frozen_runner_that_lost_its_lock_changes_nothing_when_it_wakes(
        killing: Killing, kind: str) -> None:  # noqa: F811
    live = killing.live
    number = number_of(killing, kind)
    child, read = begun(promoting(live, plan(killing)), live, ("sleep", number))
    os.waitpid(child, os.WUNTRACED)
    settled_by_work(live)                               # its session holds the lock: nobody goes on beside it
    with pytest.raises(Refused, match="under way"):
        live.promote(planned=plan(killing))
    with live.engine.begin() as connection:
        connection.execute(text(
            "select pg_terminate_backend(l.pid) from pg_locks l where l.locktype = 'advisory' and l.objid = 7236002"
            " and l.granted and l.database = (select oid from pg_database where datname = current_database())"))
    if kind == "prepare":
        live.promote()                                  # the same command once more
    else:
        settle_until_done(killing)
    killing.check()
    before = live.sql("select count(*), max(number) from bm.statement")
    os.kill(child, signal.SIGCONT)
    said, _ = ended(child, read)
    assert "Error" in said or "Refused" in said or "Superseded" in said, said
    assert live.sql("select count(*), max(number) from bm.statement") == before
    killing.check()


def settle_until_done(killing: Killing) -> None:  # noqa: F811
    """The work process looks again, until the server has noticed that the session is gone."""
    for _ in range(50):
        settled_by_work(killing.live)
        if not killing.live.sql("select 1 from bm.promotion where ended_on is null"):
            return
    raise AssertionError("the work process does not end it")


def test_fault_21_of_two_runners_at_once_one_does_the_work(killing: Killing) -> None:  # noqa: F811
    for _ in range(3):
        planned = killing.next()
        both = [begun(promoting(killing.live, planned), killing.live, ("moment", 0)) for _ in range(2)]
        said = sorted(ended(*one)[0].strip().splitlines()[-1] for one in both)
        done = [one for one in said if one.startswith("moments: ")]
        assert 1 <= len(done) <= 2, said
        assert all("under way" in one or "someone else promoted meanwhile" in one for one in said if one not in done)
        assert killing.live.sql(f"select count(*) from bm.promotion where plan ->> 'target' = '{planned.target.hash}'"
                                " and state = 'done'") == [(1,)]
        killing.enter()
        killing.check()
