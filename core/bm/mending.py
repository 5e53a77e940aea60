"""Mending drift: what is safe is done again by a plan of one step for each statement, journalled like a promotion.

No value is guessed. What the records do not allow is told in the journal, and stops nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from sqlalchemy import Engine

from core.bm import settling
from core.bm.changes.seeds import Seeding
from core.bm.drift import findings as drift
from core.bm.engine import journal
from core.bm.engine.run import Order, Say, silent
from core.bm.engine.steps import BRIEF, ONLINE, Plan, Probe, Step
from core.bm.inputs import facts as fact_module
from core.bm.inputs.drifted import Drifted
from core.bm.versions import live
from core.errors import words

if TYPE_CHECKING:
    from core.plugins import Plugins

INDEXES = ("missing index", "broken index")


def repair(engine: Engine, plugins: Plugins, author: str = "", account: int | None = None,
           say: Say = silent) -> int | None:
    """Do what is safe; the number of its journal, None where there is nothing of the sort.

    Raises Refused while a promotion, or another repair, is under way.
    """
    with engine.connect() as connection:
        journal.must_be_idle(connection)
        base = live.state(connection, live.current(connection)[0], plugins)
        facts = fact_module.gather(connection)
        steps = tuple(_steps(drift.inside(connection, base, facts).findings))
    if not steps:
        return None
    stage = Step(1, "stage", f"version {base.hash[:12]}", note=words("nothing changes but what drifted"))
    numbered = (stage, *(replace(step, number=number) for number, step in enumerate(steps, 2)))
    plan = Plan(base.hash, base.hash, facts.fingerprint, steps=numbered)
    return settling.apply_beside(engine, Order(plan, base, base, None, Seeding(plugins), "", author, account), say)


def _steps(findings: Iterable[Drifted]) -> Iterator[Step]:
    """One for each statement, so that it is done in one transaction with its journal."""
    for one in findings:
        table, _, name = one.name.partition(".")
        index = one.what in INDEXES
        for statement in one.repair:
            yield Step(0, "mend", one.name, (statement,), ONLINE if index else BRIEF, "additive", note=words(one.what),
                       probe=Probe("index", table, (name,)) if index else None)
        if one.release:
            yield Step(0, "mend", one.name, note=words(one.what), identities=one.release)


def left(engine: Engine, promotion: int) -> tuple[str, ...]:
    """What could not be mended, each with the reason."""
    with engine.connect() as connection:
        return tuple(f"{step.target}: {step.error}" for step in journal.progress(connection, promotion).steps
                     if step.state == "failed")
