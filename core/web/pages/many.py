"""Changing or deleting many records of a list at once: those that were chosen, or all that its filter finds.

Nothing is done before a page has said how many there are and how many the user's rights leave out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from werkzeug.wrappers import Response

from core.ed import read
from core.errors import BadRequest, Conflict, Denied, Invalid
from core.types.base import BadValue
from core.types.characters import plain_number
from core.web import former
from core.web.binding import bind
from core.web.context import Context
from core.web.i18n import N_
from core.web.listing import listing, order_of, where_of
from core.web.pages.objects import object_of, object_title
from core.web.request import once, only
from core.web.response import redirect
from core.web.routing import Route
from core.web.shell import Crumb, Frame, render
from core.web.widgets.base import Bound, Control, Entry, Posted
from core.web.widgets.registry import widget_of

if TYPE_CHECKING:
    from core.definition.model import Object

MOST = 2000
PAGE = 1000
KEY = "value"
RIGHTS = {"delete": "delete", "edit": "change"}


@dataclass(frozen=True, slots=True)
class Chosen:
    """The records that are meant: those on which the user has the right, and how many others."""

    ids: tuple[int, ...]
    allowed: frozenset[int]

    @property
    def skipped(self) -> int:
        """How many are left out."""
        return len(self.ids) - len(self.allowed)


def show(context: Context, object: str) -> Response:
    """What is about to be done, then do it; the address is that of the list."""
    thing = object_of(context, object)
    form = once(context.request.form, ("id", KEY))
    only(form, ("_csrf", "id", "all", "action", "field", "sure", "count", KEY, f"{KEY}~", f"{KEY}_title"))
    action = form.get("action", "")
    if action not in RIGHTS:
        raise BadRequest(N_("Say what is to be done with the records."), "action")
    chosen = _chosen(context, thing, RIGHTS[action])
    bound = _bound(context, thing, former.field(context, thing.of, form["field"])) if form.get("field") else None
    if bound is not None:
        former.read_value(context, thing.of, bound.path, KEY)
    problem = ""
    if form.get("sure") and (action == "delete" or bound is not None):
        if form.get("count") != str(len(chosen.allowed)):
            problem = context.text(N_("There are other records by now. Look at the number again."))
        else:
            try:
                return _do(context, thing, chosen, action, bound)
            except (Invalid, Denied, Conflict, BadValue) as error:
                context.undo()
                problem = _words(context, error)
    return _page(context, thing, chosen, action, bound, problem)


def _chosen(context: Context, thing: Object, right: str) -> Chosen:
    """Read which records are meant, within the list's own conditions. Raises BadRequest."""
    form = context.request.form
    listed = listing(context, thing)
    where = where_of(context, listed)
    ids: list[int] = []
    if form.get("all"):
        after = None
        while len(ids) <= MOST:
            page = context.records.page(thing.of, ["id"], where, order=order_of(context, listed), limit=PAGE,
                                        after=after, search=listed.search)
            ids += [int(record["id"]) for record in page.records]
            after = page.next
            if after is None:
                break
    else:
        wanted = [id for text in form.getlist("id") if (id := plain_number(text)) is not None]
        ids = list(dict.fromkeys(wanted))[:MOST + 1]
        ids = [int(record["id"]) for record in context.records.read(thing.of, ids, ["id"])]
    if not ids:
        raise BadRequest(N_("Choose records first."), "id")
    if len(ids) > MOST:
        raise BadRequest(N_("At most {most} records can be changed at once; narrow the list by a filter."), "id",
                         most=MOST)
    return Chosen(tuple(ids), frozenset(read.with_right(context.session, thing.of, right, ids)))


def _do(context: Context, thing: Object, chosen: Chosen, action: str, bound: Bound | None) -> Response:
    """Delete or change, all or nothing. Raises Invalid, Denied, Conflict, BadValue."""
    back = context.request.full_path.partition("?")[2]
    if action == "delete":
        context.records.delete(thing.of, sorted(chosen.allowed))
    elif bound is not None:
        widget = widget_of(context.system, bound.field)
        entry = widget.posted(bound, Posted(context.request.form, context.request.files), KEY)
        value = widget.value(bound, entry if entry is not None else Entry(), context.viewer)
        rows = context.records.read(thing.of, sorted(chosen.allowed), ["id"])
        context.records.update(thing.of, [
            {"id": row["id"], "_version": row["_version"], bound.path: value} for row in rows])
    return redirect(f"/{thing.name}?{back}" if back else f"/{thing.name}")


def _page(context: Context, thing: Object, chosen: Chosen, action: str, bound: Bound | None,
          problem: str) -> Response:
    title = object_title(context, thing)
    control = ""
    if bound is not None:
        widget = widget_of(context.system, bound.field)
        entry = widget.posted(bound, Posted(context.request.form, context.request.files), KEY) or Entry()
        control = widget.edit(bound)(entry, Control(KEY, KEY), context.viewer)
    form = context.request.form
    frame = Frame(context.text("Many records"), (Crumb(title, f"/{thing.name}"), Crumb("", "")), thing.name)
    return render(
        context, "many.html", frame, 422 if problem else 200, title=title, chosen=chosen, action=action, bound=bound,
        control=control,
        problem=problem, all=form.get("all", ""), ids=() if form.get("all") else chosen.ids,
        fields=_fields(context, thing) if action == "edit" and bound is None else (), href=context.request.full_path,
        back=f"/{thing.name}?{context.request.full_path.partition('?')[2]}")


def _fields(context: Context, thing: Object) -> Sequence[Bound]:
    """The fields that can be set to one value for many records."""
    gate = context.session.gate
    found = (bind(context.system, thing.of, name, context.viewer.locale.language)
             for name in context.records.readable(thing.of) if not gate.hidden(thing.of, name, "change"))
    return [bound for bound in found if bound is not None and not bound.field.virtual
            and not bound.field.type.is_file and not bound.field.type.is_drawn and bound.field.type.name != "state"]


def _bound(context: Context, thing: Object, name: str) -> Bound:
    found = next((bound for bound in _fields(context, thing) if bound.path == name), None)
    if found is None:
        raise BadRequest(N_("This field cannot be changed for many records at once."), "field")
    return found


def _words(context: Context, error: Invalid | Denied | Conflict | BadValue) -> str:
    """What was refused, in the reader's language; of many problems the first."""
    if isinstance(error, Invalid):
        first: Mapping[str, object] = error.problems[0].params
        return context.text(error.problems[0].message, **first)
    return context.text(error.message, **error.params)


ROUTES = (Route("/-/many/<object>", ("POST",), show, "session", "records"),)
