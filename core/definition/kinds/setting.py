"""The kind `setting`: a value that administrators change without a promotion."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

from pydantic import ConfigDict
from pydantic import Field as Property

from core.definition.building import Building
from core.definition.kinds.base import Kind
from core.definition.kinds.fields import check_target, check_value, literal, typed
from core.definition.kinds.schema import Name, Names, Plain, Schema, Text
from core.definition.model import Field
from core.definition.named import Setting
from core.definition.names import suggestion
from core.definition.texts import humanised
from core.definition.values import Merged

# A value of any other type leads out of the expression it stands in: to records, files, other machines.
TYPES = ("text", "memo", "integer", "decimal", "money", "percent", "boolean", "date", "datetime", "choice", "email",
         "phone")
# A person who may change a setting must not come to say what the server opens, runs, loads or trusts.
FORBIDDEN = {"path": "a path", "folder": "a path", "directory": "a path", "file": "a path", "filename": "a path",
             "command": "a command", "shell": "a command", "script": "a command", "module": "a module",
             "plugin": "a module", "host": "a host", "hostname": "a host", "port": "a host", "url": "a host",
             "server": "a host", "password": "a secret", "secret": "a secret", "token": "a secret",
             "key": "a secret"}


class SettingSchema(Schema):
    """A value that those who may change it change while people work; expressions read it as `setting.NAME`."""

    model_config = ConfigDict(frozen=True, extra="allow", strict=True)

    type: Name = Property(description="The type of the value: text, memo, integer, decimal, money, percent, boolean, "
                          "date, datetime, choice, email or phone; the properties of the type stand beside it.")
    title: Text | None = Property(None, description="What people call it; the name in words if left out.")
    help: Text | None = Property(None, description="What it does, in a sentence.")
    default: Plain = Property(None, description="The value that holds until somebody says another.")
    required: bool = Property(False, description="True: it always has a value, so it needs a default.")
    environment: bool = Property(False, description="True: each system has its own value, such as an address for "
                                 "trials. It has no default, no bundle carries it, and a promotion asks for it.")
    who: list[Name] = Property([], description="The roles that may change it, beside administrators.")
    per: Name | None = Property(None, description="A link of the user, such as organisation: each of its records may "
                                "have a value of its own, which holds for the users linked to it.")
    was: Names | None = Property(None, description="Its former name or names: a rename keeps the value.")


class SettingKind(Kind):
    """A value that administrators change without a promotion."""

    name = "setting"
    folder = "settings"
    schema: ClassVar[type[Schema]] = SettingSchema

    def build(self, merged: Merged, schema: Any, building: Building) -> Setting | None:
        """The setting, known to expressions from now on."""
        allowed = {name: kind for name, kind in building.types.items() if name in TYPES}
        if schema.type in building.types and schema.type not in allowed:
            building.tell(merged, ("type",), f'a setting cannot be of type "{schema.type}": one of '
                                             f'{", ".join(TYPES)} is expected')
            return None
        found = typed(merged, (), schema.type, schema, building, allowed)
        if found is None:
            return None
        kind, properties = found
        field = Field("", merged.name, kind, properties, schema.title or humanised(merged.name), schema.help or "",
                      was=tuple(schema.was or ()), path=f"setting {merged.name}")
        default = literal(merged, ("default",), schema.default, field, building)
        field = replace(field, written={"default": default, "required": schema.required})
        building.names.settings[merged.name] = field.expression_type
        return Setting(merged.name, field, tuple(schema.who), schema.per, tuple(schema.was or ()), schema.environment)

    def check(self, merged: Merged, value: Any, building: Building) -> None:
        """Check that it is fit to be changed by people, its default, its roles, and what it may differ by."""
        for word in merged.name.split("_"):
            if word in FORBIDDEN:
                building.tell(merged, (), f'setting "{merged.name}" looks like {FORBIDDEN[word]}: such things stand '
                                          "in the configuration of the server, where nobody changes them on a page")
                break
        check_target(merged, (), value.field, building)
        if value.field.many:
            building.tell(merged, ("many",), "a setting has one value")
        check_value(merged, ("default",), value.default, value.field, building)
        if value.environment and merged.body.get("default") is not None:
            building.tell(merged, ("default",), "each system has its own value, so there is no default")
        if value.field.required and merged.body.get("default") is None and not value.environment:
            building.tell(merged, ("required",), "a required setting needs a default")
        for index, role in enumerate(value.who):
            building.find(merged, ("who", index), "role", role)
        if value.per is not None:
            _check_per(merged, value.per, building)


def _check_per(merged: Merged, per: str, building: Building) -> None:
    found = building.field(merged, ("per",), "user", per)
    if found is None:
        return
    field = building.names.field("user", per)
    if found.name != "link" or found.many or field is None or field.virtual:
        links = [name for name, one in building.names.tables["user"].links.items() if not one.many]
        building.tell(merged, ("per",), f'"{per}" of table "user" is no link to one record' + suggestion(per, links))
