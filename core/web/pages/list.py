"""The list of a business object: columns, order, search, filters, groups, paging, the trash."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from markupsafe import Markup
from werkzeug.wrappers import Response

from core.ed import grouping
from core.ed.exporting import Wanted
from core.errors import BadRequest
from core.web import exports, filter_rows
from core.web.context import Context
from core.web.i18n import N_
from core.web.list_groups import GroupRow, group_rows
from core.web.list_tools import tools, where_row
from core.web.list_view import list_title
from core.web.listing import Listing, listing, order_of, where_of
from core.web.pages import kanban, rows
from core.web.pages.objects import object_of, object_title
from core.web.request import natural
from core.web.response import redirect
from core.web.routing import Route
from core.web.shell import Crumb, Frame, render
from core.web.state import PAGE, ListState

if TYPE_CHECKING:
    from core.ed.grouping import Totals
    from core.ed.read import Page

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


@dataclass(frozen=True, slots=True)
class Content:
    """What stands below the head of the page: records or groups, or why there are none."""

    page: Page | None = None
    totals: Totals | None = None
    groups: Sequence[GroupRow] = ()
    more_groups: bool = False
    problem: BadRequest | None = None

    @property
    def records(self) -> Sequence[dict[str, Any]]:
        """The records of this page."""
        return self.page.records if self.page is not None else ()


def show(context: Context, object: str) -> Response:
    """The page of a list; a condition that cannot be understood is shown beside its box, with no rows."""
    thing = object_of(context, object, rows=True)
    if thing.rows is not None:
        return rows.show(context, thing)
    listed = listing(context, thing)
    row = filter_rows.asked_row(context.request.args)
    if row is not None:
        try:
            where = filter_rows.added(context, thing.of, listed.state.where, *row)
        except BadRequest as error:
            return _draw(context, listed, Content(problem=error))
        return redirect(replace(listed.state.at_start(), where=where).url())
    if listed.state.mode == "kanban" and kanban.declared(listed) and not listed.state.trash:
        return kanban.show(context, listed)
    try:
        content = Content() if listed.asks else _content(context, listed)
    except BadRequest as error:
        state = listed.state
        if not (state.where or state.sort or state.after or state.before or state.search or state.group):
            raise
        context.undo()
        content = Content(problem=error)
    if context.request.htmx and listed.state.inside is not None and content.problem is None:
        return _inside(context, listed, content)
    return _draw(context, listed, content)


def export(context: Context, object: str) -> Response:
    """All records of a list as a file: its columns, conditions and order as they are shown."""
    thing = object_of(context, object)
    listed = listing(context, thing)
    if listed.asks:
        raise BadRequest("Fill in what is asked above, then the rows are shown here.")
    titles = {column.path: column.title for column in listed.view.columns if not column.nested} or {"id": "id"}
    wanted = Wanted(thing.of, tuple(titles), where_of(context, listed), order=order_of(context, listed),
                    search=listed.search, titles=titles)
    return exports.answer(context, wanted, context.request.args.get("format", "xlsx"), thing.name)


def _content(context: Context, listed: Listing) -> Content:
    """The groups, or the records of a page with how many there are; two statements. Raises BadRequest."""
    thing, state = listed.thing, listed.state
    where = where_of(context, listed)
    if state.group and len(state.inside or ()) < len(state.group):
        groups, more = group_rows(context, listed, where)
        return Content(groups=groups, more_groups=more, totals=_totals(context, listed, where))
    found = context.records.page(
        thing.of, listed.view.fields or ["id"], where, order=order_of(context, listed), limit=state.limit,
        after=state.after or None, before=state.before or None if not state.after else None,
        offset=0 if state.after or state.before else state.start, search=listed.search, trash=state.trash)
    alone = not (state.start or state.after or state.before or found.more)
    if alone and not listed.view.totals:
        return Content(found, grouping.Totals(len(found.records), False, {}))
    return Content(found, _totals(context, listed, where))


def _totals(context: Context, listed: Listing, where: list[Any]) -> Totals:
    """How many records there are and what the columns add up to; of very many only if somebody asks."""
    return grouping.totals(context.session, listed.thing.of, listed.view.totals, where, search=listed.search,
                           trash=listed.state.trash, cap=None if listed.state.exact else CAP)


def _inside(context: Context, listed: Listing, content: Content) -> Response:
    """The rows that are put below a group when it is opened."""
    state = listed.state
    following = content.page.next if content.page is not None else None
    return render(context, "inside.html", Frame(""), listed=listed, groups=content.groups, more=content.more_groups,
                  rows=_rows(context, listed, content), width=_width(context, listed), depth=len(state.inside or ()),
                  next_url=state.url() if following else None)


def _rows(context: Context, listed: Listing, content: Content) -> Markup:
    chosen = _actions(context, listed)
    return listed.view.rows(content.records, f"/{listed.thing.name}", context.viewer, context.text("Record"),
                            choose=context.text("Choose this record") if chosen else "",
                            depth=len(listed.state.inside or ()))


def _actions(context: Context, listed: Listing) -> frozenset[str]:
    """What can be done with many records of the list."""
    if listed.state.trash:
        return frozenset()
    return frozenset(right for right in ("change", "delete") if context.records.may(listed.thing.of, right))


def _width(context: Context, listed: Listing) -> int:
    return len(listed.view.columns) + bool(_actions(context, listed))


def _draw(context: Context, listed: Listing, content: Content) -> Response:
    _, thing, state, view = context.text, listed.thing, listed.state, listed.view
    title = object_title(context, thing)
    order = state.sort or view.order
    headers = [Header(c.title, c.css, state.sorted_by(c.path).url() if c.sortable else "",
                      "ascending" if order[:1] == (c.path,) else "descending" if order[:1] == (f"-{c.path}",) else "")
               for c in view.columns]
    chips = [Chip(c.title, state.toggled(c.name, listed.active).url(), c.name in listed.active) for c in view.filters]
    model = context.system.model
    lists = [(list_title(context.system, name, context.viewer.locale.language),
              ListState(state.path, list=name if number else "", given=state.given).url(), name == view.name)
             for number, name in enumerate(thing.lists) if name in model.lists]
    page, totals, problem, answered = content.page, content.totals, content.problem, listed.answered
    following = page.next if page is not None else None
    previous = state.previous(page.previous if page is not None else None)
    shown = len(content.records)
    return render(
        context, "list.html", Frame(title, (Crumb(title, f"/{thing.name}"),), thing.name),
        400 if problem or (answered is not None and answered.wrong) else 200,
        questions=answered.questions if answered is not None else (), listed=listed,
        title=title, view=view, state=state, headers=headers, chips=chips, lists=lists if len(lists) > 1 else [],
        rows=_rows(context, listed, content), shown=shown, groups=content.groups, more_groups=content.more_groups,
        first=state.start + 1, last=state.start + shown, count=totals.count if totals else 0,
        more=totals.more if totals else False, totals=_footer(context, listed, totals), width=_width(context, listed),
        exact_url=replace(state, exact=True).url(), tools=tools(context, listed), actions=_actions(context, listed),
        next_url=state.next(following).url() if following else None,
        previous_url=previous.url() if previous else None, first_url=state.at_start().url() if state.start else None,
        where_row=where_row(context, thing.of),
        filter_rows=[(one.text, replace(state.at_start(), where=one.without).url())
                     for one in (filter_rows.rows(state.where) if state.where else ())],
        problem=_.of(problem.words) if problem else "", problem_column=problem.column if problem else None,
        problem_at=problem.at if problem else "",
        why=_why(context, listed, content), may_create=context.records.may(thing.of, "create"),
        export_url=_export_url(context, listed), import_url=_import_url(context, listed),
        deleted=natural(context.request.args.get("deleted"), 0, 2**62) if "deleted" in context.request.args else 0,
        trash_url=replace(state.at_start(), trash=not state.trash).url(),
        clear_url=ListState(state.path, filters=() if listed.active else None, list=state.list, given=state.given,
                            view=state.view).url())


def _export_url(context: Context, listed: Listing) -> str | None:
    """Where the records of the list are given as a file; None where they are not."""
    state = listed.state
    if state.trash or not context.records.may(listed.thing.of, "export"):
        return None
    return replace(state.at_start(), path=f"{state.path}/export", inside=state.inside, limit=PAGE).url()


def _import_url(context: Context, listed: Listing) -> str | None:
    """Where a file becomes records of the list; None where it cannot."""
    of = listed.thing.of
    if listed.state.trash or context.system.model.tables[of].abstract or not context.records.may(of, "create"):
        return None
    return f"{listed.state.path}/import"


def _footer(context: Context, listed: Listing, totals: Totals | None) -> list[tuple[str, str, Markup]]:
    """What stands below each column; nothing at all if no column has a total, or not all was added up."""
    if totals is None or not totals.values:
        return []
    return [(column.title if column.total else "", column.css,
             Markup(listed.view.total(number, totals.values, context.viewer)) if column.total else Markup(""))  # noqa: S704  # drawn by a widget
            for number, column in enumerate(listed.view.columns)]


def _why(context: Context, listed: Listing, content: Content) -> str:
    """Why a list is empty, in words."""
    state = listed.state
    if listed.asks:
        return context.text(N_("Fill in what is asked above, then the rows are shown here."))
    if content.problem is not None:
        return context.text(N_("The condition cannot be understood, so nothing was looked for.")) \
            if content.problem.at == "where" else context.text.of(content.problem.words)
    if state.search:
        return context.text(N_("Nothing here holds “{words}”."), words=state.search)
    if state.where or listed.active:
        return context.text(N_("No record meets the filters."))
    if state.trash:
        return context.text(N_("The trash is empty."))
    return context.text(N_("There is nothing here yet, or nothing that you may see."))


ROUTES = (Route("/<object>", ("GET",), show, "session", "records"),
          Route("/<object>/export", ("GET",), export, "session", "records"))
