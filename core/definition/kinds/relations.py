"""What must hold of links to several tables, of links through a table between, and of names kept as values."""

from __future__ import annotations

from collections.abc import Mapping

from core.definition.building import Building
from core.definition.names import suggestion
from core.definition.relations import candidates, ends
from core.definition.tables import Field, Table
from core.definition.values import BodyPath, Merged
from core.types.field import FieldNameProperties
from core.types.links import LinksProperties


def check_several(merged: Merged, path: BodyPath, made: Field, building: Building) -> None:
    """Check a link to several tables: each is there, none is a kind of another, conditions are said by table."""
    there = []
    for index, target in enumerate(made.targets):
        if building.find(merged, (*path, "to", index), "table", target) is not None:
            there.append(target)
    for target in there:
        base = next((one for one in there if one != target and building.names.is_kind_of(target, one)), None)
        if base is not None:
            building.tell(merged, (*path, "to"), f'"{target}" is a kind of "{base}", which is named already')
    for key in ("many", "tree"):
        if getattr(made.properties, key, False):
            building.tell(merged, (*path, key), f'"{key}" is for links to one table')
    among = made.written.get("among")
    for target in among if isinstance(among, Mapping) else ():
        if target not in made.targets:
            building.tell(merged, (*path, "among", target), f'the link does not lead to "{target}"'
                          + suggestion(target, made.targets))


def check_links(merged: Merged, path: BodyPath, made: Field, building: Building) -> None:
    """Check links through a table: it has one link to each side, or the definition says which."""
    properties = made.properties
    if not isinstance(properties, LinksProperties):
        raise TypeError(made.type.name)
    to = building.find(merged, (*path, "to"), "table", properties.to)
    through = building.find(merged, (*path, "through"), "table", properties.through)
    if to is None or through is None:
        return
    for key, table in (("by", made.table), ("other", properties.to)):
        _check_end(merged, (*path, key), through, table, getattr(properties, key), building)
    if properties.by and properties.by == properties.other:
        building.tell(merged, (*path, "other"), f'"by" and "other" are two links of table "{through.name}"')
    elif ends(building.names, made) is None:
        _tell_unclear(merged, path, made, through, building)


def _check_end(merged: Merged, path: BodyPath, through: Table, table: str, name: str, building: Building) -> None:
    if name and building.field(merged, path, through.name, name) is not None \
            and name not in candidates(building.names, through, table):
        building.tell(merged, path, f'"{name}" of table "{through.name}" is no link to table "{table}"')


def _tell_unclear(merged: Merged, path: BodyPath, made: Field, through: Table, building: Building) -> None:
    for key, table in (("by", made.table), ("other", str(made.target))):
        found = candidates(building.names, through, table)
        if not found:
            building.tell(merged, (*path, "through"), f'table "{through.name}" has no link to table "{table}"')
            return
        if len(found) > 1:
            several = ", ".join(f'"{one}"' for one in found)
            building.tell(merged, (*path, "through"), f'table "{through.name}" has several links to table "{table}": '
                                                      f'say with "{key}" which of {several} is meant')
            return


def check_table_name(merged: Merged, path: BodyPath, made: Field, building: Building) -> None:
    """Check the base of the tables that a value may name."""
    base = str(getattr(made.properties, "of", ""))
    if base:
        building.find(merged, (*path, "of"), "table", base)


def check_field_name(merged: Merged, path: BodyPath, made: Field, building: Building) -> None:
    """Check which table's fields a value may name: a fixed one, or the one that another field of the record names."""
    properties = made.properties
    if not isinstance(properties, FieldNameProperties):
        raise TypeError(made.type.name)
    if bool(properties.on) == bool(properties.table):
        building.tell(merged, path, f'field "{made.name}" has either "on", a table, or "table", a field that names one')
    elif properties.on:
        building.find(merged, (*path, "on"), "table", properties.on)
    elif building.field(merged, (*path, "table"), made.table, properties.table) is not None:
        beside = building.names.field(made.table, properties.table)
        if beside is None or beside.type.name != "table":
            building.tell(merged, (*path, "table"), f'"{properties.table}" is no field of type "table"')
