"""Days and moments, with the browser's own pickers."""

from __future__ import annotations

from datetime import date, datetime
from functools import lru_cache
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from babel.dates import format_date
from markupsafe import Markup

from core.web.context import Viewer
from core.web.widgets.base import NOTHING, Bound, Control, Editor, Entry, Reader, Widget


@lru_cache(maxsize=20_000)
def day(value: date, language: str) -> Markup:
    """A day as a language writes it; the machine's form goes with it."""
    return Markup('<time datetime="{}">{}</time>').format(
        value.isoformat(), format_date(value, "medium", locale=language))


def moment(value: datetime, viewer: Viewer) -> Markup:
    """A moment in the reader's zone."""
    local = value.astimezone(ZoneInfo(viewer.locale.zone))
    return Markup('<time datetime="{}">{} {:%H:%M}</time>').format(
        value.isoformat(), format_day(local.date(), viewer.locale.language), local)


@lru_cache(maxsize=20_000)
def format_day(value: date, language: str) -> str:
    """A day as text."""
    return str(format_date(value, "medium", locale=language))


class DateWidget(Widget):
    """A calendar day."""

    name: ClassVar[str] = "date"
    input: ClassVar[str] = "date"

    def read(self, bound: Bound) -> Reader:
        path, language = bound.path, bound.language
        return lambda record, viewer: day(record[path], language) if record.get(path) else NOTHING

    def edit(self, bound: Bound) -> Editor:
        def draw(entry: Entry, control: Control, viewer: Viewer) -> str:
            good = self.shown(entry.text)
            return Markup('<input type="{}" {} value="{}" min="1900-01-01{}" max="2200-12-31{}">').format(
                self.input if good else "text", control.attributes(), entry.text, *self.edges())
        return draw

    def edges(self) -> tuple[str, str]:
        """What the bounds need beside the day."""
        return "", ""

    def shown(self, text: str) -> bool:
        """Whether the browser's picker can show the text; else a plain input keeps what was typed."""
        try:
            return not text or bool(date.fromisoformat(text))
        except ValueError:
            return False

    def typed(self, bound: Bound, value: Any, viewer: Viewer) -> str:
        return str(value.isoformat())


class DatetimeWidget(DateWidget):
    """A moment; typed and read in the user's own zone."""

    name: ClassVar[str] = "datetime"
    input: ClassVar[str] = "datetime-local"

    def read(self, bound: Bound) -> Reader:
        path = bound.path
        return lambda record, viewer: moment(record[path], viewer) if record.get(path) else NOTHING

    def edges(self) -> tuple[str, str]:
        return "T00:00", "T23:59"

    def shown(self, text: str) -> bool:
        try:
            return not text or bool(datetime.fromisoformat(text))
        except ValueError:
            return False

    def typed(self, bound: Bound, value: Any, viewer: Viewer) -> str:
        return str(value.astimezone(ZoneInfo(viewer.locale.zone)).strftime("%Y-%m-%dT%H:%M"))
