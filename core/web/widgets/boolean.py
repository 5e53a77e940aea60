"""Yes and no."""

from __future__ import annotations

from typing import Any, ClassVar

from markupsafe import Markup

from core.web.context import Viewer
from core.web.widgets.base import NOTHING, Bound, Control, Editor, Entry, Posted, Reader, Record, Widget


class BooleanWidget(Widget):
    """A switch; read as a mark with its word, so that colour is never alone."""

    name: ClassVar[str] = "boolean"

    def read(self, bound: Bound) -> Reader:
        path = bound.path
        yes = Markup('<span class="t-yes">{}</span>').format(bound.text("Yes"))
        no = Markup('<span class="t-no">{}</span>').format(bound.text("No"))

        def draw(record: Record, viewer: Viewer) -> str:
            value = record.get(path)
            return NOTHING if value is None else yes if value else no
        return draw

    def edit(self, bound: Bound) -> Editor:
        def draw(entry: Entry, control: Control, viewer: Viewer) -> str:
            checked = Markup(" checked") if entry.text == "true" else NOTHING
            return Markup('<label class="form-check form-switch t-switch"><input type="hidden" name="{}~" value="1">'
                          '<input type="checkbox" value="true" role="switch" {}{}></label>').format(
                control.name, control.attributes("form-check-input"), checked)
        return draw

    def entry(self, bound: Bound, record: Record, viewer: Viewer) -> Entry:
        return Entry(("true" if record.get(bound.path) else "false",))

    def posted(self, bound: Bound, posted: Posted, key: str) -> Entry | None:
        if key + "~" not in posted.form:
            return super().posted(bound, posted, key)
        return Entry(("true" if posted.form.get(key) == "true" else "false",))

    def value(self, bound: Bound, entry: Entry, viewer: Viewer) -> Any:
        return bound.field.type.parse(entry.text, bound.field.properties, viewer.locale)
