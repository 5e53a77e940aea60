"""What each kind of step does and how it is undone: one table, in the order in which steps are done.

An action runs on `run.line`, journals itself (`run.done` in the transaction of its last write), and can be done again
when it broke off. An undo runs only before the flip, over a step that was begun.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from core.bm import switching
from core.bm.changes import catching_up, environment, formulas, purging, tightening
from core.bm.engine import altering, journal
from core.bm.engine.run import Action, Run
from core.bm.engine.steps import Kind, Step
from core.errors import joined


def _nothing(run: Run, step: Step) -> None:
    """A stage is done with its promotion's first row. Its version stays, unseen."""


def _set(run: Run, step: Step) -> None:
    """Keep a value that this system has for itself: no version in use asks for it yet."""
    with run.begin() as connection:
        environment.put(connection, step)
        run.done(connection, step)


def _undo_set(run: Run, step: Step) -> None:
    """The value goes, so that the same promotion can be told it again."""
    with run.begin() as connection:
        environment.take_away(connection, step)
        journal.step_undone(connection, run.turn, step)


def _suspend(run: Run, step: Step) -> None:
    """From now on whoever builds a version reads these formulas as if they were not stored."""
    with run.begin() as connection:
        formulas.set_pending(connection, step.identities, True)
        run.done(connection, step)


def _undo_suspend(run: Run, step: Step) -> None:
    """They are read as stored again: nobody wrote anything else into them."""
    with run.begin() as connection:
        formulas.set_pending(connection, step.identities, False)
        journal.step_undone(connection, run.turn, step)


def _seed(run: Run, step: Step) -> None:
    """Records that a layer ships come in, in one transaction."""
    left = run.order.fill(run.line, run.version, step.target.removeprefix("data "))
    with run.begin() as connection:
        run.done(connection, step, note=joined(left))


def _compute(run: Run, step: Step) -> None:
    """Work out stored formulas in all records; then what is stored is read again."""
    formulas.work_out(run.batches(step), run.system, run.version, step.target)
    with run.begin() as connection:
        formulas.set_pending(connection, step.identities, False)
        run.done(connection, step)
        switching.tell_live(connection, run.version)


def _short(do: Callable[[Run, Step], None]) -> Action:
    """Undone as most are: the step's own statements the other way round, in one short transaction."""
    return Action(do, altering.undo_short)


ACTIONS: Mapping[Kind, Action] = {
    "stage": Action(_nothing, _nothing),
    "set": Action(_set, _undo_set),
    "expand": Action(altering.expand, altering.undo_expand),
    "fill": Action(catching_up.fill, catching_up.undo_fill),
    "index": Action(altering.index, altering.undo_index),
    "suspend": Action(_suspend, _undo_suspend),
    "prepare": Action(switching.prepare, switching.undo_prepare),
    "loosen": Action(altering.loosen, tightening.put_back),
    "flip": _short(switching.flip),
    "acknowledge": _short(switching.acknowledge),
    "settle": _short(catching_up.settle),
    "seed": _short(_seed),
    "compute": _short(_compute),
    "validate": _short(altering.validate),
    "tighten": _short(tightening.add),
    "park": _short(altering.park),
    "purge": _short(purging.purge),
    "mend": _short(altering.mend),
}
