"""The database server dies while people work and while somebody promotes: 503 meanwhile, and soon all is well."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time

import pytest

from core.database import embedded
from tests.scenarios.client import ROOT, Person, Site
from tests.sweep import generations
from tests.sweep.agreement import disagreements, query
from tests.sweep.ending import insist
from tests.sweep.people import Traffic

RECOVERY = 10.0         # seconds until requests are answered again
KINDS = tuple(kind for kind in generations.KINDS if kind not in ("stage", "flip"))


def kill_database(site: Site) -> None:
    pid = embedded.running(site.home)
    assert pid is not None
    os.kill(pid, signal.SIGKILL)


def recovers(site: Site) -> float:
    """The seconds until both workers answer every request again."""
    begun = time.monotonic()
    while True:
        answers = [Person(site.address, site.token("admin")).get("/api/v1/company", limit="1").status
                   for _ in range(8)]
        if answers == [200] * 8:
            return time.monotonic() - begun
        assert set(answers) <= {200, 503}, answers
        assert time.monotonic() - begun < RECOVERY, f"still {answers}; " + log(site)
        time.sleep(0.1)


def log(site: Site) -> str:
    return (site.home / "serve.log").read_text()[-3000:]


def nothing_acknowledged_is_lost(site: Site, traffic: Traffic) -> None:
    there = {row[0] for row in query(site.home, "select record_id from sys.history where change is not null")}
    lost = [number for number in traffic.acknowledged if number not in there]
    assert not lost, f"{len(lost)} of {len(traffic.acknowledged)} records that were acknowledged are gone"


def test_fault_2_a_killed_database_is_started_again_and_loses_nothing(site: Site) -> None:
    with Traffic(site, allowed=frozenset({503})) as traffic:
        for _ in range(3):
            time.sleep(1.5)
            kill_database(site)
            recovers(site)
        time.sleep(1)
    assert not traffic.failures, traffic.failures[:5]
    assert traffic.seen[201] > 10
    nothing_acknowledged_is_lost(site, traffic)
    assert "Traceback" not in log(site) or "OperationalError" in log(site)


def test_the_work_process_comes_back_too(site: Site) -> None:
    kill_database(site)
    recovers(site)
    end = time.monotonic() + 45
    while not query(site.home, "select 1 from sys.worker where kind = 'work' and lease_until > now()"):
        assert time.monotonic() < end, log(site)
        time.sleep(0.5)


@pytest.mark.parametrize("kind", KINDS)
def test_fault_17_the_database_dies_under_a_promotion(site: Site, kind: str) -> None:
    if kind == KINDS[0]:
        generations.write(site.metadata, 0)
        insist(site, "promote", "--yes", told=generations.told(0))
    now = KINDS.index(kind) + 1
    generations.write(site.metadata, now)
    with Traffic(site, allowed=frozenset({503})) as traffic:
        promoting = subprocess.Popen(
            [sys.executable, "-u", "-m", "tests.sweep.killed", "step:0", "promote", "--yes",
             *generations.told(now)], cwd=ROOT, env=site.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        assert promoting.stdout
        printed = ""
        for line in promoting.stdout:
            printed += line
            if "Plan:" in printed and re.match(rf" +\d+  {kind} ", line):
                kill_database(site)
                break
        printed += promoting.stdout.read()
        assert promoting.wait(60) in (0, 1), printed        # 0: the step was done before the kill came
        assert "Traceback" not in printed, printed
        recovers(site)
        insist(site, "promote", "--yes", told=generations.told(now))
        assert disagreements(site.home) == []
        assert "No changes" in site.run("plan", code=0)
    assert not traffic.failures, traffic.failures[:5]
    nothing_acknowledged_is_lost(site, traffic)
