"""Whether values that are stored still mean something to a later version of their field, in the columns they are in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from core.bm.versions.choice_values import of_field
from core.bm.versions.diff import former_name

if TYPE_CHECKING:
    from core.bm.versions.state import Member, State


def stays(base: State, target: State, former: str, path: str, answers: Mapping[str, str]) -> bool:
    """Whether what a field of the base holds may stay where it is; else it needs other columns."""
    old, new = base.members[former], target.members[path]
    before, after = base.meaning(former), before_renames(base, target, path)
    if links(before) and links(before) <= links(after):         # a link may come to lead to more tables
        return True
    same = before == after or {one_choice(before), one_choice(after)} == {"choice", "state"}
    if not same or not (old.parts == new.parts or turns(old, new)):
        return False
    return not of_field(base, target, path, answers)


def turns(before: Member, after: Member) -> bool:
    """Whether a formula becomes a stored one, or is stored no longer: its meaning stays, its columns come or rest."""
    return "formula" in before.meaning.split() and () in (before.parts, after.parts)


def links(meaning: str) -> frozenset[str]:
    """The tables of a link to several, by identity; none for anything else."""
    head, *targets = meaning.split()
    return frozenset(targets) if head == "link" and len(targets) > 1 and "many" not in targets else frozenset()


def one_choice(meaning: str) -> str:
    """What a meaning is of, if it is one value of several: a choice may become the state of a workflow, and back."""
    head, _, rest = meaning.partition(" ")
    return head if "many" not in rest.split() else meaning


def before_renames(base: State, target: State, path: str) -> str:
    """The meaning in the words of the base: renamed choices under their former name."""
    head, _, rest = target.meaning(path).partition(" ")
    if head != "choice":
        return target.meaning(path)
    name, _, many = rest.partition(" ")
    return " ".join(filter(None, (head, former_name("choices", name, base, target) or name, many)))
