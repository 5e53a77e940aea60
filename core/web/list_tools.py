"""What a list page offers beside its rows: saved views, columns, groups, other ways to show the same records."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from markupsafe import Markup

from core.ed import saved_views
from core.web import filter_rows
from core.web.binding import bind
from core.web.context import Context
from core.web.i18n import N_
from core.web.shell import drawn
from core.web.state import ListState

if TYPE_CHECKING:
    from core.definition.model import Field
    from core.web.listing import Listing
    from core.web.widgets.base import Bound

UNITS = {"day": N_("day"), "week": N_("week"), "month": N_("month"), "quarter": N_("quarter"), "year": N_("year")}


@dataclass(frozen=True, slots=True)
class Tools:
    """Ready to draw; links are (title, href, current)."""

    views: tuple[tuple[str, str, bool, bool], ...]      # and whether others have it too
    shipped: str                                        # leads to the list as it was shipped
    arrangement: Markup                                 # the choice of columns and groups
    modes: tuple[tuple[str, str, str, bool], ...]       # icon, title, href, current
    query: str                                          # of the address as it is, for forms
    save: bool                                          # the current view may be saved again


def tools(context: Context, listed: Listing) -> Tools:
    """The tools of a list page; no statement is needed for them."""
    state = listed.state
    views = tuple((view.title, f"{state.path}?view={view.id}", view.id == state.view, view.audience.shared)
                  for view in listed.views)
    saved = listed.saved
    return Tools(views, f"{state.path}?view=0", _arrangement(context, listed),
                 _modes(context, listed), state.at_start().url().partition("?")[2],
                 saved is not None and (saved.owner == context.session.user.user_id
                                        or saved_views.may_share(context.session)))


def where_row(context: Context, table: str) -> Markup:
    """The controls that add a row to a condition; the same on all pages of a table."""
    return drawn(context, "where_row.html", table, lambda: {
        "fields": filter_rows.fields(context, table), "comparisons": filter_rows.COMPARISONS})


def _arrangement(context: Context, listed: Listing) -> Markup:
    """The choice of columns and groups, which seldom changes from page to page."""
    def values() -> dict[str, object]:
        fields = [bound for name in context.records.readable(listed.thing.of)
                  if (bound := bind(context.system, listed.thing.of, name, context.viewer.locale.language)) is not None]
        return {"columns": _columns(listed, fields), "groups": _groups(context, fields), "chosen": listed.state.group}
    key = (listed.thing.of, listed.view.name, listed.state.columns, listed.state.group)
    return drawn(context, "arrangement.html", key, values)


def groupable(field: Field) -> bool:
    """Whether records can be grouped by a field."""
    return field.type.sortable and not field.many and not (
        field.type.virtual and field.formula is None)


def _columns(listed: Listing, fields: list[Bound]) -> tuple[tuple[str, str, bool], ...]:
    """The columns that are shown, in their order, then all others."""
    shown = {column.path: column.title for column in listed.view.columns}
    own = {column.path: column.title or "" for column in listed.definition.columns.values()}
    rest = {bound.path: bound.title for bound in fields if bound.path not in shown and not bound.field.type.is_lines}
    more = {path: title for path, title in own.items() if path not in shown and title and "." in path}
    return (*((path, title, True) for path, title in shown.items()),
            *((path, title, False) for path, title in {**more, **rest}.items()))


def _groups(context: Context, fields: list[Bound]) -> tuple[tuple[str, str], ...]:
    found: list[tuple[str, str]] = []
    for bound in fields:
        if bound.field.expression_type.name in ("date", "datetime"):
            found += [(f"{bound.path}:{unit}", f"{bound.title} ({context.text(title)})")
                      for unit, title in UNITS.items()]
        elif groupable(bound.field):
            found.append((bound.path, bound.title))
    return tuple(found)


def _modes(context: Context, listed: Listing) -> tuple[tuple[str, str, str, bool], ...]:
    """The list's other views: a tree is a list in groups."""
    state, views, _ = listed.state.at_start(), listed.definition.views, context.text
    rows: ListState = replace(state, mode="", group=())
    found = [("list", _("Rows"), rows.url(), not state.mode and not state.group)]
    tree = views.get("tree", {}).get("by")
    if isinstance(tree, (list, tuple)):
        by = tuple(str(path) for path in tree)[:3]
        found.append(("folder", _("Groups"), replace(rows, group=by).url(), not state.mode and state.group == by))
    if "kanban" in views:
        found.append(("layout-kanban", _("Cards"), replace(rows, mode="kanban").url(), state.mode == "kanban"))
    return tuple(found) if len(found) > 1 else ()
