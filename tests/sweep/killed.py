"""`server.py` that kills itself at one point: `python -m tests.sweep.killed POINT arguments of server.py`.

POINT is `step:5`, right before step 5 of a promotion (one after the last: when all are done), or `moment:37`, right
before the 37th statement or COMMIT that SQLAlchemy sends once the command is under way.
What is counted is printed at the end of a run that lived through it.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from typing import Any

from sqlalchemy import Engine, event

from core.bm import settling as applying
from core.bm.engine.steps import Step
from core.cli import main

moments = 0


def die() -> None:
    """End as a process ends when the machine loses power: nothing is caught, flushed or rolled back by us."""
    sys.stdout.flush()
    os.kill(os.getpid(), signal.SIGKILL)


def watch_steps(number: int) -> None:
    """Die right before that step, or after the last one."""
    original = applying.apply

    def apply(engine: Engine, order: applying.Order, say: Callable[[Step], None], stop: applying.Stop) -> int:
        def watched(step: Step) -> None:
            if step.number == number:
                die()
            say(step)
        version = original(engine, order, watched, stop)
        if order.plan.steps and number > order.plan.steps[-1].number:
            die()
        return version
    applying.apply = apply


def watch_moments(number: int) -> None:
    """Die right before that statement or COMMIT."""
    def pass_by(*_: Any) -> None:
        global moments
        moments += 1
        if moments == number:
            die()
    event.listen(Engine, "before_cursor_execute", pass_by)
    event.listen(Engine, "commit", pass_by)


if __name__ == "__main__":
    kind, _, count = sys.argv[1].partition(":")
    {"step": watch_steps, "moment": watch_moments}[kind](int(count))
    code = main(sys.argv[2:])
    sys.stdout.write(f"moments: {moments}\n")
    sys.exit(code)
