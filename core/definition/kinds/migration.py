"""The kind `migration`: what an addon does to the records that are there when it comes to a version."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from pydantic import Field as Property

from core.definition.building import Building
from core.definition.kinds.base import Kind
from core.definition.kinds.fields import check_value, past_value
from core.definition.kinds.schema import Expression, Line, Name, Path, Schema, Text, Value
from core.definition.migrations import VERSION, Filled, Migration, Past, UpgradeStep, Verb, check_past, version_key
from core.definition.names import fault
from core.definition.references import KEY
from core.definition.values import BodyPath, Merged

VERBS: tuple[Verb, ...] = ("fill", "split", "merge", "move")


class StepSchema(Schema):
    """One step: one of fill, split, merge and move, and what it sets."""

    help: Text | None = Property(None, description="What it is for, in a sentence.")
    fill: Name | None = Property(None, description="The table whose fields get values, as the new version calls it.")
    split: Path | None = Property(None, description="TABLE.FIELD that becomes several fields of the table; it is over "
                                  "with this version, and called as the version before calls it.")
    merge: list[Path] | None = Property(None, description="Fields, TABLE.FIELD each, of one table that become one; "
                                        "they are over with this version.")
    move: Path | None = Property(None, description="TABLE.FIELD that goes to another table; it is over with this "
                                 "version.")
    set: dict[Line, Value] = Property(description="What is filled: fields of the table, or TABLE.FIELD of another one, "
                                      "by the names of the new version; expressions are over the record as the version "
                                      "before has it.")
    where: Expression | None = Property(None, description="The records that get it, as the version before has them; "
                                        "all without it.")


class MigrationSchema(Schema):
    """The upgrade steps of an addon to one of its versions."""

    help: Text | None = Property(None, description="What changes for the records, in a sentence.")
    steps: dict[Name, StepSchema] = Property(description="The steps by name.")


class MigrationKind(Kind):
    """What an addon does to the records that are there when it comes to a version."""

    name = "migration"
    folder = "migrations"
    schema: ClassVar[type[Schema]] = MigrationSchema
    named = VERSION
    lazy = True

    def name_of(self, written: object, layer: str) -> object:
        """`migration: 2.0.0` of the addon rental is called rental_2_0_0."""
        return f"{layer}_{str(written).replace('.', '_')}"

    def name_fault(self, written: object) -> str | None:
        """Versions are what they are called by."""
        if isinstance(written, str) and version_key(written) is not None:
            return None
        return f"a migration is called by the version it leads to, such as 2.0.0, not {written!r}" + (
            "" if isinstance(written, str) else ": put it in quotes")

    def build(self, merged: Merged, schema: Any, building: Building) -> Migration:
        """The steps; what they set as literals in normal form or expressions over the version before."""
        version = merged.name.removeprefix(merged.layer + "_").replace("_", ".")
        steps = {name: _step(merged, name, step, building) for name, step in schema.steps.items()}
        return Migration(merged.name, merged.layer, version, {n: step for n, step in steps.items() if step is not None})

    def check(self, merged: Merged, value: Any, building: Building) -> None:
        """Check that it is of an addon and not ahead of it, and every field and expression."""
        own = {addon.name: addon for addon in building.values["addon"].values()}.get(value.addon)
        if own is None:
            building.tell(merged, (), "only an addon has versions to come to; write fill: on a field of the site")
        elif version_key(own.version) is None:
            building.tell(merged, (), f'addon "{own.name}" has version "{own.version}", which cannot be compared: '
                                      "write one such as 2.0.0")
        elif (version_key(own.version) or ()) < (version_key(value.version) or ()):
            building.tell(merged, (), f'addon "{own.name}" is of version {own.version}, so nothing comes to '
                                      f"{value.version} yet")
        seen: dict[tuple[str, str], str] = {}
        for step in value.steps.values():
            for end in step.ends:
                _check_ended(merged, step, end, building)
            for one in step.fills:
                first = seen.setdefault((one.table, one.field), step.name)
                if first != step.name:
                    building.tell(merged, one.path, f'"{one.table}.{one.field}" is set by step "{first}" already')
                _check_filled(merged, value, one, building)
            check_past(merged, ("steps", step.name, "where"), step.fills[0].where if step.fills else None, building,
                       shift=0)


def _step(merged: Merged, name: str, schema: StepSchema, building: Building) -> UpgradeStep | None:
    """One step as a value; None, with a problem told, if it is not one of the four."""
    path: BodyPath = ("steps", name)
    verbs = [verb for verb in VERBS if getattr(schema, verb) is not None]
    if len(verbs) != 1:
        building.tell(merged, path, f"a step is one of {', '.join(VERBS)}" + (
            f"; this has {' and '.join(verbs)}" if verbs else ""))
        return None
    verb = verbs[0]
    said = getattr(schema, verb)
    ends = () if verb == "fill" else tuple(said) if isinstance(said, list) else (said,)
    tables = {said} if verb == "fill" else {end.partition(".")[0] for end in ends}
    if any(end.count(".") != 1 for end in ends):
        building.tell(merged, (*path, verb), "write the table and the field, such as company.name")
        return None
    if len(tables) != 1:
        building.tell(merged, (*path, verb), "the fields of one table become one: these are of "
                      + " and ".join(sorted(tables)) if tables else "say which fields become one")
        return None
    fills = tuple(_fills(merged, path, _now(tables.pop(), building), schema, building))
    if not fills:
        building.tell(merged, (*path, "set"), "it sets nothing")
    return UpgradeStep(name, verb, fills, ends)


def _now(table: str, building: Building) -> str:
    """What a table of the version before is called now."""
    return table if table in building.names.tables else building.names.renames.definition("table", table) or table


def _fills(merged: Merged, path: BodyPath, table: str, schema: StepSchema, building: Building) -> Iterator[Filled]:
    where = Past(schema.where) if schema.where is not None else None
    for target, value in schema.set.items():
        owner, dot, name = target.rpartition(".")
        place = (*path, "set", target)
        wrong = fault(name) or (fault(owner) if dot else None)
        if wrong is not None:
            building.tell(merged, place, f'"{target}" is no field, and no TABLE.FIELD: {wrong}')
            continue
        field = building.names.field(owner or table, name)
        if field is not None:
            value = past_value(merged, place, value, field, building)
        elif isinstance(value, str) and value.startswith("="):
            value = Past(value[1:])
        yield Filled(owner or table, name, value, where, place)


def _check_ended(merged: Merged, step: UpgradeStep, end: str, building: Building) -> None:
    """A field that is used up is there no longer, unless a new one has taken its name."""
    table, _, name = end.partition(".")
    field = building.names.field(_now(table, building), name)
    if field is not None and not field.fresh:
        building.tell(merged, ("steps", step.name, step.verb), f'field "{end}" is still there, so nothing ends it: '
                      "remove it, write fresh: true on a new one of that name, or use fill")


def _check_filled(merged: Merged, migration: Migration, one: Filled, building: Building) -> None:
    """What is set is a stored field of this version, or one that a later migration uses up."""
    field = building.names.field(one.table, one.field)
    if field is None and f"{one.table}.{one.field}" in _ended_later(migration, building):
        check_past(merged, one.path, one.value, building)
        return
    if one.table not in building.names.tables:
        building.find(merged, one.path, "table", one.table, KEY)
        return
    if building.field(merged, one.path, one.table, one.field, KEY) is None or field is None:
        return
    if field.virtual or field.computed or field.type.is_drawn:
        building.tell(merged, one.path, f'field "{one.field}" cannot be filled: '
                      + ("it is worked out" if field.computed else f'its type is "{field.type.name}"'))
        return
    check_value(merged, one.path, one.value, field, building)


def _ended_later(migration: Migration, building: Building) -> set[str]:
    after = version_key(migration.version) or ()
    return {end for other in building.values["migration"].values()
            if other.addon == migration.addon and (version_key(other.version) or ()) > after
            for step in other.steps.values() for end in step.ends}
