"""A promoting process is killed at every point: people work on, and the next command brings everything in order."""

from __future__ import annotations

import itertools
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from tests.scenarios.client import ROOT, Site
from tests.sweep import generations
from tests.sweep.agreement import disagreements, query
from tests.sweep.ending import insist, wait_until_ended
from tests.sweep.people import Traffic
from tests.sweep.sampling import sample

STEPS = 6           # how many steps are tried in each way, and how many statements and commits, spread over all of
MOMENTS = 8         # them; test_every_moment.py tries each of them without a server


@dataclass
class Sweep:
    """A site whose generations are promoted one after the other."""

    site: Site
    traffic: Traffic
    generation: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    now: int = 0

    def killed(self, point: str) -> subprocess.CompletedProcess[str]:
        """Promote the next generation, and be killed at a point."""
        self.now = next(self.generation)
        generations.write(self.site.metadata, self.now)
        return subprocess.run(
            [sys.executable, "-m", "tests.sweep.killed", point, "promote", "--yes", *generations.told(self.now)],
            cwd=ROOT, env=self.site.environment, capture_output=True, text=True, timeout=120)

    def check(self) -> None:
        """Nobody was refused or failed, and everything agrees."""
        assert disagreements(self.site.home) == []
        assert not self.traffic.failures, self.traffic.failures[:5]


@pytest.fixture(scope="module")
def sweep(site: Site) -> Iterator[Sweep]:
    generations.write(site.metadata, 0)
    site.run("promote", "--yes", *generations.told(0))
    with Traffic(site) as traffic:
        traffic.generations = True
        yield Sweep(site, traffic)
    assert not traffic.failures, traffic.failures[:5]
    assert traffic.lost() == [] and traffic.turning and traffic.places


def test_fault_17_killed_at_each_step_the_next_command_converges(sweep: Sweep) -> None:
    for number in sample(steps_of_a_whole_one(sweep), STEPS):
        done = sweep.killed(f"step:{number}")
        assert done.returncode == -signal.SIGKILL, done.stdout + done.stderr
        settle(sweep, back=number % 3 == 0)


def test_fault_17_killed_at_each_step_the_work_process_ends_it_alone(sweep: Sweep) -> None:
    for number in sample(steps_of_a_whole_one(sweep), STEPS):
        done = sweep.killed(f"step:{number}")
        assert done.returncode == -signal.SIGKILL, done.stdout + done.stderr
        wait_until_ended(sweep.site)
        sweep.check()
        assert "No changes" in sweep.site.run("plan", code=0)


def steps_of_a_whole_one(sweep: Sweep) -> list[int]:
    """Promote a generation to its end, which has every kind of step; the numbers of the steps that follow the first."""
    whole = sweep.killed("step:1000")
    assert whole.returncode == -signal.SIGKILL, whole.stdout + whole.stderr      # after the last one
    kinds = set(re.findall(r"^ +\d+  (\w+)", whole.stdout, re.MULTILINE))
    assert kinds >= set(generations.KINDS)
    settle(sweep, back=False)
    return list(range(2, max(map(int, re.findall(r"^ +(\d+)  \w+ +", whole.stdout, re.MULTILINE))) + 1))


def test_killed_between_any_two_statements_the_next_command_converges(sweep: Sweep) -> None:
    whole = sweep.killed("moment:1000000")
    assert whole.returncode == 0, whole.stdout + whole.stderr
    moments = int(re.findall(r"moments: (\d+)", whole.stdout)[0])
    sweep.check()
    for part, number in enumerate(sample(range(1, moments + 1), MOMENTS)):
        done = sweep.killed(f"moment:{number}")
        assert done.returncode in (-signal.SIGKILL, 0), f"{number} of {moments}: {done.stdout}{done.stderr}"
        settle(sweep, back=part % 3 == 0)


def settle(sweep: Sweep, back: bool) -> None:
    """What a person does after the kill: promote again, sometimes after going back; then nothing is left to do."""
    if back:
        printed = insist(sweep.site, "rollback", "--yes")
        sweep.check()
        assert query(sweep.site.home, "select state, plan ->> 'back' from bm.promotion order by id desc limit 1"
                     ) == [("done", "true")], printed
    insist(sweep.site, "promote", "--yes", told=generations.told(sweep.now))
    sweep.check()
    if back:
        assert "No changes" in sweep.site.run("plan", code=0)
