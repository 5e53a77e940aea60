"""Names of tables and fields: shown by their titles, chosen from a list that is looked up as somebody types."""

from __future__ import annotations

from typing import Any, ClassVar

from markupsafe import Markup, escape

from core.types.field import FieldNameProperties
from core.web.context import Viewer
from core.web.widgets.base import NOTHING, Bound, Control, Editor, Entry, Posted, Reader, Record, Widget


def table_title(bound: Bound, name: str) -> str:
    """What people call a table; the name itself for one that is not there."""
    found = bound.model.tables.get(name)
    return name if found is None else bound.model.text(f"table {name}.title", bound.language) or found.title


class TableNameWidget(Widget):
    """The name of a table."""

    name: ClassVar[str] = "table"

    def title(self, bound: Bound, record: Record) -> str:
        """What is shown for the value of a record."""
        return table_title(bound, str(record[bound.path]))

    def read(self, bound: Bound) -> Reader:
        return lambda record, viewer: escape(self.title(bound, record)) if record.get(bound.path) else NOTHING

    def beside(self, bound: Bound) -> str:
        """The field of the form that says what may be named here."""
        return ""

    def edit(self, bound: Bound) -> Editor:
        source, beside = f"/-/names/{bound.field.table}/{bound.field.name}", self.beside(bound)

        def draw(entry: Entry, control: Control, viewer: Viewer) -> str:
            title = (entry.titles or entry.texts or ("",))[0]
            chosen = Markup('<span class="t-chosen" data-id="{0}"><input type="hidden" name="{1}" value="{0}"><span '
                            'class="t-chosen-title">{2}</span></span>').format(entry.text, control.name, title) \
                if entry.texts else NOTHING
            return Markup(
                '<div class="t-lookup" data-lookup="{0}" data-name="{1}" data-many="0" data-beside="{2}"><input '
                'type="hidden" name="{1}~" value="1">{3}<input type="text" role="combobox" aria-expanded="false" '
                'aria-autocomplete="list" autocomplete="off" spellcheck="false" {4} value="{5}"></div>').format(
                source, control.name, beside, chosen,
                control.attributes().replace(Markup('name="{}" ').format(control.name), NOTHING), title)
        return draw

    def entry(self, bound: Bound, record: Record, viewer: Viewer) -> Entry:
        value = record.get(bound.path)
        return Entry((str(value),), (self.title(bound, record),)) if value else Entry()

    def posted(self, bound: Bound, posted: Posted, key: str) -> Entry | None:
        if key + "~" not in posted.form and key not in posted.form:
            return None
        text = posted.form.get(key, "")
        return Entry((text,), (text,)) if text.strip() else Entry()

    def value(self, bound: Bound, entry: Entry, viewer: Viewer) -> Any:
        return bound.field.type.parse(entry.text, bound.field.properties, viewer.locale) if entry.texts else None


class FieldNameWidget(TableNameWidget):
    """The name of a field, or a path."""

    name: ClassVar[str] = "field"

    def beside(self, bound: Bound) -> str:
        said = bound.field.properties
        return said.table if isinstance(said, FieldNameProperties) else ""

    def needs(self, bound: Bound) -> tuple[str, ...]:
        beside = self.beside(bound)
        return (beside,) if beside else ()

    def title(self, bound: Bound, record: Record) -> str:
        from core.web.binding import field_at, field_title
        path, said = str(record[bound.path]), bound.field.properties
        table = said.on if isinstance(said, FieldNameProperties) and said.on else record.get(self.beside(bound)) or ""
        titles = []
        for end in range(1, path.count(".") + 2):
            found = field_at(bound.model, str(table), ".".join(path.split(".")[:end]))
            if found is None:
                return path
            titles.append(field_title(bound.model, found, bound.language))
        return " · ".join(titles)
