"""The kind `menu`: the areas of the desktop, which group objects."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field as Property

from core.definition.building import Building
from core.definition.kinds.base import Kind
from core.definition.kinds.schema import Color, Line, Name, Schema, Text
from core.definition.model import Area, Menu
from core.definition.texts import humanised
from core.definition.values import Merged


class AreaSchema(Schema):
    """An area: a group of objects."""

    title: Text | None = Property(None, description="What people call it; the name in words if left out.")
    icon: Line | None = Property(None, description="The name of its icon.")
    color: Color | None = Property(None, description="The colour of its icons.")


class MenuSchema(Schema):
    """The areas of the desktop; an object names its area in `area`."""

    title: Text | None = Property(None, description="What people call it; the name in words if left out.")
    areas: dict[Name, AreaSchema] = Property(description="The areas by name, in the order people see.")


class MenuKind(Kind):
    """The areas of the desktop."""

    name = "menu"
    folder = "menus"
    schema: ClassVar[type[Schema]] = MenuSchema

    def build(self, merged: Merged, schema: Any, building: Building) -> Menu:
        """The menu, as written."""
        areas = {name: Area(name, area.title or humanised(name), area.icon, area.color)
                 for name, area in schema.areas.items()}
        return Menu(merged.name, schema.title or humanised(merged.name), areas)
