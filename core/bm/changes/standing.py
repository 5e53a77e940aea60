"""Where the values of fields stand before and after, as far as names go: no table is asked for it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from core.bm.versions.homes import former_field
from core.ed.schema import kept_part, name_all, parts
from core.ed.system import System

if TYPE_CHECKING:
    from core.bm.inputs.facts import Facts
    from core.bm.inputs.way import Way
    from core.bm.versions.state import State
    from core.definition.model import Field, Model


def system_of(state: State, model: Model, facts: Facts) -> System:
    """A state over the database, as far as names go."""
    names = name_all(model, state.identities, facts.physical, state.storages)
    return System(0, model, state.identities, names, storages=state.storages)


def systems(way: Way) -> tuple[System, System]:
    """Both versions, so. Raises ValueError before the first promotion."""
    before, after = way.models
    return system_of(way.base, before, way.facts), system_of(way.target, after, way.facts)


def pairs(way: Way, before: System, after: System, table: str, path: str,
          field: Field) -> Iterator[tuple[str, str, str]]:
    """The columns (there, here, type) of a field that take something over as it is, for records of a table.

    `table` is what the table `path` is called in the base.
    """
    former = former_field(way.base, way.target, table, field)
    if former is None or former.virtual:
        return
    old, new = before.stored(table), after.stored(path)
    there = {kept_part(before.identities, former, part): part for part, _ in parts(former)}
    for part, kind in parts(field):
        was = there.get(kept_part(after.identities, field, part))
        if was is not None and dict(parts(former))[was] == kind:
            yield new.name(field.name, part), old.name(former.name, was), kind
