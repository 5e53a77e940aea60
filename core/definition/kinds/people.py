"""Names of people in definitions: record roles of a table, or security roles, and never one that is both."""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated

from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

from core.definition.building import Building
from core.definition.names import fault, suggestion
from core.definition.processes import People
from core.definition.values import BodyPath, Merged, value_at

NOBODY = "none"


def people_names(value: object) -> object:
    """What a schema says of people, checked: names, or none for nobody."""
    if value == NOBODY:
        return ()
    if isinstance(value, bool) or not isinstance(value, (str, list)):
        raise PydanticCustomError("people", "names of record roles or of roles are expected here, or none")
    names = value if isinstance(value, list) else [value]
    wrong = next((found for name in names if (found := fault(name)) is not None), None)
    if wrong is not None:
        raise PydanticCustomError("people", "{wrong}", {"wrong": wrong})
    return tuple(names)


PeopleNames = Annotated[list[str] | tuple[str, ...] | None, BeforeValidator(people_names), Field(json_schema_extra={
    "word": "list of record roles and roles, or `none`"})]


def check_people(merged: Merged, path: BodyPath, people: People, table: str | None, building: Building) -> None:
    """Tell names that are no role, and names that are two."""
    written = value_at(merged.body, path)
    found = building.names.tables.get(table or "")
    for index, name in enumerate(people or ()):
        place = (*path, index) if isinstance(written, list) else path
        _check_one(merged, place, name, table, found.roles if found else (), building)


def _check_one(merged: Merged, place: BodyPath, name: str, table: str | None, record_roles: Collection[str],
               building: Building) -> None:
    roles = building.known("role")
    if name in record_roles:
        building.refer(merged, place, "table", f"{table}.{name}")
        if name in roles:
            building.tell(merged, place, f'"{name}" is ambiguous: a record role of table "{table}" and a role; rename '
                                         "one of them")
    elif name in roles:
        building.find(merged, place, "role", name)
    elif table not in building.names.broken:
        about = f'a record role of table "{table}" nor a role' if table else "a role"
        building.tell(merged, place, f'"{name}" is neither {about}'.replace("neither a role", "no role")
                      + suggestion(name, [*record_roles, *roles]))
