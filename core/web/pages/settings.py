"""Settings: those who may change them see each with its value, change it, and read who changed it before."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup, escape
from werkzeug.wrappers import Response

from core.definition.named import Setting
from core.ed import setting as settings_of
from core.errors import BadRequest, Conflict, Denied, Invalid
from core.types.base import BadValue
from core.types.characters import plain_number
from core.web.binding import field_title, known_homes
from core.web.context import Context
from core.web.i18n import N_, text_of
from core.web.pages.form import titles_of
from core.web.pages.objects import title_of
from core.web.request import once, only
from core.web.response import redirect
from core.web.routing import Route
from core.web.shell import Crumb, Frame, render
from core.web.widgets.base import EMPTY, Bound, Control, Entry, Posted
from core.web.widgets.date import moment
from core.web.widgets.registry import widget_of, widgets

KEY = settings_of.FIELD
MOST_RECORDS = 200


@dataclass(frozen=True, slots=True)
class Row:
    """A setting in the list, or a record that may have its own value of one."""

    href: str
    title: str
    help: str
    value: str
    own: bool


@dataclass(frozen=True, slots=True)
class Event:
    """A change as the history shows it."""

    who: str
    when: Markup
    whose: str
    before: str
    after: str


def show(context: Context) -> Response:
    """The settings that the user may change."""
    found = settings_of.changeable(context.session)
    if not found and not context.administrator:
        raise Denied(N_("There are no settings that you may change."))
    rows, said = [], settings_of.kept(context.connection)
    for setting in found:
        bound, kept = _bound(context, setting), settings_of.values(setting, said)
        value = _drawn(context, bound, kept.get(None, setting.default))
        rows.append(Row(_href(setting), bound.title, bound.help, value, bool(kept)))
    return render(context, "settings.html", _frame(context), rows=rows)


def edit(context: Context, name: str) -> Response:
    """One setting: its value, the records that may have their own, and its history."""
    setting = settings_of.find(context.session, name)
    return _page(context, setting, _record(context.request.args.get("for", "")), None, "")


def save(context: Context, name: str) -> Response:
    """Keep another value, or forget the one that was said."""
    setting = settings_of.find(context.session, name)
    form = once(context.request.form)
    only(form, ("_csrf", "csrf", "_seen", "_for", "_reset", KEY, f"{KEY}~"))
    record = _record(form.get("_for", ""))
    bound = _bound(context, setting)
    entry = widget_of(context.system, setting.field).posted(bound, Posted(context.request.form, context.request.files),
                                                            KEY) or Entry()
    try:
        value = None if form.get("_reset") == "1" else _value(context, bound, entry)
        settings_of.change(context.session, name, value, record, _seen(setting, form.get("_seen", "")))
    except Invalid as error:
        context.undo()
        problem = error.problems[0]
        return _page(context, setting, record, entry, context.text(problem.message, **problem.params), 422)
    except Conflict as error:
        context.undo()
        return _page(context, setting, record, entry, context.text.of(error.words), 409)
    return redirect(_href(setting, record) + ("&" if record else "?") + "done=1")


def _value(context: Context, bound: Bound, entry: Entry) -> Any:
    """What was typed, in normal form. Raises Invalid."""
    try:
        value = widget_of(context.system, bound.field).value(bound, entry, context.viewer)
    except BadValue as error:
        raise Invalid([settings_of.problem(error)]) from None
    if value is None and bound.field.required is True:
        raise Invalid([settings_of.missing()])
    return value


def _seen(setting: Setting, text: str) -> object:
    """The value that stood on the page, which was sent along. Raises BadRequest."""
    try:
        return setting.field.type.from_wire(json.loads(text or "null"), setting.field.properties)
    except (ValueError, RecursionError, BadValue):
        raise BadRequest(N_("This page is too old to be sent. Go back, reload it and try again."), "_seen") from None


def _record(text: str) -> int | None:
    """The record whose own value is meant. Raises BadRequest."""
    if not text:
        return None
    found = plain_number(text)
    if found is None:
        raise BadRequest(N_('"{value}" is not the id of a record.'), "for", value=text[:40])
    return found


def _page(context: Context, setting: Setting, record: int | None, entry: Entry | None, problem: str,
          status: int = 200) -> Response:
    bound, kept = _bound(context, setting), settings_of.values(setting, settings_of.kept(context.connection))
    records = _records(context, setting)
    if record is not None and record not in records:
        raise BadRequest(N_('"{value}" is not the id of a record.'), "for", value=record)
    held = kept.get(record, kept.get(None, setting.default))
    widget = widget_of(context.system, setting.field)
    shown = entry if entry is not None else widget.entry(bound, {KEY: held}, context.viewer)
    described = " ".join(filter(None, (f"f-{KEY}-help" if bound.help else "", f"f-{KEY}-problem" if problem else "")))
    control = Control(KEY, f"f-{KEY}", "", setting.field.required is True, bool(problem), described)
    wire = setting.field.type.to_wire(kept[record], setting.field.properties) if record in kept else None
    crumb = Crumb(bound.title, _href(setting))
    return render(
        context, "setting.html", _frame(context, crumb), status, title=bound.title, help=bound.help,
        control=escape(widget.edit(bound)(shown, control, context.viewer)), key=KEY, problem=problem,
        required=setting.field.required is True, action=_href(setting), seen=json.dumps(wire), record=record,
        whose=records.get(record, "") if record is not None else "", own=record in kept, rows=_whose(
            context, setting, bound, records, kept), default=_drawn(context, bound, kept.get(
                None, setting.default) if record is not None else setting.default),
        events=[_event(context, bound, one, records) for one in settings_of.history(context.connection, setting)],
        done=context.request.args.get("done") == "1" and context.request.method == "GET")


def _whose(context: Context, setting: Setting, bound: Bound, records: Mapping[int | None, str],
           kept: Mapping[int | None, object]) -> list[Row]:
    """Everybody, and each record that may have its own value."""
    if setting.per is None:
        return []
    everybody = kept.get(None, setting.default)
    rows = [Row(_href(setting), context.text("Everybody"), "", _drawn(context, bound, everybody), None in kept)]
    return rows + [Row(_href(setting, id_), title, "", _drawn(context, bound, kept.get(id_, everybody)), id_ in kept)
                   for id_, title in records.items() if id_ is not None]


def _records(context: Context, setting: Setting) -> dict[int | None, str]:
    """The records that may have their own value, as far as the user may read them."""
    link = context.system.model.field("user", setting.per) if setting.per else None
    if link is None or link.target is None or not context.records.may(link.target, "read"):
        return {}
    page = context.records.page(link.target, ["_title"], order=["id"], limit=MOST_RECORDS)
    return {int(record["id"]): title_of(record) for record in page.records}


def _event(context: Context, bound: Bound, change: settings_of.Change, records: Mapping[int | None, str]) -> Event:
    who = titles_of(context, "user", {change.user_id}).get(str(change.user_id), f"#{change.user_id}") \
        if change.user_id is not None else context.text("The system")
    whose = records.get(change.record, f"#{change.record}") if change.record is not None else ""
    return Event(who, moment(change.at, context.viewer), whose, _drawn(context, bound, change.before),
                 _drawn(context, bound, change.after))


def _drawn(context: Context, bound: Bound, value: object) -> str:
    return widget_of(context.system, bound.field).cell(bound)({KEY: value}, context.viewer) or EMPTY


def _bound(context: Context, setting: Setting) -> Bound:
    """The setting's field for the reader's language."""
    model, field, language = context.system.model, setting.field, context.viewer.locale.language
    help_ = (model.text(f"{field.path}.help", language) or field.help) if field.help else ""
    return Bound(field, KEY, field_title(model, field, language), help_, model, language, text_of(language),
                 known_homes(context.system), widgets(context.system))


def _href(setting: Setting, record: int | None = None) -> str:
    return f"/admin/settings/{setting.name}" + (f"?for={record}" if record is not None else "")


def _frame(context: Context, step: Crumb | None = None) -> Frame:
    crumbs = [Crumb(context.text("Settings"), "/admin/settings"), *([step] if step else [])]
    if context.may("plan"):
        crumbs.insert(0, Crumb(context.text("Administration"), "/admin"))
    return Frame(crumbs[-1].title, crumbs, "/admin")


ROUTES = (
    Route("/admin/settings", ("GET",), show, "session", "settings"),
    Route("/admin/settings/<name>", ("GET",), edit, "session", "settings"),
    Route("/admin/settings/<name>", ("POST",), save, "session", "settings", 200_000),
)
