"""Ratings as stars."""

from __future__ import annotations

from typing import ClassVar

from markupsafe import Markup

from core.web.context import Viewer
from core.web.widgets.base import NOTHING, Bound, Control, Editor, Entry, Posted, Reader, Record, Widget


class RatingWidget(Widget):
    """So many stars of so many; chosen by mouse, or by the arrow keys."""

    name: ClassVar[str] = "rating"

    def read(self, bound: Bound) -> Reader:
        path, most = bound.path, int(getattr(bound.field.properties, "max", 5))
        drawn = {number: _stars(bound, number, most) for number in range(1, most + 1)}

        def draw(record: Record, viewer: Viewer) -> str:
            value = record.get(path)
            return NOTHING if value is None else drawn.get(value) or _stars(bound, value, most)
        return draw

    def edit(self, bound: Bound) -> Editor:
        most = int(getattr(bound.field.properties, "max", 5))
        none = bound.text("No rating")

        def draw(entry: Entry, control: Control, viewer: Viewer) -> str:
            marks = [Markup('<label class="t-star-none"><input type="radio" name="{}" id="{}" value=""{}>'
                            '<span>{}</span></label>').format(
                control.name, control.id, _checked(not entry.texts), none)]
            for number in range(1, most + 1):
                marks.append(Markup('<label class="t-star-mark"><input type="radio" name="{}" value="{}" '
                                    'aria-label="{}"{}><span aria-hidden="true">★</span></label>').format(
                    control.name, number, said(bound, number, most), _checked(entry.text == str(number))))
            return Markup('<div class="t-stars is-edit" role="radiogroup" aria-labelledby="{}-label">'
                          '<input type="hidden" name="{}~" value="1">{}</div>').format(
                control.id, control.name, NOTHING.join(marks))
        return draw

    def entry(self, bound: Bound, record: Record, viewer: Viewer) -> Entry:
        value = record.get(bound.path)
        return Entry() if value is None else Entry((str(value),))

    def posted(self, bound: Bound, posted: Posted, key: str) -> Entry | None:
        if key + "~" in posted.form and key not in posted.form:
            return Entry()
        return super().posted(bound, posted, key)


def said(bound: Bound, number: int, most: int) -> str:
    """A rating in words."""
    return bound.text("{number} of {most} stars").format(number=number, most=most)


def _stars(bound: Bound, number: int, most: int) -> Markup:
    return Markup('<span class="t-stars" role="img" aria-label="{}"><span>{}</span>{}</span>').format(
        said(bound, number, most), "★" * number, "☆" * (most - number))


def _checked(holds: bool) -> Markup:
    return Markup(" checked") if holds else NOTHING
