"""A list as cards in columns: dragged or moved by keyboard; a move is an update like any other."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from markupsafe import Markup
from werkzeug.wrappers import Response

from core.ed import boards, grouping
from core.errors import BadRequest
from core.types.base import BadValue
from core.web.context import Context
from core.web.i18n import N_
from core.web.list_groups import groups_of, key_titles, sums
from core.web.list_tools import tools
from core.web.list_view import list_view
from core.web.listing import Listing, listing, order_of, where_of
from core.web.pages.objects import object_of, object_title
from core.web.request import local_path, natural, once, only
from core.web.response import redirect
from core.web.routing import Route
from core.web.shell import Crumb, Frame, render

if TYPE_CHECKING:
    from core.ed.grouping import GroupColumn
    from core.ed.statement import Record
    from core.web.list_view import ListView

EACH = 20                               # cards of a column


@dataclass(frozen=True, slots=True)
class Card:
    """One record, ready to draw."""

    id: int
    version: int
    title: str
    lines: tuple[tuple[str, Markup], ...]


@dataclass(frozen=True, slots=True)
class Board:
    """One column of cards."""

    value: str                          # as JSON
    title: Markup
    count: int
    sums: tuple[tuple[str, Markup], ...]
    cards: tuple[Card, ...]
    href: str                           # leads to all of them


def declared(listed: Listing) -> bool:
    """Whether the list says by what its cards stand in columns."""
    return "by" in listed.definition.views.get("kanban", {})


def show(context: Context, listed: Listing) -> Response:
    """The page of cards: one statement for the counts, one for the cards. Raises BadRequest."""
    by, title = _by(listed), object_title(context, listed.thing)
    problem: BadRequest | None = None
    shown: Sequence[Board] = ()
    try:
        shown = _boards(context, listed, by) if not listed.asks else ()
    except BadRequest as error:
        if not (listed.state.where or listed.search):
            raise
        context.undo()
        problem = error
    gate = context.session.gate
    return render(
        context, "kanban.html", Frame(title, (Crumb(title, f"/{listed.thing.name}"),), listed.thing.name),
        400 if problem else 200, title=title, listed=listed, state=listed.state, boards=shown,
        chips=[(chip.title, listed.state.toggled(chip.name, listed.active).url(), chip.name in listed.active)
               for chip in listed.view.filters],
        tools=tools(context, listed), problem=context.text.of(problem.words) if problem else "",
        movable=context.records.may(listed.thing.of, "change") and not gate.hidden(listed.thing.of, by, "change"),
        may_create=context.records.may(listed.thing.of, "create"), by=by)


def move(context: Context, object: str, id: int) -> Response:
    """Put a record into another column. Raises what updates raise."""
    form = once(context.request.form)
    only(form, ("_csrf", "version", "value", "back"))
    listed = listing(context, object_of(context, object))
    if not declared(listed):
        raise BadRequest(N_("This list has no cards."))
    column = grouping.key_columns(context.session, listed.thing.of, [_by(listed)])[0]
    value = _value(column, form.get("value", ""))
    context.records.update(listed.thing.of, [
        {"id": id, "_version": natural(form.get("version"), 0, 2**31), _by(listed): value}])
    return redirect(local_path(form.get("back")) if form.get("back") else f"/{object}?mode=kanban")


def _by(listed: Listing) -> str:
    return str(listed.definition.views["kanban"]["by"])


def _value(column: GroupColumn, text: str) -> Any:
    """The value of a column as a card's form sends it. Raises BadRequest."""
    try:
        return column.field.type.from_wire(json.loads(text), column.field.properties)
    except (ValueError, RecursionError, BadValue):
        raise BadRequest(N_("There is no such column."), "value") from None


def _boards(context: Context, listed: Listing, by: str) -> list[Board]:
    where = where_of(context, listed)
    found = groups_of(context, listed, where, by)
    column = found.keys[0]
    rows = {row[by]: row for row in found.rows}
    values = _values(context, column, list(rows))
    card = listed.definition.views["kanban"].get("card")
    paths = tuple(str(path) for path in card) if isinstance(card, (list, tuple)) else ()
    view = list_view(context.system, listed.view.name, listed.thing.of, context.viewer.locale.language,
                     context.records.readable(listed.thing.of), context.session.user.shape, paths)
    cards = boards.boards(context.session, listed.thing.of, [*view.fields, "_title"], by, values, where,
                          order=order_of(context, listed), search=listed.search, each=EACH)
    draw = key_titles(context, column)
    empty = {"count": 0, **dict.fromkeys(listed.view.totals)}
    shown = []
    for value, records in zip(values, cards, strict=False):
        row = rows.get(value) or {by: value, **empty}
        wire = column.field.type.to_wire(value, column.field.properties)
        inside = replace(listed.state.at_start(), mode="", group=(by,), inside=(wire,))
        shown.append(Board(json.dumps(wire), draw(row), row["count"], sums(context, listed, row),
                           tuple(_card(context, view, record) for record in records), inside.url()))
    return shown


def _card(context: Context, view: ListView, record: Record) -> Card:
    drawn = [(column.title, Markup(column.cell(record, context.viewer))) for column in view.columns]  # noqa: S704  # widgets escape
    title = drawn[0][1].striptags() if drawn else ""
    return Card(record["id"], record["_version"], title or str(record["_title"] or f"#{record['id']}"),
                tuple((name, text) for name, text in drawn[1:] if text))


def _values(context: Context, column: GroupColumn, found: list[Any]) -> list[Any]:
    """The columns: all values of choices in their order, else those that there are."""
    choices = context.system.model.choices.get(column.type.of or "") if column.type.name == "choice" else None
    if choices is None:
        return found[:boards.MOST]
    known = [value.name for value in choices.values.values() if not value.retired or value.name in found]
    return [*known, *(value for value in found if value not in known)][:boards.MOST]


ROUTES = (Route("/-/kanban/<object>/<id:id>", ("POST",), move, "session", "records"),)
