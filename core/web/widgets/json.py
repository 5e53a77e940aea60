"""Structured data, as programmers read it."""

from __future__ import annotations

from typing import Any, ClassVar

from markupsafe import Markup

from core.types.json import indented
from core.web.context import Viewer
from core.web.html import Piece
from core.web.widgets.base import NOTHING, Bound, Control, Editor, Entry, Reader, Record, Widget

DATA = Piece('<pre class="t-data" dir="ltr">{}</pre>')
LINE = Piece('<span class="t-code">{}</span>')
LONGEST_LINE = 80


class JsonWidget(Widget):
    """An object, a list or a value; edited as text."""

    name: ClassVar[str] = "json"
    wide: ClassVar[bool] = True

    def read(self, bound: Bound) -> Reader:
        path = bound.path
        return lambda record, viewer: DATA(indented(record[path])) if record.get(path) else NOTHING

    def cell(self, bound: Bound) -> Reader:
        path = bound.path

        def draw(record: Record, viewer: Viewer) -> str:
            value = record.get(path)
            return LINE(value if len(value) <= LONGEST_LINE else value[:LONGEST_LINE] + "…") if value else NOTHING
        return draw

    def edit(self, bound: Bound) -> Editor:
        def draw(entry: Entry, control: Control, viewer: Viewer) -> str:
            rows = min(16, max(3, entry.text.count("\n") + 1))
            return Markup('<textarea {} rows="{}" dir="ltr" spellcheck="false">\n{}</textarea>').format(
                control.attributes("form-control t-grow t-code"), rows, entry.text)
        return draw

    def typed(self, bound: Bound, value: Any, viewer: Viewer) -> str:
        return indented(value)
