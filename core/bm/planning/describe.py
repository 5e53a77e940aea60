"""A plan as a person reads it: what changes, how it is done, what to know."""

from __future__ import annotations

import difflib
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from core.bm.engine.steps import RISKS, Plan, Step
from core.bm.inputs.facts import Finding, counted
from core.bm.inputs.questions import Question
from core.bm.versions.diff import ABSENT, Added, Change, Changed, Property, Removed, Renamed
from core.bm.versions.naming import HOLDERS
from core.errors import Words, words

LONGEST_VALUE = 100
# Whose properties are worth reading when they are new.
DETAILED = ("field", "choice", "rule", "unique", "index", "function", "setting", "sequence",
            "state", "transition", "step")
MOST_STATEMENTS = 4             # of one step
MOST_LINES = 8                  # of a text that changed


def as_text(plan: Plan, base: str = "live") -> str:
    """The whole plan, like Terraform's: what to know first, what changes, what is asked, how it is done."""
    if plan.empty:
        return "No changes. Live is as the definitions say.\n"
    lines = [f"From {base} to {plan.target[:12]}:", ""]
    if plan.warnings:
        lines += ["Know this first:", *(f"  ! {warning}" for warning in plan.warnings), ""]
    lines += [*_changes(plan), ""]
    if plan.questions:
        lines += ["This has to be said first:", *(line for one in plan.questions for line in _open(one)), *WAYS_OUT, ""]
    if plan.problems:
        lines += ["This cannot be promoted:", *(f"  {one}" for one in plan.problems), ""]
    if plan.problems or plan.questions:
        return "\n".join(lines)
    if plan.answers:
        lines += ["Answers:", *(f"  {key}: {answer}" for key, answer in plan.answers.items()), ""]
    lines += ["Steps:", *(line for step in plan.steps for line in _step(step)), ""]
    for title, said in (("Note:", plan.notes), ("The way back:", plan.way_back)):
        lines += [title, *(f"  {one}" for one in said), ""] if said else []
    return "\n".join([*lines, str(summary(plan)), *_risks(plan), ""])


WAYS_OUT = (
    "", "  Three ways to say it: promote from a terminal and be asked; give --answer 'KEY=VALUE' or --answers FILE; or",
    "  write it into the definition, as each question names it.")


def question_lines(question: Question) -> list[str]:
    """A question as a person reads it: how many records, which, and what can be answered."""
    lines = [f"  {question.words}"]
    if question.count or question.samples:
        lines.append(f"      {counted(Finding(question.count, question.samples))}")
    lines += [f"      {option.value:<12} {option.words}" for option in question.options]
    if question.free:
        lines.append("      VALUE        any other value" + (", or =EXPRESSION over the records as they are now"
                                                             if question.expression else ""))
    return lines


def needs_thought(plan: Plan) -> bool:
    """Whether "yes" is too little: values go out of sight, rights are widened, names change."""
    return bool(plan.warnings) or plan.risk in ("lossy", "rewrite")


def _open(question: Question) -> Iterator[str]:
    head, *rest = question_lines(question)
    yield f"  {question.key}"
    yield f"    {head}"
    yield from rest
    yield f"      in the definition: {question.said}" + (f"  ({question.place})" if question.place else "")


def _changes(plan: Plan) -> Iterator[str]:
    """The changes by definition, each with where it is written; parts stand beneath what they are parts of."""
    owner: tuple[str, str] | None = None
    for change in plan.changes:
        holder = HOLDERS.get(change.kind, change.kind)
        mine = (holder, change.name.partition(".")[0] if holder != change.kind else change.name)
        if holder != change.kind and mine != owner:
            yield _placed(f"  ~ {' '.join(mine)}", plan.places.get(" ".join(mine), ""))
        owner = mine
        head, *rest = _change(change)
        indent = "    " if holder != change.kind else ""
        yield _placed(indent + head, plan.places.get(f"{change.kind} {change.name}", ""))
        yield from (indent + line for line in rest)


def _placed(line: str, place: str) -> str:
    return f"{line:<50}  {place}" if place else line


def summary(plan: Plan) -> Words:
    """One line: how much is added, changed, removed, and the highest risk."""
    added = sum(isinstance(change, Added) for change in plan.changes)
    changed = sum(isinstance(change, Changed | Renamed) for change in plan.changes)
    removed = sum(isinstance(change, Removed) for change in plan.changes)
    return words("Plan: {added} to add, {changed} to change, {removed} to remove. Risk: {risk}.", added=added,
                 changed=changed, removed=removed, risk=words(RISKS[plan.risk]))


def _risks(plan: Plan) -> Iterator[str]:
    """What the steps come to: how many of each risk, what takes long."""
    counts = Counter(step.risk for step in plan.steps)
    seconds = sum(step.seconds for step in plan.steps)
    listed = ", ".join(f"{counts[risk]} {risk}" for risk in RISKS if counts[risk])
    yield f"Steps: {listed}." + (f" About {seconds:,.0f} s, while people go on working." if seconds >= 1 else "")


def details(change: Change) -> list[str]:
    """What a change sets, a line for each property."""
    return [line.strip() for line in list(_change(change))[1:]]


def _change(change: Change) -> Iterator[str]:
    yield f"  {change.sign} {change.describe()}"
    if isinstance(change, Added) and change.kind in DETAILED:
        for key, value in change.body.items():
            if not isinstance(value, Mapping | list):
                yield f"      {key} = {_value(value)}"
    if isinstance(change, Changed):
        for one in change.properties:
            yield f"      {_property(one)}"
            yield from _lines(one)


def _lines(one: Property) -> Iterator[str]:
    """The lines that changed in a text of several."""
    if not (_is_text(one.before) and _is_text(one.after)):
        return
    changed = [line for line in difflib.ndiff(one.before.splitlines(), one.after.splitlines()) if line[0] in "+-"]
    yield from (f"        {line}" for line in changed[:MOST_LINES])
    if len(changed) > MOST_LINES:
        yield f"        … {len(changed) - MOST_LINES} lines more"


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and "\n" in value


def _property(one: Property) -> str:
    if _is_text(one.before) and _is_text(one.after):
        return f"~ {one.path}"
    if one.before == ABSENT:
        return f"+ {one.path} = {_value(one.after)}"
    if one.after == ABSENT:
        return f"- {one.path}"
    return f"~ {one.path}: {_value(one.before)} -> {_value(one.after)}"


def _value(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= LONGEST_VALUE else text[:LONGEST_VALUE - 1] + "…"


def _step(step: Step) -> Iterator[str]:
    about = [step.risk, *([f"lock: {step.lock}"] if step.lock else []), *([f"{step.rows:,} rows"] if step.rows else []),
             *([f"about {step.seconds:g} s"] if step.seconds >= 1 else [])]
    yield f"  {step.number:>3}  {step.kind:<11}  {step.target}  ({'; '.join(about)})"
    if step.note:
        yield f"                 {step.note}"
    for statement in step.sql if len(step.sql) <= MOST_STATEMENTS else step.sql[:MOST_STATEMENTS - 1]:
        yield f"                 {' '.join(statement.split())}"
    if len(step.sql) > MOST_STATEMENTS:
        yield f"                 … {len(step.sql) - MOST_STATEMENTS + 1} statements more (--json shows them)"
