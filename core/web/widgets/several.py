"""Several values in one field: each is read and edited as its own type is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

from markupsafe import Markup

from core.types.base import FieldType
from core.types.several import ManyProperties, several
from core.web.context import Viewer
from core.web.widgets.base import NOTHING, Bound, Control, Editor, Entry, Posted, Reader, Record, Widget


class SeveralWidget(Widget):
    """A line for each value, and one more to add to them."""

    many: ClassVar[bool] = True

    def __init__(self, one: Widget) -> None:
        self.one = one

    def read(self, bound: Bound) -> Reader:
        return _joined(bound.path, self.one.read(_single(bound)), Markup("<br>"))

    def cell(self, bound: Bound) -> Reader:
        return _joined(bound.path, self.one.cell(_single(bound)), Markup(", "))

    def edit(self, bound: Bound) -> Editor:
        editor, another = self.one.edit(_single(bound)), bound.text("Add another")

        def draw(entry: Entry, control: Control, viewer: Viewer) -> str:
            inputs = [Markup('<div class="t-one">{}</div>').format(
                editor(Entry((text,)) if text else Entry(), _numbered(control, number, bound.title), viewer))
                for number, text in enumerate((*entry.texts, ""))]
            return Markup('<div class="t-several" data-several data-title="{}"><input type="hidden" name="{}~" '
                          'value="1">{}<button type="button" class="btn btn-sm" data-another>{}</button></div>').format(
                bound.title, control.name, NOTHING.join(inputs), another)
        return draw

    def entry(self, bound: Bound, record: Record, viewer: Viewer) -> Entry:
        single = _single(bound)
        return Entry(tuple(self.one.typed(single, value, viewer) for value in record.get(bound.path) or ()))

    def posted(self, bound: Bound, posted: Posted, key: str) -> Entry | None:
        if key + "~" not in posted.form and key not in posted.form:
            return None
        return Entry(tuple(text for text in posted.form.getlist(key) if text.strip()))

    def value(self, bound: Bound, entry: Entry, viewer: Viewer) -> Any:
        single = _single(bound)
        values = [self.one.value(single, Entry((text,)), viewer) for text in entry.texts]
        return bound.field.type.validate(values, bound.field.properties)


def of_several(widgets: Mapping[str, Widget], types: Mapping[str, FieldType[Any]]) -> dict[str, Widget]:
    """The widgets of all types of which a field may hold several values."""
    return {several(kind).name: SeveralWidget(widgets[name]) for name, kind in types.items()
            if name in widgets and issubclass(kind.properties, ManyProperties)}


def _single(bound: Bound) -> Bound:
    """The same field as if it held one value; worked out once."""
    if "single" not in bound.memo:
        kind: Any = bound.field.type
        bound.memo["single"] = replace(bound, field=replace(bound.field, type=kind.one), memo={})
    found: Bound = bound.memo["single"]
    return found


def _joined(path: str, draw_one: Reader, between: Markup) -> Reader:
    def draw(record: Record, viewer: Viewer) -> str:
        values = record.get(path)
        return between.join(Markup(draw_one({path: value}, viewer)) for value in values) if values else NOTHING  # noqa: S704
    return draw


def _numbered(control: Control, number: int, title: str) -> Control:
    """The control of one of the values; the label names the first, the others say their names themselves."""
    if number == 0:
        return control
    return replace(control, id=f"{control.id}-{number}", label=control.label or title, required=False)
