"""A plan as a person reads it: what changes, how it is done, what to know."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from core.bm.diff import ABSENT, Added, Change, Changed, Property, Removed, Renamed
from core.bm.steps import RISKS, Plan, Step
from core.errors import Words, words

LONGEST_VALUE = 100
# Whose properties are worth reading when they are new.
DETAILED = ("field", "choice", "rule", "unique", "index", "function", "setting", "sequence",
            "state", "transition", "step")
MOST_LINES = 8                  # of a text that changed


def as_text(plan: Plan, base: str = "live") -> str:
    """The whole plan, like Terraform's."""
    if plan.empty:
        return "No changes. Live is as the definitions say.\n"
    lines = [f"From {base} to {plan.target[:12]}:", ""]
    for change in plan.changes:
        lines += list(_change(change))
    if plan.problems:
        return "\n".join([*lines, "", "This cannot be promoted:", *(f"  {one}" for one in plan.problems), ""])
    lines += ["", "Steps:", *(line for step in plan.steps for line in _step(step)), ""]
    if plan.notes:
        lines += ["Note:", *(f"  {note}" for note in plan.notes), ""]
    return "\n".join([*lines, str(summary(plan)), ""])


def summary(plan: Plan) -> Words:
    """One line: how much is added, changed, removed, and the highest risk."""
    added = sum(isinstance(change, Added) for change in plan.changes)
    changed = sum(isinstance(change, Changed | Renamed) for change in plan.changes)
    removed = sum(isinstance(change, Removed) for change in plan.changes)
    return words("Plan: {added} to add, {changed} to change, {removed} to remove. Risk: {risk}.", added=added,
                 changed=changed, removed=removed, risk=words(RISKS[plan.risk]))


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
    yield f"  {step.number:>3}  {step.kind:<8}  {step.target}  ({'; '.join(about)})"
    if step.note:
        yield f"                 {step.note}"
    for statement in step.sql:
        yield f"                 {' '.join(statement.split())}"
