"""What happens while a promotion runs: something right before a step, somebody who still works on the version before."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from core.bm.engine.run import Run
from core.bm.engine.steps import Step
from core.bm.versions import live
from core.ed.records import Records
from core.ed.session import Session
from tests.core.bm.conftest import Live


def before(monkeypatch: pytest.MonkeyPatch, kind: str, work: Callable[[], Any]) -> None:
    """Let something happen right before a promotion's steps of a kind, once."""
    do, done = Run._do, []

    def then(run: Run, step: Step) -> None:
        if step.kind == kind and not done:
            done.append(True)
            work()
        do(run, step)
    monkeypatch.setattr(Run, "_do", then)


def running(system: Live) -> Any:
    """What does work on the version that is live now, whatever is live then."""
    with system.engine.connect() as connection:
        version = live.system(connection, system.version, system.plugins)

    def do(work: Any) -> Any:
        with system.engine.begin() as connection:
            return work(Records(Session.system_session(version, connection)))
    return do
