"""`init` killed at any moment and started again completes; of two at once one does the work."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from core.database import embedded
from core.settings import Settings
from tests.scenarios.client import ROOT, Site
from tests.sweep.agreement import disagreements, query

ROUNDS = 10


def begin(site: Site) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, str(ROOT / "server.py"), "init", "--demo"], env=site.environment, cwd=ROOT,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def check_whole(site: Site, whole: tuple[object, ...] | None = None) -> tuple[object, ...]:
    """Everything agrees; answers the numbers of accounts, changes, columns and versions."""
    site.run("plan", code=0)
    with embedded.ensure(Settings(home=site.home)):
        assert disagreements(site.home) == []
        found = query(site.home, "select (select count(*) from sys.account), (select count(*) from sys.history),"
                                 " (select count(*) from sys.physical), (select count(*) from bm.version)")[0]
    assert embedded.running(site.home) is None
    assert whole is None or found == whole
    return found


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[float, tuple[object, ...]]:
    """How long an init takes that nobody kills, and what it makes."""
    site = Site.make(tmp_path_factory.mktemp("whole"))
    begun = time.monotonic()
    site.run("init", "--demo")
    return time.monotonic() - begun, check_whole(site)


@pytest.mark.parametrize("number", range(ROUNDS))
def test_fault_34_an_init_that_was_killed_is_completed_by_the_next(
        tmp_path: Path, whole: tuple[float, tuple[object, ...]], number: int) -> None:
    seconds, made = whole
    site = Site.make(tmp_path)
    moment = seconds * (number + random.Random(number).random()) / ROUNDS
    first = begin(site)
    time.sleep(moment)
    first.send_signal(signal.SIGKILL)
    first.wait()
    second = site.run("init", "--demo", code=None)
    assert "Traceback" not in second, f"killed after {moment:.2f} s: {second}"
    assert "The first version is live." in second or "there already" in second, second
    check_whole(site, made)


def test_fault_34_of_two_at_once_one_does_the_work(tmp_path: Path, whole: tuple[float, tuple[object, ...]]) -> None:
    site = Site.make(tmp_path)
    both = [begin(site), begin(site)]
    printed = [one.communicate(timeout=120)[0] for one in both]
    assert sorted(one.returncode for one in both) == [0, 1], printed
    refused = printed[0 if both[0].returncode else 1]
    assert "there already" in refused or "another init is under way" in refused, refused
    assert "Traceback" not in "".join(printed)
    check_whole(site, whole[1])
