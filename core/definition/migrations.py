"""Values that records get on the way to a version: `fill` of a field, and the upgrade steps of an addon.

Expressions here are about the version that is live before the promotion; they are parsed when definitions are checked
and typed when a promotion needs them, since only then somebody knows which version that is.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from core.definition.values import BodyPath
from core.expression.errors import ExpressionError

if TYPE_CHECKING:
    from core.definition.building import Building
    from core.definition.values import Merged

VERSION = r"[0-9]{1,6}(\.[0-9]{1,6}){0,3}"
Verb = Literal["fill", "split", "merge", "move"]


@dataclass(frozen=True, slots=True)
class Past:
    """An expression over the records of a table as the version before has them; not typed yet."""

    source: str


@dataclass(frozen=True, slots=True)
class Filled:
    """A field of the new version and what it gets: a literal, or an expression over the version before."""

    table: str
    field: str
    value: object
    where: Past | None = None               # the records that get it; the others get nothing, or keep what they have
    path: BodyPath = ()                     # where the value stands in its definition


@dataclass(frozen=True, slots=True)
class UpgradeStep:
    """One step of a migration; `ends` are the fields, as the version before calls them, that it uses up."""

    name: str
    verb: Verb
    fills: tuple[Filled, ...]
    ends: tuple[str, ...] = ()


@dataclass(frozen=True)
class Migration:
    """What an addon does to the records that are there when it comes to a version."""

    name: str
    addon: str
    version: str
    steps: Mapping[str, UpgradeStep] = field(default_factory=dict)


def version_key(version: str) -> tuple[int, ...] | None:
    """A version as numbers to compare: 1.10 is after 1.9, and 2.0 is 2.0.0. None if it is made of anything else."""
    if not re.fullmatch(VERSION, version):
        return None
    numbers = [int(part) for part in version.split(".")]
    while len(numbers) > 1 and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)


def check_past(merged: Merged, path: BodyPath, past: object, building: Building, shift: int = 1) -> None:
    """Tell what is wrong with how an expression over the version before is written; its names are of that version."""
    if not isinstance(past, Past):
        return
    for column, problem in _faults(past.source):
        building.tell(merged, path, problem, inside=column + shift)


def _faults(source: str) -> Iterator[tuple[int, str]]:
    from core.expression.parse import parse
    try:
        found = parse(source)
    except ExpressionError as error:
        yield error.column, error.message
        return
    for node in ast.walk(found.tree):
        if isinstance(node, ast.Name) and node.id == "user":
            yield found.column(node), 'records are filled by no user, so "user" means nothing here'
