"""The planner: a pure function from two states, the facts and the answers to ordered steps, or to what stands against.

A family is what one sort of change brings along: what it asks, what speaks against it, what it does, what to know.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from core.bm.changes import (
    environment,
    expanding,
    fill_expressions,
    fill_returned,
    fill_steps,
    formulas,
    migrations,
    moving,
    refusals,
    rename_questions,
    retyping,
    seed_outlook,
    tightening,
    value_questions,
)
from core.bm.engine.steps import KINDS, Kind, Plan, Step
from core.bm.inputs.facts import Facts
from core.bm.inputs.questions import NO_ANSWERS, Answers, Question, given, open_questions, waiting, wrong_answers
from core.bm.inputs.way import Way
from core.bm.planning import notes, validation, warnings, way_back
from core.bm.versions.diff import diff
from core.bm.versions.naming import HOLDERS
from core.bm.versions.state import State
from core.errors import Words, words


def nothing(way: Way) -> Iterator[Words]:
    """What a family says that has nothing to say."""
    yield from ()


def no_steps(way: Way) -> Iterator[Step]:
    yield from ()


def no_questions(way: Way) -> Iterator[Question]:
    yield from ()


@dataclass(frozen=True)
class Family:
    """What one sort of change brings along; all are generators over the way."""

    name: str
    steps: Callable[[Way], Iterator[Step]] = no_steps
    questions: Callable[[Way], Iterator[Question]] = no_questions
    problems: Callable[[Way], Iterator[Words]] = nothing
    notes: Callable[[Way], Iterator[Words]] = nothing
    way_back: Callable[[Way], Iterator[Words]] = nothing
    warnings: Callable[[Way], Iterator[Words]] = nothing


def _stage(way: Way) -> Iterator[Step]:
    yield Step(0, "stage", f"version {way.target.hash[:12]}",
               note=words("definitions are written, nothing uses them yet"))


def _switch(way: Way) -> Iterator[Step]:
    yield Step(0, "prepare", "workers", note=words("every process builds the new version beside the old one"))
    yield Step(0, "flip", f"version {way.target.hash[:12]}", note=words(
        "the new version is live, for every request that begins after it"))


# Steps of one kind are done in the order of this list.
FAMILIES: tuple[Family, ...] = (
    Family("versions", steps=_stage),
    Family("renaming", questions=rename_questions.questions, problems=rename_questions.problems),
    Family("asking", questions=value_questions.questions, problems=value_questions.problems),
    Family("refusals", problems=refusals.problems),
    Family("validation", problems=validation.problems, warnings=validation.warnings),
    Family("environment", steps=environment.steps, questions=environment.questions, problems=environment.problems),
    Family("expanding", steps=expanding.steps),
    Family("retyping", problems=retyping.problems, notes=retyping.notes, way_back=retyping.way_back),
    Family("migrations", problems=migrations.problems, notes=migrations.notes),
    Family("expressions", problems=fill_expressions.problems),
    Family("returning", questions=fill_returned.questions, problems=fill_returned.problems),
    Family("moving", steps=moving.steps),
    Family("filled", steps=fill_steps.steps),
    Family("formulas", steps=formulas.steps, problems=formulas.problems),
    Family("tightening", steps=tightening.steps, notes=tightening.notes),
    Family("switch", steps=_switch),
    Family("seeds", steps=seed_outlook.steps, notes=seed_outlook.notes),
    Family("notes", notes=notes.notes, warnings=warnings.warnings, way_back=way_back.way_back),
)


# What must not begin while a request runs on the old version.
LATER: frozenset[Kind] = frozenset({"settle", "compute", "validate", "tighten", "park"})


def plan(base: State, target: State, facts: Facts, back: bool = False, answers: Answers = NO_ANSWERS) -> Plan:
    """Say how live gets from the base to the target; `back` allows what only a way back may do (narrowing).

    Both states have their identities. A plan with problems or open questions has no steps: nothing of it is applied.
    """
    if base.hash == target.hash:
        return Plan(base.hash, target.hash, facts.fingerprint)
    way = Way(base, target, diff(base, target), facts, back, answers)
    room = tuple(moving.room(way))
    way = replace(way, facts=moving.without_what_goes(way))         # the rest is planned for tables that are ready
    asked = tuple(question for family in FAMILIES for question in family.questions(way))
    way = replace(way, answers=given(asked, answers, back))
    later = waiting(asked, way.answers)
    now = tuple(one for one in asked if one.key not in later)
    made = Plan(base.hash, target.hash, facts.fingerprint, way.changes, back=back, after=facts.after,
                answers=way.answers, questions=open_questions(now, way.answers), asked=now, places=_places(way),
                problems=(*wrong_answers(asked, answers), *_said(way, "problems")), notes=_said(way, "notes"),
                warnings=_said(way, "warnings"))
    if made.problems or made.questions:
        return made
    return replace(made, steps=_in_order([*room, *(step for family in FAMILIES for step in family.steps(way))]),
                   way_back=_said(way, "way_back"))


def _said(way: Way, about: str) -> tuple[Words, ...]:
    return tuple(one for family in FAMILIES for one in getattr(family, about)(way))


def _in_order(steps: Iterable[Step]) -> tuple[Step, ...]:
    order = list(KINDS)
    steps = [*steps]
    if LATER & {step.kind for step in steps}:
        steps.append(Step(0, "acknowledge", "workers", note=words("waits until no request runs on the old version")))
    return tuple(replace(step, number=number) for number, step in enumerate(
        sorted(steps, key=lambda step: order.index(step.kind)), 1))


def _places(way: Way) -> dict[str, str]:
    """Where each changed thing is written, and what it is a part of, by what it is called."""
    found: dict[str, str] = {}
    for change in way.changes:
        holder = HOLDERS.get(change.kind, change.kind)
        owner = change.name.partition(".")[0] if holder != change.kind else change.name
        for kind, name in ((holder, owner), (change.kind, change.name)):
            place = way.target.place(kind, name)
            found.update({f"{kind} {name}": place} if place else {})
    return found
