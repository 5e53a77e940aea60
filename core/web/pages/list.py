"""The list of a business object: columns, order, search, filters, paging, the trash."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from werkzeug.wrappers import Response

from core.ed import query_values
from core.ed.exporting import Wanted
from core.errors import BadRequest
from core.expression import Expression
from core.expression.nodes import Or
from core.expression.type_rules import BOOLEAN
from core.web import exports
from core.web.asked import Asked, asked
from core.web.context import Context
from core.web.i18n import N_
from core.web.list_view import ListView, list_title, list_view
from core.web.pages import rows
from core.web.pages.objects import object_of, object_title
from core.web.request import natural
from core.web.routing import Route
from core.web.shell import Crumb, Frame, render
from core.web.state import PAGE, ListState

if TYPE_CHECKING:
    from core.definition.model import Model, Object

CAP = 10_000


@dataclass(frozen=True, slots=True)
class Header:
    """A column header with where a click on it leads."""

    title: str
    css: str
    href: str
    direction: str                  # "", ascending, descending


@dataclass(frozen=True, slots=True)
class Chip:
    """A filter with where a click on it leads."""

    title: str
    href: str
    active: bool


def show(context: Context, object: str) -> Response:
    """The page of a list; a condition that cannot be understood is shown beside its box, with no rows."""
    thing = object_of(context, object, rows=True)
    if thing.rows is not None:
        return rows.show(context, thing)
    state = ListState.of(context.request, f"/{thing.name}")
    answered = asked(context, context.system.model.queries[thing.query]) if thing.query else None
    view = _view(context, thing, state)
    active = _active(view, state)
    problem: BadRequest | None = None
    records: Sequence[dict[str, Any]] = ()
    following, count, more = None, 0, False
    try:
        where = _where(context, thing, view, state, active, answered)
        if where is None:
            return _draw(context, thing, view, state, active, (), None, 0, False, None, answered)
        found = context.records.page(
            thing.of, view.fields or ["id"], where, order=state.sort or _order(context, thing, view),
            limit=state.limit,
            after=state.after or None, offset=0 if state.after else state.start, search=state.search or None,
            trash=state.trash)
        records, following = found.records, found.next
        count, more = _count(context, thing, state, where, len(records), following is not None)
    except BadRequest as error:
        if not (state.where or state.sort or state.after):
            raise
        context.undo()
        problem = error
    return _draw(context, thing, view, state, active, records, following, count, more, problem, answered)


def export(context: Context, object: str) -> Response:
    """All records of a list as a file: its columns, conditions and order as they are shown."""
    thing = object_of(context, object)
    state = ListState.of(context.request, f"/{thing.name}")
    answered = asked(context, context.system.model.queries[thing.query]) if thing.query else None
    view = _view(context, thing, state)
    where = _where(context, thing, view, state, _active(view, state), answered)
    if where is None:
        raise BadRequest("Fill in what is asked above, then the rows are shown here.")
    titles = {column.path: column.title for column in view.columns if not column.nested} or {"id": "id"}
    wanted = Wanted(thing.of, tuple(titles), where, order=state.sort or _order(context, thing, view),
                    search=state.search or None, titles=titles)
    return exports.answer(context, wanted, context.request.args.get("format", "xlsx"), thing.name)


def _view(context: Context, thing: Object, state: ListState) -> ListView:
    names = thing.lists or (context.system.model.list_of(thing.of).name,)
    name = state.list if state.list in names else names[0]
    return list_view(context.system, name, thing.of, context.viewer.locale.language,
                     context.records.readable(thing.of), context.session.user.shape)


def _active(view: ListView, state: ListState) -> frozenset[str]:
    known = {chip.name for chip in view.filters}
    if state.filters is None:
        return frozenset(chip.name for chip in view.filters if chip.default and not state.trash)
    return frozenset(state.filters) & known


def _order(context: Context, thing: Object, view: ListView) -> tuple[str, ...]:
    """What the list is sorted by; else what its query is, then the object's."""
    model = context.system.model
    listed = model.lists.get(view.name)
    names = (listed.query if listed is not None else None, thing.query)
    return view.order or next((model.queries[name].order for name in names if name and model.queries[name].order), ())


