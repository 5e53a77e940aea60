"""A promotion, a way back and an undoing are killed (-9) at each step and between any two statements."""

from __future__ import annotations

import os
import signal
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from sqlalchemy import Engine, event

from core.bm import promotion_job, service
from core.bm.engine import run
from core.bm.engine.steps import Step
from core.bm.engine.wishes import Cancelled
from core.bm.service import Planned
from core.database.jobs import Job
from tests.core.bm.conftest import Live, database_of_test, system  # noqa: F401
from tests.sweep import generations
from tests.sweep.agreement import disagreements_of
from tests.sweep.sampling import sample

MOMENTS = 16                    # how many of the statements and commits are tried, spread over all of them
COMPANY = """
    table: company
    title: Company
    plural: Companies
    display: "{name}"
    keeps: [history]
    fields:
      name: {type: text, max: 100}
      employees: {type: integer}
    """
# ("step", 5): right before step 5; ("moment", 37): before the 37th statement or COMMIT; ("sleep", 5): frozen, not killed
Point = tuple[str, int]


@dataclass
class Killing:
    """A system whose generations are promoted one after the other, by processes that are killed."""

    live: Live
    now: int = 0
    entered: dict[int, str] = field(default_factory=dict)       # places by their names

    def next(self) -> Planned:
        self.now += 1
        generations.write(self.live.site.metadata, self.now)
        return self.live.plan(answers=generations.answers(self.now))

    def enter(self) -> None:
        """Somebody enters records in what is live."""
        name = f"Place {self.now} {len(self.entered)}"
        odd = bool(self.now % 2)
        company = self.live.create("company", name=f"Firm {name}", employees=7, **{
            "turning": "77" if odd else 77, f"kept_{self.now}": name, f"must_{self.now}": "entered", "weather": "rain" if odd else "wet"})
        self.entered[self.live.create("place", name=name, high=len(self.entered), company=company)] = name

    def check(self) -> None:
        """All agrees, nothing is left to do, and whatever was entered is there."""
        assert disagreements_of(self.live.engine, self.live.plugins) == []
        assert self.live.plan().plan.empty
        self.check_values()

    def check_values(self) -> None:
        """Whatever was entered is there, as the version says it."""
        odd = bool(self.now % 2)
        for number, (place, name) in enumerate(self.entered.items()):
            row = self.live.read("place", place)
            assert (row["name"], row["high"]) == (name, number)
            firm = self.live.read("company", row["company"].id if hasattr(row["company"], "id") else row["company"])
            assert (firm["name"], firm["turning"], firm["weather"]) == (
                f"Firm {name}", "77" if odd else 77, "rain" if odd else "wet")
            assert firm[f"kept_{self.now}"] == name and firm["score"] == 7 + self.now
            assert firm[f"must_{self.now}"] in (f"Firm {name} {self.now}", "entered")


@pytest.fixture
def killing(system: Live) -> Killing:  # noqa: F811
    """The system in its first generation, with a few records."""
    system.site.addon("company.yaml", COMPANY)
    system.site.addon("kinds.yaml", None)
    made = Killing(system)
    generations.write(system.site.metadata, 0)
    system.promote(answers=generations.answers(0))
    for _ in range(3):
        made.enter()
    made.check()
    return made


def killed(work: Callable[[Engine, Callable[[Step], None]], object], live: Live, at: Point) -> int:
    """Do it in a process of its own that is killed at a point; its wait status. How many moments there were, else."""
    child, read = begun(work, live, at)
    said, status = ended(child, read)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return 0
    assert said.startswith("moments: "), said
    return int(said.removeprefix("moments: "))


def begun(work: Callable[[Engine, Callable[[Step], None]], object], live: Live, at: Point) -> tuple[int, int]:
    """Begin it in a process of its own; that, and where it will say how it ended."""
    read, write = os.pipe()
    child = os.fork()
    if child:
        os.close(write)
        return child, read
    try:
        os.write(write, _child(work, live, at).encode())
    finally:
        os._exit(0)


def ended(child: int, read: int) -> tuple[str, int]:
    """What such a process says in the end, and its wait status."""
    with os.fdopen(read) as told:
        said = told.read()
    return said, os.waitpid(child, 0)[1]


def _child(work: Callable[[Engine, Callable[[Step], None]], object], live: Live, at: Point) -> str:
    """In the process that may be killed."""
    kind, number = at
    moments = 0

    def say(step: Step) -> None:
        if kind != "moment" and step.number == number:
            os.kill(os.getpid(), signal.SIGKILL if kind == "step" else signal.SIGSTOP)

    def pass_by(*_: Any) -> None:
        nonlocal moments
        moments += 1
        if kind == "moment" and moments == number:
            os.kill(os.getpid(), signal.SIGKILL)
    event.listen(Engine, "before_cursor_execute", pass_by)
    event.listen(Engine, "commit", pass_by)
    try:
        with service.owner(live.settings) as engine:
            work(engine, say)
    except Cancelled:
        pass
    except BaseException:
        return traceback.format_exc()
    return f"moments: {moments}"


def promoting(live: Live, planned: Planned) -> Callable[[Engine, Callable[[Step], None]], object]:
    def work(engine: Engine, say: Callable[[Step], None]) -> None:
        service.promote_folder(live.settings, engine, planned, plugins=live.plugins, say=say)
    return work


def settled_by_work(live: Live) -> None:
    """What the work process does every ten seconds, until nothing is open."""
    promotion_job.settle_promotions(Job(live.engine, lambda connection: None, lambda: False, settings=live.settings))


