"""The kind `choices`: a list of named values."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field as Property

from core.definition.building import Building
from core.definition.kinds.base import Kind
from core.definition.kinds.schema import Color, Name, Names, Schema, Text, ValueName
from core.definition.model import Choices, ChoiceValue
from core.definition.texts import humanised
from core.definition.values import Merged


class ChoiceSchema(Schema):
    """One value."""

    title: Text | None = Property(None, description="What people call it; the name in words if left out.")
    role: Name | None = Property(None, description="What it means to code: rules and reports bind to the role, so "
                                 "that a site may add values.")
    color: Color | None = Property(None, description="The colour of its badge.")
    retired: bool = Property(False, description="True: records keep it, but nobody can choose it any more.")
    was: Names | None = Property(None, description="Its former name or names; records that hold one of them get this "
                                 "one, so that several are merged.")


class ChoicesSchema(Schema):
    """A list of values that fields choose from."""

    title: Text | None = Property(None, description="What people call the list; the name in words if left out.")
    help: Text | None = Property(None, description="What it is for.")
    values: dict[ValueName, ChoiceSchema] = Property({}, description="The values by name, in order.")
    open_in_live: bool = Property(False, description="True: administrators may add values without a promotion.")
    was: Names | None = Property(None, description="Its former name or names.")


class ChoicesKind(Kind):
    """A list of named values."""

    name = "choices"
    folder = "choices"
    lazy = True
    schema: ClassVar[type[Schema]] = ChoicesSchema
    reserved = frozenset({"role", "phase"})     # built in: the roles of the model, the phases of states

    def build(self, merged: Merged, schema: Any, building: Building) -> Choices:
        """The choices, as written."""
        values = {name: ChoiceValue(name, value.title or humanised(name), value.role, value.color, value.retired,
                                    f"choices {merged.name}.values.{name}")
                  for name, value in schema.values.items()}
        made = Choices(merged.name, schema.title or humanised(merged.name), values, schema.open_in_live)
        building.names.choices[merged.name] = made
        return made

    def check(self, merged: Merged, value: Any, building: Building) -> None:
        """A list without values is of no use, unless administrators fill it."""
        if not value.values and not value.open_in_live:
            building.tell(merged, (), f'choices "{value.name}" have no values')
