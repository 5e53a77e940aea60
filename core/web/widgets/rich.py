"""Rich text: shown as it was written, edited in place; in lists its first line."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any, ClassVar

from markupsafe import Markup

from core.types.html import cleaned, markup
from core.web.context import Viewer
from core.web.html import Piece
from core.web.widgets.base import NOTHING, Bound, Control, Editor, Entry, Posted, Reader, Record, Widget

LINE = Piece("<bdi>{}</bdi>")
RICH = Piece('<div class="t-rich" dir="auto">{}</div>')
LONGEST_LINE = 120
LONGEST_KEPT = 5_000            # characters: longer ones would fill the memory of a worker


def safe(source: str) -> Markup:
    """Markup fit to be shown: cleaned again, for what is stored may be older than the rules of today."""
    return _kept(source) if len(source) <= LONGEST_KEPT else _safe(source)


def _safe(source: str) -> Markup:
    return Markup(cleaned(source))  # noqa: S704  that is what cleaning is for


_kept = lru_cache(maxsize=500)(_safe)


class HtmlWidget(Widget):
    """Text with headings, lists and links. Without scripts a plain text area holds the markup."""

    name: ClassVar[str] = "html"
    wide: ClassVar[bool] = True

    def read(self, bound: Bound) -> Reader:
        path = bound.path
        return lambda record, viewer: RICH(safe(markup(record[path]))) if record.get(path) else NOTHING

    def cell(self, bound: Bound) -> Reader:
        path = bound.path

        def draw(record: Record, viewer: Viewer) -> str:
            value = record.get(path)
            return LINE(str(value).split("\n", 1)[0][:LONGEST_LINE]) if value else NOTHING
        return draw

    def edit(self, bound: Bound) -> Editor:
        words = json.dumps({
            "bold": bound.text("Bold"), "italic": bound.text("Italic"), "heading": bound.text("Heading"),
            "list": bound.text("List"), "numbers": bound.text("Numbered list"), "quote": bound.text("Quotation"),
            "link": bound.text("Link"), "plain": bound.text("Without formatting"),
            "address": bound.text("Address of the link"), "title": bound.title})

        def draw(entry: Entry, control: Control, viewer: Viewer) -> str:
            return Markup('<textarea {} rows="6" dir="auto" data-rich="{}">\n{}</textarea>').format(
                control.attributes("form-control t-grow"), words, cleaned(entry.text))
        return draw

    def typed(self, bound: Bound, value: Any, viewer: Viewer) -> str:
        return markup(value)

    def posted(self, bound: Bound, posted: Posted, key: str) -> Entry | None:
        found = super().posted(bound, posted, key)
        return Entry((found.text.replace("\r\n", "\n"),)) if found and found.texts else found
