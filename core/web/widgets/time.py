"""Times of day and spans of time."""

from __future__ import annotations

from typing import Any, ClassVar

from markupsafe import Markup

from core.types.base import BadValue
from core.types.duration import typed
from core.types.time import read_time, shown
from core.web.context import Viewer
from core.web.html import Piece
from core.web.widgets.base import NOTHING, Bound, Control, Editor, Entry, Reader, Record, Widget

CLOCK = Piece('<time datetime="{}">{}</time>')


class TimeWidget(Widget):
    """A time of day, with the browser's own picker."""

    name: ClassVar[str] = "time"

    def read(self, bound: Bound) -> Reader:
        path, kind, properties = bound.path, bound.field.type, bound.field.properties

        def draw(record: Record, viewer: Viewer) -> str:
            value = record.get(path)
            return NOTHING if value is None else CLOCK(shown(value), kind.format(value, properties, viewer.locale))
        return draw

    def edit(self, bound: Bound) -> Editor:
        def draw(entry: Entry, control: Control, viewer: Viewer) -> str:
            return Markup('<input type="{}" {} value="{}" step="{}">').format(
                "time" if _is_time(entry.text) else "text", control.attributes(), entry.text,
                1 if entry.text.count(":") == 2 else 60)
        return draw

    def typed(self, bound: Bound, value: Any, viewer: Viewer) -> str:
        return shown(value)


class DurationWidget(Widget):
    """A span of time, typed as people say it: 1 h 30 min."""

    name: ClassVar[str] = "duration"
    numeric: ClassVar[bool] = True

    def edit(self, bound: Bound) -> Editor:
        def draw(entry: Entry, control: Control, viewer: Viewer) -> str:
            return Markup('<input type="text" {} value="{}" placeholder="1 h 30 min" autocomplete="off">').format(
                control.attributes(), entry.text)
        return draw

    def typed(self, bound: Bound, value: Any, viewer: Viewer) -> str:
        return typed(value)


def _is_time(text: str) -> bool:
    """Whether the browser's picker can show the text; else a plain input keeps what was typed."""
    try:
        return not text or bool(shown(read_time(text)))
    except BadValue:
        return False
