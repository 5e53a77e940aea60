"""The planner: a pure function from two states and the facts to ordered steps, or to the reasons against them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from core.bm import expanding, formulas
from core.bm.diff import Added, Change, Changed, diff
from core.bm.facts import Facts
from core.bm.notes import notes
from core.bm.refusals import problems
from core.bm.seeds import order as seed_order
from core.bm.state import State
from core.bm.steps import Plan, Step


def plan(base: State, target: State, facts: Facts, back: bool = False) -> Plan:
    """Say how live gets from the base to the target; `back` allows what only a way back may do (narrowing).

    Both states have their identities. A plan with problems has no steps: nothing of it is applied.
    """
    if base.hash == target.hash:
        return Plan(base.hash, target.hash, facts.fingerprint)
    changes = diff(base, target)
    found = tuple(problems(base, target, changes, facts, back))
    if found:
        return Plan(base.hash, target.hash, facts.fingerprint, changes, problems=found, back=back)
    tables = expanding.wanted_tables(target, base, facts)
    again = formulas.to_compute(base, target, facts)
    steps = (*_stage(target), *expanding.expand(tables, target, facts), *expanding.indexes(tables, target, facts),
             *formulas.suspend(again, target), *_switch(target), *_seed(target, changes),
             *formulas.compute(again, target, facts),
             *expanding.validate(tables, target, facts), *expanding.park(base, target, tables, facts))
    numbered = tuple(replace(step, number=number) for number, step in enumerate(steps, 1))
    return Plan(base.hash, target.hash, facts.fingerprint, changes, numbered,
                notes=tuple(notes(base, changes, facts)), back=back)


def _stage(target: State) -> Iterator[Step]:
    yield Step(0, "stage", f"version {target.hash[:12]}", note="definitions are written, nothing uses them yet")


def _switch(target: State) -> Iterator[Step]:
    yield Step(0, "prepare", "workers", note="every process builds the new version beside the old one")
    yield Step(0, "flip", f"version {target.hash[:12]}", note="the new version is live, for every request that "
                                                               "begins after it")


def _seed(target: State, changes: tuple[Change, ...]) -> Iterator[Step]:
    changed = {change.name for change in changes if change.kind == "data" and isinstance(change, Added | Changed)}
    for name in seed_order(target.model) if target.model is not None and changed else ():
        if name in changed:
            yield Step(0, "seed", f"data {name}", risk="additive",
                       note="records that are missing come in; what people changed stays")
