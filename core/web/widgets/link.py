"""Links: a title that opens the record; edited by typing, choosing with the keyboard, and an icon that opens it."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, ClassVar

from markupsafe import Markup, escape

from core.web.context import Viewer
from core.web.html import Piece
from core.web.widgets.base import NOTHING, Bound, Control, Editor, Entry, Posted, Reader, Record, Widget

# Lists show the same few links over and over; typed, for text and Markup of the same characters are not the same.
LINK = lru_cache(20_000, typed=True)(Piece('<a class="t-link" href="{}/{}">{}</a>'))
GONE = Piece('<s title="{}">{}</s>')


def home(bound: Bound, table: str | None = None) -> str:
    """Where records of a table are opened: of the linked one, or of whichever a record turns out to be."""
    target = table or bound.field.target or ANYWHERE
    return bound.homes.get(target) or f"/-/open/{target}"


def is_plural(bound: Bound) -> bool:
    """Whether there may be several at once."""
    return bound.field.many or bound.field.type.is_through


ANYWHERE = "-"          # in the address of a record whose table is found out when it is opened


class LinkWidget(Widget):
    """One record of another table, or several."""

    name: ClassVar[str] = "link"
    many: ClassVar[bool] = True

    def read(self, bound: Bound) -> Reader:
        path, title_path, base = bound.path, bound.path + "_title", home(bound)
        table_path, fixed = bound.path + "_table", bound.field.target is not None
        trashed_path, gone = bound.path + "_trashed", bound.text("In the trash")

        def one(record: Record, viewer: Viewer) -> str:
            value = record.get(path)
            if value is None:
                return NOTHING
            title = record.get(title_path) or f"#{value}"
            if record.get(trashed_path):
                return GONE(gone, title)
            return LINK(base if fixed else home(bound, record.get(table_path)), int(value), title)

        def several(record: Record, viewer: Viewer) -> str:
            values = record.get(path) or ()
            names = _titles(record.get(title_path), values)
            return Markup('<span class="t-chips">{}</span>').format(Markup(" ").join(
                Markup('<a class="t-chip" href="{}/{}">{}</a>').format(base, value, title)
                for value, title in zip(values, names, strict=False))) if values else NOTHING

        return several if is_plural(bound) else one

    def edit(self, bound: Bound) -> Editor:
        base, many = home(bound), is_plural(bound)
        target = bound.field.target or ""
        source = f"/-/lookup/{bound.field.table}/{bound.field.name}" if bound.field.table else \
            f"/-/lookup/{bound.field.path.replace(' ', '/', 1)}"
        words = {"open": bound.text("Open this record"), "clear": bound.text("Clear")}

        def draw(entry: Entry, control: Control, viewer: Viewer) -> str:
            names = entry.titles or entry.texts
            chosen = NOTHING.join(
                Markup('<span class="t-chosen" data-id="{0}"><input type="hidden" name="{1}" value="{0}">'
                       '<span class="t-chosen-title">{2}</span></span>').format(value, control.name, title)
                for value, title in zip(entry.texts, names, strict=False))
            title = NOTHING if many or not entry.texts else escape(names[0])
            openable = Markup('<a class="btn btn-icon t-open" href="{}/{}" target="_blank" rel="noopener" '
                              'aria-label="{}" title="{}"><span class="t-i-open"></span></a>').format(
                base, entry.text, words["open"], words["open"]) if entry.texts and not many else NOTHING
            return Markup(
                '<div class="t-lookup{}" data-lookup="{}" data-name="{}" data-many="{}" data-home="{}" data-table="{}" '
                'data-open="{}" data-clear="{}"><input type="hidden" name="{}~" value="1">{}'
                '<input type="text" role="combobox" aria-expanded="false" aria-autocomplete="list" '
                'autocomplete="off" spellcheck="false" {} value="{}">{}</div>').format(
                " is-many" if many else "", source, control.name, int(many), base, target, words["open"],
                words["clear"], control.name, chosen,
                control.attributes().replace(Markup('name="{}" ').format(control.name), NOTHING), title, openable)
        return draw

    def entry(self, bound: Bound, record: Record, viewer: Viewer) -> Entry:
        value = record.get(bound.path)
        if value in (None, [], ()):
            return Entry()
        names = record.get(bound.path + "_title")
        if is_plural(bound):
            return Entry(tuple(str(v) for v in value), tuple(_titles(names, value)))
        return Entry((str(int(value)),), (str(names or f"#{value}"),))

    def posted(self, bound: Bound, posted: Posted, key: str) -> Entry | None:
        if key + "~" not in posted.form and key not in posted.form:
            return None
        return Entry(tuple(text for text in posted.form.getlist(key) if text.strip()))

    def value(self, bound: Bound, entry: Entry, viewer: Viewer) -> Any:
        return bound.field.type.parse(",".join(entry.texts), bound.field.properties, viewer.locale)


class AnyLinkWidget(LinkWidget):
    """One record of any table."""

    name: ClassVar[str] = "any_link"


class LinksWidget(LinkWidget):
    """Several records, reached through a table between."""

    name: ClassVar[str] = "links"


def _titles(found: Any, values: Any) -> list[str]:
    """Titles beside their ids, whatever of them may be known."""
    if isinstance(found, dict):
        return [str(found.get(value) or f"#{value}") for value in values]
    names = list(found) if isinstance(found, (list, tuple)) else []
    return [str(names[i] or f"#{value}") if i < len(names) else f"#{value}" for i, value in enumerate(values)]
