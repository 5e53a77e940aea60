"""The rows of a query as a page to read: its parameters, columns, filters, totals; a row leads to its record."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from markupsafe import Markup, escape
from werkzeug.wrappers import Response

from core.definition.queries import Condition, Conditions, Query, QueryColumn, rows_of
from core.definition.scope import ModelScope, Written
from core.ed import query as queries
from core.ed.query import Result, ResultColumn
from core.ed.query_words import column_title
from core.expression.nodes import Path
from core.web.asked import Asked, asked
from core.web.binding import SYSTEM_TITLES, known_homes
from core.web.list_view import list_title
from core.web.shell import Crumb, Frame, render
from core.web.state import ListState
from core.web.widgets.base import Bound, Reader
from core.web.widgets.registry import widget_of, widgets

if TYPE_CHECKING:
    from core.definition.model import List, Object
    from core.web.context import Context



@dataclass(frozen=True, slots=True)
class RowColumn:
    """One column, ready to draw."""

    name: str
    title: str
    css: str
    sortable: bool
    cell: Reader


def show(context: Context, thing: Object) -> Response:
    """The page of an object that stands on the rows of a query."""
    query = thing.rows
    assert query is not None  # noqa: S101  # the caller's reason to come here
    state = ListState.of(context.request, f"/{thing.name}")
    listed = _listed(context, thing, state)
    active = _active(listed, state)
    answered = asked(context, query)
    key = ("rows", thing.name, listed.name if listed else "", tuple(sorted(active)))
    shown = _sorted(context, key, _shown(thing, listed, active), state)
    found = None
    if answered.values is not None:
        found = queries.run_query(context.session, shown, (*key, shown.order), answered.values, limit=state.limit,
                                  offset=state.start)
    return _draw(context, thing, state, listed, active, answered, shown, found)


def _listed(context: Context, thing: Object, state: ListState) -> List | None:
    """The list that is looked at; None for an object that names none, which shows all columns."""
    names = thing.lists
    return context.system.model.lists[state.list if state.list in names else names[0]] if names else None


def _active(listed: List | None, state: ListState) -> frozenset[str]:
    if listed is None:
        return frozenset()
    if state.filters is None:
        return frozenset(name for name, chip in listed.filters.items() if chip.default)
    return frozenset(state.filters) & listed.filters.keys()


def _shown(thing: Object, listed: List | None, active: frozenset[str]) -> Query:
    """The query's rows under the columns and conditions of this page, in the list's order."""
    query = thing.rows if listed is None or listed.rows is None else listed.rows
    assert query is not None  # noqa: S101
    base = thing.rows if thing.rows is not None else query
    columns = query.columns if listed is not None else _all(base)
    conditions = _conditions(thing, listed, active)
    return rows_of(base, f"object {thing.name}", columns, conditions, query.order if listed is not None else ())


def _sorted(context: Context, key: tuple[Hashable, ...], shown: Query, state: ListState) -> Query:
    """The same rows in the order that the address asks for; a column that the viewer does not see sorts nothing."""
    if not state.sort:
        return shown
    seen = {column.name for column, _ in queries.prepared(context.session, shown, (*key, shown.order)).columns}
    order = tuple(entry for entry in state.sort if entry.removeprefix("-") in seen)
    return replace(shown, order=order) if order else shown


def _all(query: Query) -> Mapping[str, QueryColumn]:
    """Every column of a query's rows as it is."""
    scope = ModelScope(query.names, f"query {query.name}")
    return {name: replace(column, written=Written(name, scope)) for name, column in query.results.items()}


def _conditions(thing: Object, listed: List | None, active: frozenset[str]) -> Conditions | None:
    """What the object and the filters ask of rows; filters of one group are alternatives."""
    parts: dict[str, Condition | Conditions] = {}
    if thing.written is not None:
        parts["where"] = Condition(thing.written, ())
    groups: dict[str, dict[str, Condition | Conditions]] = {}
    for name in sorted(active):
        chip = listed.filters[name] if listed is not None else None
        if chip is not None:
            groups.setdefault(chip.group or f"{name} alone", {})[name] = Condition(chip.written, ())
    parts |= {group: Conditions("any", several) for group, several in groups.items()}
    return Conditions("all", parts) if parts else None


