"""Tags as small labels; typed in one line."""

from __future__ import annotations

from typing import Any, ClassVar

from markupsafe import Markup

from core.web.context import Viewer
from core.web.html import Piece
from core.web.widgets.base import NOTHING, Bound, Control, Editor, Entry, Reader, Record, Widget

TAG = Piece('<span class="t-badge c-plain"><bdi>{}</bdi></span>')
TAGS = Piece('<span class="t-badges">{}</span>')


class TagsWidget(Widget):
    """Words that are stuck to a record, with commas between."""

    name: ClassVar[str] = "tags"

    def read(self, bound: Bound) -> Reader:
        path = bound.path

        def draw(record: Record, viewer: Viewer) -> str:
            value = record.get(path)
            return TAGS(Markup(" ").join(map(TAG, value))) if value else NOTHING
        return draw

    def edit(self, bound: Bound) -> Editor:
        hint = bound.text("Words, with commas between")

        def draw(entry: Entry, control: Control, viewer: Viewer) -> str:
            return Markup('<input type="text" {} value="{}" placeholder="{}" autocomplete="off">').format(
                control.attributes(), entry.text, hint)
        return draw

    def typed(self, bound: Bound, value: Any, viewer: Viewer) -> str:
        return ", ".join(value)
