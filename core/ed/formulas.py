"""Stored formulas as the record service sees them: what each table keeps, what that reads, and who is told of a change.

Everything here follows from the Model alone and is worked out once for each version.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core.definition.model import Field, Model, Table
    from core.ed.access import Gate
    from core.ed.system import System

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reads:
    """What formulas read, those that are not stored followed: fields of the record, and of the lines of its fields."""

    own: frozenset[str]                         # fields that people fill in, or that change in another way
    formulas: frozenset[str]                    # stored formulas of the record
    lines: Mapping[str, frozenset[str]]         # by lines field: the fields of the lines, stored formulas too


@dataclass(frozen=True, slots=True)
class Watch:
    """Stored formulas of a table that read such lines: `by` is the link of the lines that leads to its records."""

    table: str                                  # the parent, never a base of it
    by: str
    plain: frozenset[str]                       # the fields of a line whose change concerns them
    formulas: frozenset[str]                    # the stored formulas of a line that they read


@dataclass(frozen=True)
class Kept:
    """What one table's stored formulas need."""

    fields: tuple[Field, ...]
    own: frozenset[str]                         # the fields of the record whose change concerns them
    watches: tuple[Watch, ...] = field(default=())      # those around whose lines these records are


def kept(system: System, table: str) -> Kept:
    """The stored formulas of a table, and what watches its records as lines."""
    return system.cache.get(("stored formulas", table), lambda: Kept(
        stored(system.model.tables[table]), _own(system.model, table), tuple(_watches(system.model, table))))


def stored(table: Table) -> tuple[Field, ...]:
    """The stored formulas of a table."""
    return tuple(one for one in table.fields.values() if one.stored)


def any_stored(system: System) -> bool:
    """Whether a version has a stored formula at all."""
    return system.cache.get("any stored formula", lambda: any(map(stored, system.model.tables.values())))


def reads(model: Model, table: str, formulas: Iterable[Field]) -> Reads:
    """What some formulas of a table read."""
    own: set[str] = set()
    known: set[str] = set()
    lines: dict[str, set[str]] = {}
    waiting, seen = list(formulas), set[str]()
    while waiting:
        current = waiting.pop()
        seen.add(current.name)
        for path in current.formula.reads if current.formula is not None else ():
            found = model.field(table, path[0])
            if found is not None and found.type.is_lines:
                lines.setdefault(found.name, set()).update(path[1:2])
            elif found is not None and found.computed:
                known |= {found.name} if found.stored else set()
                waiting += [found] if found.name not in seen and not found.stored else []
            else:
                own.add(path[0])
    return Reads(frozenset(own), frozenset(known), {
        name: frozenset(_of_lines(model, model.tables[table].fields[name].target or "", inner))
        for name, inner in lines.items()})


def _of_lines(model: Model, table: str, names: Iterable[str]) -> Iterator[str]:
    """The fields of lines that are read, with those behind formulas that are not stored."""
    for name in names:
        found = model.field(table, name)
        if found is not None and found.computed and not found.stored:
            inner = reads(model, table, [found])
            yield from inner.own | inner.formulas
        else:
            yield name


def closure(model: Model, table: str, names: Iterable[str]) -> frozenset[str]:
    """Fields of a table, stored formulas among them replaced by what of the record itself they read."""
    found: set[str] = set()
    waiting, seen = list(names), set[str]()
    while waiting:
        name = waiting.pop()
        one = model.field(table, name)
        if name in seen or one is None or not one.computed:
            found |= {name} - seen if one is None or not one.computed else set()
            continue
        seen.add(name)
        inner = reads(model, table, [one])
        waiting += [*inner.own, *inner.formulas]
    return frozenset(found)


def _own(model: Model, table: str) -> frozenset[str]:
    return closure(model, table, (one.name for one in stored(model.tables[table])))


