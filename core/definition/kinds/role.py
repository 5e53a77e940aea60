"""The kind `role`: what its holders may do."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field as Property

from core.definition.building import Building
from core.definition.circles import circle_of, spelled
from core.definition.kinds.base import Kind
from core.definition.kinds.schema import Expression, Name, Right, Schema, Text
from core.definition.model import Duty, Grant, Role, Table
from core.definition.names import suggestion
from core.definition.scope import Written
from core.definition.texts import humanised
from core.definition.values import BodyPath, Merged

RIGHTS = ("create", "read", "change", "delete", "export", "peek", "unlock")
FIELD_RIGHTS = ("read", "change", "export")


class GrantSchema(Schema):
    """Rights on a table or a field."""

    create: Right = Property(None, description="May make records.")
    read: Right = Property(None, description="May see records, or the field.")
    change: Right = Property(None, description="May change records, or the field.")
    delete: Right = Property(None, description="May put records into the trash, and restore them.")
    export: Right = Property(None, description="May take many records out at once.")
    peek: Right = Property(None, description="May look records up by their `peek` fields only.")
    unlock: Right = Property(None, description="May open a locked record, giving a reason, for a save of their own.")
    where: Expression | None = Property(None, description="The records on which all of this holds, such as "
                                        "`id in query.key_accounts()`; it is asked whatever fields people may read. A "
                                        "record that is made must be one of them, one that is changed must have been.")


class RoleSchema(Schema):
    """A security role: nothing is granted by default, and roles only add."""

    title: Text | None = Property(None, description="What people call it; the name in words if left out.")
    help: Text | None = Property(None, description="Who should have it.")
    includes: list[Name] = Property([], description="Roles whose rights it has too.")
    all: bool = Property(False, description="True for the one role that may do everything.")
    kind: Literal["staff", "portal"] = Property("staff", description="A portal role is for outsiders: it inherits "
                                                "nothing, only what it lists is allowed.")
    shares_views: bool = Property(False, description="True: may save views of lists for others: for teams, roles and "
                                  "everybody.")
    may: list[Duty] = Property([], description="What its holders may do on the administration pages: `plan` sees "
                               "plans, promotions, drift and parked things, `promote` makes versions live, `roll_back` "
                               "goes back, `purge` restores or removes what is parked, `customise` changes "
                               "definitions on the page.")
    grants: dict[str, GrantSchema] = Property({}, description="Rights by table, or by table.field where a field's "
                                              "rights differ from its table's.")


class RoleKind(Kind):
    """What its holders may do."""

    name = "role"
    folder = "roles"
    lazy = True
    schema: ClassVar[type[Schema]] = RoleSchema

    def build(self, merged: Merged, schema: Any, building: Building) -> Role:
        """The role, as written."""
        grants = {name: Grant(**{right: _right(getattr(grant, right)) for right in RIGHTS},
                              where=_where(name, grant, building)) for name, grant in schema.grants.items()}
        return Role(merged.name, schema.title or humanised(merged.name), tuple(schema.includes), schema.all,
                    schema.kind, grants, schema.help or "", shares_views=schema.shares_views, may=_duties(schema.may))

    def check(self, merged: Merged, value: Any, building: Building) -> None:
        """Check included roles, and that grants name tables, fields and record roles that exist."""
        for index, name in enumerate(value.includes):
            other = building.find(merged, ("includes", index), "role", name)
            if other is not None and value.kind == "portal":
                building.tell(merged, ("includes", index), "a portal role includes no others")
        if value.kind == "portal" and value.may:
            building.tell(merged, ("may",), "a portal role is for outsiders, it may do nothing as an administrator")
        _check_circle(merged, value, building)
        for name, grant in value.grants.items():
            _check_grant(merged, name, grant, building)


def _duties(written: list[Duty]) -> frozenset[str]:
    """What is written; who acts on promotions sees them."""
    acting = {"promote", "roll_back", "purge"} & {*written}
    return frozenset(written) | ({"plan"} if acting else set())


def _right(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _where(name: str, grant: GrantSchema, building: Building) -> Written | None:
    scope = building.scope(name.partition(".")[0])
    return Written(grant.where, scope, "boolean") if grant.where is not None else None


def _check_circle(merged: Merged, role: Role, building: Building) -> None:
    roles = building.values["role"]
    circle = circle_of(role.name, lambda name: roles[name].includes if name in roles else ())
    if circle and role.name == min(circle):
        building.tell(merged, ("includes",), "roles include each other: " + spelled(circle))


def _check_grant(merged: Merged, name: str, grant: Grant, building: Building) -> None:
    path: BodyPath = ("grants", name)
    table_name, _, field = name.partition(".")
    table = building.find(merged, path, "table", table_name)
    if table is None:
        return
    table = building.names.tables[table_name]
    if field and building.field(merged, path, table_name, field) is None:
        return
    if grant.where is not None:
        building.check(merged, (*path, "where"), grant.where)
        if not any(getattr(grant, right) for right in RIGHTS):
            building.tell(merged, (*path, "where"), '"where" says on which records a right holds: this grants none')
    for right in RIGHTS:
        value = getattr(grant, right)
        if field and value and right not in FIELD_RIGHTS:
            building.tell(merged, (*path, right), f'"{right}" is a right on a table; on a field there are '
                          + ", ".join(FIELD_RIGHTS))
        for index, role in enumerate(value if isinstance(value, tuple) else ()):
            _check_record_role(merged, (*path, right, index), role, table, building)


def _check_record_role(merged: Merged, path: BodyPath, role: str, table: Table, building: Building) -> None:
    building.refer(merged, path, *building.declared(table.name, "roles", role))
    if role not in table.roles and ("table", table.name) not in building.broken:
        building.tell(merged, path, f'table "{table.name}" has no record role "{role}"'
                      + suggestion(role, table.roles))