def test_a_generation_has_every_kind_of_step(killing: Killing) -> None:
    for _ in range(2):
        planned = killing.next().plan
        assert not planned.problems and not planned.questions, planned
        assert {step.kind for step in planned.steps} == set(generations.KINDS)
        fills = {one["how"] for step in planned.steps if step.kind == "fill" for one in (step.data, *step.data["parts"])}
        assert fills >= set(generations.FILLS)
        killing.live.promote(planned=killing.live.plan(answers=generations.answers(killing.now)))
        killing.enter()
        killing.check()


def steps_of(planned: Planned) -> list[int]:
    return [step.number for step in planned.plan.steps if step.kind != "stage"]


def promote_again(killing: Killing) -> None:
    killing.live.promote(planned=settled_and_planned(killing))


def settled_and_planned(killing: Killing) -> Planned:
    """As the command does it: first what broke off is ended, then it plans."""
    live = killing.live
    with service.owner(live.settings) as engine:
        service.finish_earlier(engine, live.plugins, wanted=service.of_folder(live.settings, live.plugins))
    return live.plan(answers=generations.answers(killing.now))


def take_back(killing: Killing) -> None:
    """As `rollback` does it first: what is not live is taken back, what is goes to its end; then once more."""
    live = killing.live
    with service.owner(live.settings) as engine:
        service.finish_earlier(engine, live.plugins, wanted=service.nothing)
    assert disagreements_of(live.engine, live.plugins) == []
    promote_again(killing)


SETTLING: tuple[Callable[[Killing], None], ...] = (lambda killing: settled_by_work(killing.live), promote_again, take_back)


@pytest.mark.parametrize("part", range(3))
def test_fault_17_killed_at_each_step_it_is_ended_by_whoever_comes_next(killing: Killing, part: int) -> None:
    """By the work process, the same command, or one that wants something else: each of them a third of the steps."""
    planned = killing.next()
    for number in [one for one in steps_of(planned) if one % 3 == part]:
        if number > steps_of(planned)[-1]:      # a generation may have a step less than the one before
            break
        assert killed(promoting(killing.live, planned), killing.live, ("step", number)) == 0
        SETTLING[number // 3 % 3](killing)
        killing.check()
        killing.enter()
        planned = killing.next()


def test_killed_between_any_two_statements_it_is_ended_by_whoever_comes_next(killing: Killing) -> None:
    moments = killed(promoting(killing.live, killing.next()), killing.live, ("moment", 0))
    killing.check()
    for place, number in enumerate(sample(range(1, moments + 1), MOMENTS)):
        killing.enter()
        killed(promoting(killing.live, killing.next()), killing.live, ("moment", number))
        SETTLING[1 + place % 2](killing)         # before the first statement of the journal only a person knows of it
        killing.check()


def test_a_way_back_that_is_killed_is_ended_too(killing: Killing) -> None:
    live = killing.live
    killing.live.promote(planned=killing.next())
    killing.check()
    with service.owner(live.settings) as engine:
        numbers = steps_of(service.plan_rollback(live.settings, engine, plugins=live.plugins))
    for number in sample(numbers, 7):
        def work(engine: Engine, say: Callable[[Step], None]) -> None:
            service.rollback_to(live.settings, engine, plugins=live.plugins, say=say)
        version = live.version
        assert killed(work, live, ("step", number)) == 0
        settled_by_work(live)
        assert disagreements_of(live.engine, live.plugins) == []
        assert live.version < version, live.sql("select p.error, s.number, s.kind, s.cursor, s.sql from bm.promotion p, bm.step s where p.id = s.promotion_id and s.number = "+str(number)+" order by p.id desc limit 1")
        killing.now -= 1
        killing.check_values()
        killing.enter()
        killing.now += 1
        live.promote()                          # to a version that was live before: again a way back
        killing.check()


def test_cancelled_and_killed_while_it_is_undone(killing: Killing) -> None:
    """Nothing is left of it, whenever the undoing is killed."""
    live = killing.live
    planned = killing.next()
    flip = next(step.number for step in planned.plan.steps if step.kind == "flip")
    before = killing.live.version

    def cancelled(number: int) -> Callable[[Engine, Callable[[Step], None]], object]:
        def work(engine: Engine, say: Callable[[Step], None]) -> None:
            service.promote_folder(live.settings, engine, live.plan(answers=generations.answers(killing.now)),
                                   plugins=live.plugins, say=say, stop=lambda: "cancel" if done[-1] >= number else "")
            raise AssertionError("it was not cancelled")
        done = [0]

        def counted(engine: Engine, say: Callable[[Step], None]) -> None:
            run.LOOK = 0.0
            def told(step: Step) -> None:
                done.append(step.number)
                say(step)
            work(engine, told)
        return counted
    for number in sample(range(3, flip), 3):
        moments = killed(cancelled(number), live, ("moment", 0))
        assert live.version == before and live.sql("select state from bm.promotion order by id desc limit 1") == [
            ("cancelled",)]
        assert disagreements_of(live.engine, live.plugins) == []
        for moment in sample(range(max(1, moments - 60), moments + 1), 5):
            killed(cancelled(number), live, ("moment", moment))
            with service.owner(live.settings) as engine:
                service.finish_earlier(engine, live.plugins, wanted=service.nothing)
            assert live.version == before and disagreements_of(live.engine, live.plugins) == []
    promote_again(killing)
    killing.check()