def _watches(model: Model, table: str) -> Iterator[Watch]:
    """The parents whose stored formulas read records of a table as lines."""
    for parent in model.tables.values():
        if parent.abstract:
            continue
        by_link: dict[str, set[str]] = {}
        for name, inner in reads(model, parent.name, stored(parent)).lines.items():
            lines = parent.fields[name]
            if model.names.is_kind_of(table, lines.target or ""):
                by_link.setdefault(str(getattr(lines.properties, "by", "")), set()).update(inner)
        for by, names in by_link.items():
            formulas = frozenset(name for name in names if (one := model.field(table, name)) is not None and one.stored)
            yield Watch(parent.name, by, closure(model, table, names), formulas)


def ranks(system: System) -> Mapping[str, int]:
    """How far each table is from the end of all parents: lines have a higher rank than what they are lines of."""
    def find() -> dict[str, int]:
        above = {name: {system.model.tables[watch.table].root for watch in _watches(system.model, name)}
                 for name, table in system.model.tables.items() if not table.abstract}
        roots: dict[str, set[str]] = {}
        for name, parents in above.items():
            roots.setdefault(system.model.tables[name].root, set()).update(parents)
        found: dict[str, int] = {}
        for root in roots:
            _rank(root, roots, found, ())
        return found
    return system.cache.get("ranks of stored formulas", find)


def _rank(root: str, above: Mapping[str, set[str]], found: dict[str, int], way: tuple[str, ...]) -> int:
    if root in way:                             # a tree: its records stand above each other
        return 0
    if root not in found:
        parents = above.get(root, set()) - {root}
        found[root] = 1 + max((_rank(one, above, found, (*way, root)) for one in sorted(parents)), default=-1)
    return found[root]


def signature(model: Model, one: Field) -> str:
    """What the value of a stored formula hangs on, as text: where it is another, every record is worked out anew."""
    parts = [f"{one.type.name} {one.properties!r}"]
    waiting, seen = [one], set[str]()
    while waiting:
        current = waiting.pop()
        key = f"{current.table}.{current.name}"
        if key in seen or current.formula is None:
            continue
        seen.add(key)
        parts.append(f"{current.name}: {current.formula.source}")
        for path in sorted(current.formula.reads):
            found = model.field(current.table, path[0])
            if found is not None and found.type.is_lines:
                parts.append(f"{path[0]}: {found.properties!r}")
                found = model.field(found.target or "", path[1]) if len(path) > 1 else None
            if found is not None and found.computed:
                waiting.append(found)
    return "\n".join(parts)


def open_to(gate: Gate, table: str, one: Field) -> bool:
    """Whether a user may be shown what is stored: all that it reads may be read wherever the record may be.

    To everyone else the formula is worked out from what that user may read, as if it were not stored.
    """
    def find() -> bool:
        if gate.says(table, one.name):
            return True
        inner = reads(gate.system.model, table, [one])
        formulas = (gate.system.model.field(table, name) for name in inner.formulas)
        return (all(_always(gate, table, name) for name in inner.own | inner.formulas)
                and all(open_to(gate, table, other) for other in formulas if other is not None)
                and all(_lines_open(gate, table, name, names) for name, names in inner.lines.items()))
    return gate.open or gate.once(("stored formula", table, one.name), find)


def _always(gate: Gate, table: str, name: str) -> bool:
    return gate.mask(table, name, gate.system.stored(table).table) is True


def _lines_open(gate: Gate, table: str, name: str, names: Iterable[str]) -> bool:
    """Whether all lines of a record that may be read may be read too, in these fields."""
    model = gate.system.model
    lines = model.tables[table].fields[name]
    target, by = lines.target or "", str(getattr(lines.properties, "by", ""))
    access = model.tables[target].access
    kinds = model.tables[target].kinds or (target,)
    with_parent = by in access.through and not access.only and all(
        gate.rule(kind, "read") is True and not gate.restrictions(kind) for kind in kinds)
    if not with_parent and gate.predicate(target, "read", gate.system.stored(target).table) is not True:
        return False
    of_lines = [one for each in names if (one := model.field(target, each)) is not None and one.stored]
    return (_always(gate, table, name) and all(_always(gate, target, each) for each in names)
            and all(open_to(gate, target, one) for one in of_lines))
