"""What tables say of people's scopes and of the days on which rights hold."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from core.definition.building import Building
from core.definition.values import BodyPath, Merged

if TYPE_CHECKING:
    from core.definition.model import RecordRole, Table
    from core.definition.scope import Names


def scopes_of(definitions: Iterable[Merged]) -> tuple[str, ...]:
    """The paths from the user into trees that record roles of some tables and mixins name."""
    found = set()
    for merged in definitions:
        roles = merged.body.get("roles") if merged.kind in ("table", "mixin") else None
        for role in roles.values() if isinstance(roles, dict) else ():
            if isinstance(role, dict) and isinstance(role.get("within"), str) and isinstance(role.get("of"), str):
                found.add(role["of"])
    return tuple(sorted(found))


def tree_of(names: Names, table: str) -> str | None:
    """The link by which records of a table stand above each other; None if it is no tree."""
    found = names.tables.get(table)
    return next((name for name, field in found.links.items() if getattr(field.properties, "tree", False)),
                None) if found is not None else None


def check_scope(merged: Merged, role: RecordRole, table: Table, building: Building) -> None:
    """Check that both ends of a scope are one tree."""
    path: BodyPath = ("roles", role.name)
    if bool(role.within) != bool(role.of):
        building.tell(merged, path, 'a scope has both: "within" from the record, "of" from the user')
    if role.within is None or role.of is None:
        return
    record = _end(merged, (*path, "within"), table.name, role.within, building)
    user = _end(merged, (*path, "of"), "user", role.of, building)
    if record is None or user is None:
        return
    if tree_of(building.names, record) is None:
        building.tell(merged, (*path, "within"), f'"{role.within}" ends at table "{record}", which is no tree: none of '
                                                 'its links has "tree: true"')
    elif not (building.names.is_kind_of(user, record) or building.names.is_kind_of(record, user)):
        building.tell(merged, (*path, "of"), f'"{role.of}" ends at table "{user}", not at "{record}"')


def _end(merged: Merged, path: BodyPath, table: str, written: str, building: Building) -> str | None:
    """The table at which a path ends; None, with a problem told, if it leads to no records."""
    found = building.field(merged, path, table, written)
    if found is None:
        return None
    if found.of is None or found.of not in building.names.tables:
        building.tell(merged, path, f'"{written}" does not end at records')
        return None
    if path[-1] == "within":
        current = table
        for name in written.split("."):
            field = building.names.field(current, name)
            if field is None or field.type.name != "link" or field.virtual:
                building.tell(merged, path, f'"{name}" is no link')
                return None
            current = field.target or ""
    return found.of


def check_during(merged: Merged, table: Table, building: Building) -> None:
    """Check that the first and last day are dates."""
    for index, name in enumerate(table.during or () if "during" in merged.body else ()):
        found = building.field(merged, ("during", index), table.name, name)
        field = table.fields.get(name)
        if found is not None and (found.name != "date" or found.many or field is None or field.virtual):
            building.tell(merged, ("during", index), f'"{name}" is no stored date')