def _draw(context: Context, thing: Object, state: ListState, listed: List | None, active: frozenset[str],
          answered: Asked, shown: Query, found: Result | None) -> Response:
    from core.web.pages.objects import object_title
    _, language = context.text, context.viewer.locale.language
    title = object_title(context, thing)
    columns = [_column(context, column) for column in found.columns] if found is not None else []
    chips = [] if listed is None else [
        (context.system.model.text(f"list {listed.name}.filters.{name}.title", language) or chip.title,
         state.toggled(name, active).url(), name in active) for name, chip in listed.filters.items()]
    lists = [(list_title(context.system, name, language), replace(state.at_start(), list="" if n == 0 else name).url(),
              listed is not None and name == listed.name) for n, name in enumerate(thing.lists)]
    rows = found.rows if found is not None else ()
    previous = state.previous()
    return render(
        context, "rows.html", Frame(title, (Crumb(title, f"/{thing.name}"),), thing.name),
        400 if answered.wrong else 200, title=title, state=state, questions=answered.questions, chips=chips,
        lists=lists if len(lists) > 1 else [], headers=[_header(column, state, shown) for column in columns],
        rows=_rows(context, columns, rows), totals=_totals(context, columns, found), shown=len(rows),
        first=state.start + 1, last=state.start + len(rows),
        next_url=state.next("").url() if found is not None and found.more else None,
        previous_url=previous.url() if previous else None,
        why=_("There is nothing here yet, or nothing that you may see.") if found is not None
        else _("Fill in what is asked above, then the rows are shown here."))


def _column(context: Context, column: ResultColumn) -> RowColumn:
    model, language = context.system.model, context.viewer.locale.language
    title = column_title(model, column, language)
    if column.title is None and column.shown is None and column.name in SYSTEM_TITLES:
        title = context.text(SYSTEM_TITLES[column.name])
    bound = Bound(column.field, column.name, title, "", model, language, context.text, known_homes(context.system),
                  widgets(context.system), column.badge)
    widget = widget_of(context.system, column.field)
    numeric = widget.numeric or column.type.name in ("integer", "duration")
    css = " ".join(filter(None, ("t-num" if numeric else "", f"t-{column.field.type.name}")))
    sortable = not (column.type.many or column.field.type.is_long or column.field.type.is_file)
    return RowColumn(column.name, title, css, sortable, widget.cell(bound))


def _header(column: RowColumn, state: ListState, shown: Query) -> tuple[str, str, str, str]:
    """Title, look, where a click leads, and the direction of the order."""
    order = state.sort or tuple(entry for entry in shown.order if isinstance(shown.tree(entry.removeprefix("-")), Path))
    direction = "ascending" if order[:1] == (column.name,) else \
        "descending" if order[:1] == (f"-{column.name}",) else ""
    return column.title, column.css, state.sorted_by(column.name).url() if column.sortable else "", direction


def _rows(context: Context, columns: Sequence[RowColumn], rows: Sequence[Mapping[str, Any]]) -> Markup:
    homes = known_homes(context.system)
    parts: list[str] = []
    for row in rows:
        href = _href(homes, row)
        parts.append(Markup('<tr data-href="{}">').format(href) if href else Markup("<tr>"))
        for number, column in enumerate(columns):
            drawn = Markup("{}").format(column.cell(row, context.viewer))
            if href and number == 0:
                text = escape(drawn.striptags()) or Markup("{}").format(f"#{row['_id']}")
                drawn = Markup('<a class="t-record" href="{}">{}</a>').format(href, text)
            parts.append(Markup('<td data-label="{}" class="{}">{}</td>').format(column.title, column.css, drawn))
        parts.append(Markup("</tr>"))
    return Markup("").join(parts)


def _href(homes: Mapping[str, str], row: Mapping[str, Any]) -> str:
    """Where a row's record is opened; nothing for a row that is none."""
    if row.get("_id") is None:
        return ""
    return f"{homes.get(row['_table']) or '/-/open/' + str(row['_table'])}/{row['_id']}"


def _totals(context: Context, columns: Sequence[RowColumn], found: Result | None) -> list[tuple[str, str, Markup]]:
    """What stands below each column; nothing at all if no column has a total."""
    if found is None or not found.totals:
        return []
    return [(column.title, column.css, Markup("{}").format(column.cell(found.totals, context.viewer)))
            if column.name in found.totals else ("", column.css, Markup("")) for column in columns]
