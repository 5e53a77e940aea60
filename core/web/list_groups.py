"""A list in groups: each with its count and sums; what is inside is asked for when it is opened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from markupsafe import Markup, escape

from core.ed import grouping
from core.ed.grouping import GroupColumn
from core.web.binding import known_homes
from core.web.context import Context
from core.web.i18n import N_
from core.web.widgets.base import Bound
from core.web.widgets.registry import widget_of, widgets

if TYPE_CHECKING:
    from core.ed.grouping import Groups
    from core.web.listing import Listing

MOST = 200                              # groups shown at once
NONE = N_("(empty)")


@dataclass(frozen=True, slots=True)
class GroupRow:
    """One group, ready to draw; `value` is its key as JSON has it, `href` shows what is inside."""

    title: Markup
    value: Any
    count: int
    sums: tuple[tuple[str, Markup], ...]
    href: str
    depth: int


def group_rows(context: Context, listed: Listing, where: Sequence[Any]) -> tuple[list[GroupRow], bool]:
    """The groups at the depth that is looked at, in one statement, and whether there are more. Raises BadRequest."""
    depth = len(listed.state.inside or ())
    found = groups_of(context, listed, where, listed.group[depth])
    column = found.keys[0]
    draw = key_titles(context, column)
    rows = []
    for row in sorted_by_choice(context, column, found):
        value = found.wire(row)[column.name]
        href = listed.state.opened((*(listed.state.inside or ()), value)).url()
        rows.append(GroupRow(draw(row), value, row["count"], sums(context, listed, row), href, depth))
    return rows, found.more


def groups_of(context: Context, listed: Listing, where: Sequence[Any], by: grouping.By) -> Groups:
    """The groups by one key with their counts, and what the list's columns add up to."""
    return grouping.group(context.session, listed.thing.of, [by], {"count": ("count", None), **listed.view.totals},
                          where=where, search=listed.search, trash=listed.state.trash, limit=MOST)


def sorted_by_choice(context: Context, column: GroupColumn, found: Groups) -> list[Mapping[str, Any]]:
    """Groups in the order of their choices; others as they come."""
    choices = context.system.model.choices.get(column.type.of or "") if column.type.name == "choice" else None
    if choices is None or found.more:
        return list(found.rows)
    places = {name: place for place, name in enumerate(choices.values)}
    return sorted(found.rows, key=lambda row: places.get(row[column.name], len(places) + (row[column.name] is None)))


def sums(context: Context, listed: Listing, row: Mapping[str, Any]) -> tuple[tuple[str, Markup], ...]:
    """What the columns of a group add up to, with their headings."""
    found = []
    for number, column in enumerate(listed.view.columns):
        drawn = Markup(listed.view.total(number, row, context.viewer)) if column.total is not None else ""  # noqa: S704  # drawn by a widget
        if drawn:
            found.append((column.title, Markup(drawn)))  # noqa: S704
    return tuple(found)


def key_titles(context: Context, column: GroupColumn) -> Any:
    """A function that draws what a group is called."""
    bound = Bound(column.field, column.name, "", "", context.system.model, context.viewer.locale.language, context.text,
                  known_homes(context.system), widgets(context.system), badge=True)
    cell = widget_of(context.system, column.field).cell(bound)
    none = escape(context.text(NONE))

    def draw(row: Mapping[str, Any]) -> Markup:
        value = row[column.name]
        if value is None:
            return Markup('<span class="t-muted">{}</span>').format(none)
        if column.unit is not None and column.unit != "day":
            return escape(period(value, column.unit))
        if column.type.name == "link":
            return escape(row.get(f"{column.name}_title") or f"#{value}")
        return Markup(cell(row, context.viewer))  # noqa: S704  # a widget escapes by itself
    return draw


def period(first: date, unit: str) -> str:
    """A span of time by its first day: 2026, 2026 Q1, 2026-03, 2026-W09."""
    if unit == "week":
        year, week, _ = first.isocalendar()
        return f"{year}-W{week:02}"
    return {"year": f"{first.year}", "quarter": f"{first.year} Q{(first.month + 2) // 3}",
            "month": f"{first.year}-{first.month:02}"}[unit]
