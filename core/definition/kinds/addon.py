"""The kind `addon`: one folder of definitions that is installed as a whole."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field as Property

from core.definition.building import Building
from core.definition.kinds.base import Kind
from core.definition.kinds.schema import Line, Name, Schema, Text
from core.definition.kinds.system import is_language
from core.definition.model import Addon
from core.definition.texts import humanised
from core.definition.values import Merged


class AddonSchema(Schema):
    """An addon, in the file addon.yaml of its folder."""

    version: Line = Property(description="Its version, such as 1.0.0.")
    title: Text | None = Property(None, description="What people call it; the name in words if left out.")
    help: Text | None = Property(None, description="What it is for, in a sentence.")
    language: Line = Property("en", description="The language its texts are written in; the others come from its "
                              "translations.")
    needs: list[Name] = Property([], description="The addons that must be installed with it; their definitions come "
                                 "before its own, so it may change them.")


class AddonKind(Kind):
    """An installed addon."""

    name = "addon"
    folder = ""
    schema: ClassVar[type[Schema]] = AddonSchema

    def build(self, merged: Merged, schema: Any, building: Building) -> Addon:
        """The addon; that its needs are there is checked when layers are put in order."""
        return Addon(merged.name, schema.version, schema.title or humanised(merged.name), tuple(schema.needs),
                     schema.help or "", schema.language)

    def check(self, merged: Merged, value: Any, building: Building) -> None:
        """Check its language; that the needs are there was seen when layers were put in order."""
        for index, need in enumerate(value.needs):
            building.refer(merged, ("needs", index), "addon", need)
        if not is_language(value.language):
            building.tell(merged, ("language",), f'"{value.language}" is no language: write one such as en or zh_CN')
