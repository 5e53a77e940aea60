"""The kind `system`: what the site says of the whole system."""

from __future__ import annotations

import zoneinfo
from functools import lru_cache
from typing import Any, ClassVar

from babel import Locale, UnknownLocaleError
from babel.numbers import list_currencies
from pydantic import Field as Property

from core.definition.building import Building
from core.definition.kinds.base import Kind
from core.definition.kinds.schema import Line, Name, Schema, Text
from core.definition.model import SystemSettings
from core.definition.names import suggestion
from core.definition.values import Merged


class SystemSchema(Schema):
    """The system, in the file system.yaml of the site's folder."""

    title: Text | None = Property(None, description="The name on every page.")
    addons: list[Name] = Property([], description="The addons to install; those they need come with them.")
    languages: list[Text] = Property(["en"], min_length=1, description="The languages people may choose, such as "
                                     "[en, zh_CN]; the first is for whoever has not chosen.")
    currency: Line = Property("EUR", description="The base currency (ISO 4217).")
    time_zone: Line = Property("UTC", description="The time zone of the system, such as Europe/Berlin.")


class SystemKind(Kind):
    """The settings of the whole system."""

    name = "system"
    folder = ""
    schema: ClassVar[type[Schema]] = SystemSchema

    def build(self, merged: Merged, schema: Any, building: Building) -> SystemSettings:
        """The settings, as written."""
        return SystemSettings(merged.name, schema.title or "Tessera", tuple(schema.addons),
                              tuple(schema.languages), schema.currency, schema.time_zone)

    def check(self, merged: Merged, value: Any, building: Building) -> None:
        """Check that there is one, and languages, currency and time zone against what the world has."""
        first = next(iter(building.values["system"]))
        if merged.name != first:
            building.tell(merged, (), f'there is one system, and it is called "{first}"')
        for index, addon in enumerate(value.addons):
            building.refer(merged, ("addons", index), "addon", addon)
        for index, language in enumerate(value.languages):
            if not is_language(language):
                building.tell(merged, ("languages", index), f'"{language}" is no language: write it like en or zh_CN')
        if value.currency not in list_currencies():
            building.tell(merged, ("currency",), f'"{value.currency}" is no currency: write its code, such as EUR')
        wrong = zone_fault(value.time_zone)
        if wrong is not None:
            building.tell(merged, ("time_zone",), wrong)


def zone_fault(zone: str) -> str | None:
    """Why this is no time zone, or None."""
    zones = zoneinfo.available_timezones()
    if zone in zones:
        return None
    city = next((one for one in sorted(zones) if one.lower().endswith(f"/{zone.lower()}")), None)
    hint = f' (did you mean "{city}"?)' if city else suggestion(zone, zones)
    return f'"{zone}" is no time zone' + (hint or ": write its name, such as Europe/Berlin")


@lru_cache(maxsize=256)
def is_language(code: str) -> bool:
    """True for the code of a language that can be shown, such as en or zh_CN."""
    try:
        Locale.parse(code)
    except (UnknownLocaleError, ValueError, TypeError):
        return False
    return True