def _where(context: Context, thing: Object, view: ListView, state: ListState, active: frozenset[str],
           answered: Asked | None) -> list[Any] | None:
    """All conditions of the page: of the object, its query and its list's, of the filters (one group's are
    alternatives), of the user. None if what the query asks for is missing."""
    where: list[Any] = [] if thing.where is None else [thing.where]
    model = context.system.model
    listed = model.lists.get(view.name) or model.list_of(thing.of)
    if answered is not None and thing.query is not None:
        if answered.values is None:
            return None
        where += query_values.chosen(context.session, model.queries[thing.query], answered.values)
    if listed.query is not None and listed.query != thing.query:
        query = model.queries[listed.query]
        where += query_values.chosen(context.session, query, query_values.values(context.session, query, {}))
    filters = listed.filters
    groups: dict[str, list[Any]] = {}
    for name in sorted(active):
        groups.setdefault(filters[name].group or f"{name} alone", []).append(filters[name].where)
    for conditions in groups.values():
        where.append(conditions[0] if len(conditions) == 1 else _any_of(model, conditions))
    if state.where:
        where.append(state.where)
    return where


def _any_of(model: Model, conditions: Sequence[Expression]) -> Expression:
    """Conditions of which one must hold; they are the definition's own, so they are not read as the user's."""
    either = Or(type=BOOLEAN, parts=tuple(one.node for one in conditions))
    return Expression(" or ".join(f"({one.source})" for one in conditions), either, model.names.is_kind_of)


def _count(context: Context, thing: Object, state: ListState, where: list[Any], shown: int,
           following: bool) -> tuple[int, bool]:
    """How many there are; a single page that holds them all needs no statement for it."""
    if not state.start and not state.after and not following:
        return shown, False
    return context.records.count(thing.of, where, search=state.search or None, trash=state.trash, cap=CAP)


def _draw(context: Context, thing: Object, view: ListView, state: ListState, active: frozenset[str],
          records: Sequence[dict[str, Any]], following: str | None, count: int, more: bool,
          problem: BadRequest | None, answered: Asked | None) -> Response:
    _ = context.text
    title = object_title(context, thing)
    order = state.sort or view.order
    headers = [Header(c.title, c.css, state.sorted_by(c.path).url() if c.sortable else "",
                      "ascending" if order[:1] == (c.path,) else "descending" if order[:1] == (f"-{c.path}",) else "")
               for c in view.columns]
    chips = [Chip(c.title, state.toggled(c.name, active).url(), c.name in active) for c in view.filters]
    model = context.system.model
    lists = [(list_title(context.system, name, context.viewer.locale.language),
              ListState(state.path, list=name if number else "", given=state.given).url(), name == view.name)
             for number, name in enumerate(thing.lists) if name in model.lists]
    previous = state.previous()
    return render(
        context, "list.html", Frame(title, (Crumb(title, f"/{thing.name}"),), thing.name),
        400 if problem or (answered is not None and answered.wrong) else 200,
        questions=answered.questions if answered is not None else (),
        title=title, view=view, state=state, headers=headers, chips=chips, lists=lists if len(lists) > 1 else [],
        rows=view.rows(records, f"/{thing.name}", context.viewer, _("Record")), shown=len(records),
        first=state.start + 1, last=state.start + len(records), count=count, more=more,
        next_url=state.next(following).url() if following else None,
        previous_url=previous.url() if previous else None, first_url=state.at_start().url() if state.start else None,
        problem=_.of(problem.words) if problem else "", problem_column=problem.column if problem else None,
        why=_why(context, thing, state, active, problem, answered), may_create=context.records.may(thing.of, "create"),
        export_url=_export_url(context, thing, state),
        deleted=natural(context.request.args.get("deleted"), 0, 2**62) if "deleted" in context.request.args else 0,
        trash_url=replace(state, trash=not state.trash, after="", start=0).url(),
        clear_url=ListState(state.path, filters=() if active else None, list=state.list, given=state.given).url())


def _export_url(context: Context, thing: Object, state: ListState) -> str | None:
    """Where the records of the list are given as a file; None where they are not."""
    if state.trash or not context.records.may(thing.of, "export"):
        return None
    return replace(state.at_start(), path=f"{state.path}/export", limit=PAGE).url()


def _why(context: Context, thing: Object, state: ListState, active: frozenset[str],
         problem: BadRequest | None, answered: Asked | None) -> str:
    """Why a list is empty, in words."""
    if answered is not None and answered.values is None:
        return context.text(N_("Fill in what is asked above, then the rows are shown here."))
    if problem is not None:
        return context.text(N_("The condition cannot be understood, so nothing was looked for."))
    if state.search:
        return context.text(N_("Nothing here holds “{words}”."), words=state.search)
    if state.where or active:
        return context.text(N_("No record meets the filters."))
    if state.trash:
        return context.text(N_("The trash is empty."))
    return context.text(N_("There is nothing here yet, or nothing that you may see."))


ROUTES = (Route("/<object>", ("GET",), show, "session", "records"),
          Route("/<object>/export", ("GET",), export, "session", "records"))
