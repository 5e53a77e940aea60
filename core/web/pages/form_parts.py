"""Parts of a form's page that are fetched while it is looked at: history, and how its fields stand."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from markupsafe import Markup
from werkzeug.wrappers import Response

from core.ed.history import MOST_CHANGES
from core.web.binding import SYSTEM_TITLES, bind
from core.web.context import Context
from core.web.form_draw import standings
from core.web.i18n import N_
from core.web.pages import form
from core.web.pages.objects import object_of
from core.web.routing import Route
from core.web.shell import Frame, render
from core.web.widgets.base import EMPTY, Bound, Posted
from core.web.widgets.date import moment
from core.web.widgets.registry import widget_of

if TYPE_CHECKING:
    from core.ed.history import Change

HOW = {"page": N_("on a page"), "api": N_("through the API"), "import": N_("by an import"),
       "agent": N_("by an agent"), "system": N_("by the system")}


@dataclass(frozen=True, slots=True)
class Event:
    """One entry of the time line."""

    who: str
    when: Markup
    what: str
    how: str
    fields: list[tuple[str, str, str]]          # title, before, after
    folded: bool                                # a creation: what it began with is there to unfold


def history(context: Context, object: str, id: int) -> Response:
    """Who changed what and when, newest first."""
    thing = object_of(context, object)
    table = form.kind(context, thing, id)
    changes = context.records.history(table, id)
    titles = _linked_titles(context, table, changes)
    first = changes[-1] if changes and len(changes) < MOST_CHANGES else None
    events = [_event(context, table, change, titles, change is first) for change in changes]
    return render(context, "history.html", Frame(context.text("History")), events=events)


def _event(context: Context, table: str, change: Change, titles: Mapping[tuple[str, str], str], first: bool) -> Event:
    """One change; the first one of all is the creation, if nothing was there before it."""
    _ = context.text
    fields = [shown for name, pair in change.fields.items() if not name.startswith("_")
              and (shown := _shown(context, table, name, pair, titles)) is not None]
    trash = change.fields.get("_deleted_on")
    created = first and trash is None and all(before in (None, []) for before, _after in change.fields.values())
    if created:
        what = _("created this")
    elif trash is not None:
        what = _("moved this to the trash") if trash[1] else _("brought this back from the trash")
    else:
        what = _("changed")
    by_itself = change.user_title is None and change.how == "system"
    return Event(change.user_title or _("The system"), moment(change.at, context.viewer), what,
                 "" if change.how == "page" or by_itself else _(HOW.get(change.how, "")), fields, created)


def _shown(context: Context, table: str, name: str, pair: tuple[Any, Any],
           titles: Mapping[tuple[str, str], str]) -> tuple[str, str, str] | None:
    """A changed field with both values as its widget reads them."""
    bound = bind(context.system, table, name, context.viewer.locale.language)
    if bound is None:
        return (context.text(SYSTEM_TITLES[name]), str(pair[0] or ""), str(pair[1] or "")) \
            if name in SYSTEM_TITLES else None
    if bound.field.type.name == "lines":
        return (bound.title, "", "")
    before, after = (_value(context, bound, value, titles) for value in pair)
    return bound.title, before, after


def _value(context: Context, bound: Bound, value: Any, titles: Mapping[tuple[str, str], str]) -> str:
    if value is None or value == []:
        return EMPTY
    target = bound.field.target or ""
    if bound.field.type.name == "link":
        ids = value if isinstance(value, list) else [value]
        return Markup(", ").join(Markup("{}").format(titles.get((target, str(one)), f"#{one}")) for one in ids)
    try:
        typed = bound.field.type.from_wire(value, bound.field.properties)
    except Exception:        # an earlier version of the field held something else: show it as it was
        return Markup("{}").format(value)
    return widget_of(context.system, bound.field).cell(bound)({bound.path: typed}, context.viewer)


def _linked_titles(context: Context, table: str, changes: list[Change]) -> dict[tuple[str, str], str]:
    wanted: dict[str, set[int]] = {}
    for change in changes:
        for name, pair in change.fields.items():
            found = context.system.model.field(table, name)
            if found is not None and found.type.name == "link":
                for value in pair:
                    ids = value if isinstance(value, list) else [value]
                    wanted.setdefault(found.target or "", set()).update(one for one in ids if isinstance(one, int))
    return {(target, key): title for target, ids in wanted.items()
            for key, title in form.titles_of(context, target, ids).items()}


def conditions(context: Context, object: str, id: int | None = None) -> Response:
    """How the fields of a form stand for what is typed in it now; nothing is written."""
    thing = object_of(context, object)
    table = form.kind(context, thing, id) if id is not None else form.new_kind(context, thing)
    place = form.place_of(context, thing, table or thing.of)
    record: Mapping[str, Any] = form.load(context, place, id)[0] if id is not None else {}
    posted = Posted(context.request.form, context.request.files)
    entries = {one.key: entry for one in place.view.fields if not one.fixed and one.bound.field.type.name != "lines"
               and (entry := one.widget.posted(one.bound, posted, one.key)) is not None}
    values = form.current_values(place.view, record, entries, context)
    found = standings(place.view, values, context.session.environment, ())
    answer = {key: {"show": standing.show, "required": standing.required, "fixed": standing.fixed}
              for key, standing in found.items()}
    return Response(json.dumps(answer), content_type="application/json")


ROUTES = (
    Route("/<object>/<id:id>/history", ("GET",), history, "session", "records"),
    Route("/<object>/<id:id>/conditions", ("POST",), conditions, "session", "records", form.UPLOAD),
    Route("/<object>/new/conditions", ("POST",), conditions, "session", "records", form.UPLOAD),
)
