"""A worker that sleeps longer than its lease, over a promotion: awake again, it serves the version that is live."""

from __future__ import annotations

import os
import signal
import time

from tests.scenarios.client import Site
from tests.sweep.agreement import disagreements, query

FIELD = "change: table company\nfields:\n  asleep: {type: text, default: awake}\n"


SERVING = "select pid from sys.worker where kind = 'serve'"


def test_fault_24_a_frozen_worker_serves_no_old_version_when_it_wakes(site: Site) -> None:
    end = time.monotonic() + 60
    while len(workers := [pid for (pid,) in query(site.home, SERVING)]) < 2:        # each says so when it is up
        assert time.monotonic() < end
        time.sleep(0.2)
    path = site.metadata / "tables" / "company.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(FIELD, encoding="utf-8")
    person = site.person("admin")
    os.kill(workers[0], signal.SIGSTOP)
    try:
        printed = site.run("promote", "--yes")              # waits until the lease of the frozen one is over
        assert "is live." in printed
        time.sleep(1)
    finally:
        os.kill(workers[0], signal.SIGCONT)
    for _ in range(40):                                     # some of them are answered by the one that slept
        answer = person.get("/api/v1/company", limit="1")
        assert answer.status == 200 and "asleep" in answer.json()["records"][0], answer.text
    end = time.monotonic() + 10
    while query(site.home, "select count(distinct version) from sys.worker where lease_until > now()") != [(1,)]:
        assert time.monotonic() < end
        time.sleep(0.2)
    assert disagreements(site.home) == []
