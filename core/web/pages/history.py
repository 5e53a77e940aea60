"""What happened to a record: its time line, its versions side by side, and what people put beside it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from markupsafe import Markup
from werkzeug.wrappers import Response

from core.ed import beside, versions
from core.ed import history as histories
from core.ed.files import Upload
from core.ed.versions import Past, past
from core.errors import BadRequest, Conflict, Denied, Invalid, NotFound
from core.web.binding import SYSTEM_TITLES, bind
from core.web.context import Context
from core.web.i18n import N_
from core.web.pages import files, form
from core.web.pages.objects import object_of, object_title, title_of
from core.web.request import natural, once, only
from core.web.response import redirect
from core.web.routing import Route
from core.web.shell import Crumb, Frame, render
from core.web.widgets.base import EMPTY, Bound
from core.web.widgets.date import moment
from core.web.widgets.registry import widget_of

if TYPE_CHECKING:
    from core.definition.model import Field
    from core.ed.history import Change, LineChange

HOW = {"page": N_("on a page"), "api": N_("through the API"), "import": N_("by an import"),
       "agent": N_("by an agent"), "system": N_("by the system")}
Titles = Mapping[int, str]
Shown = tuple[str, str, str]                    # a field's title, its value before, its value after


@dataclass(frozen=True, slots=True)
class LineEvent:
    """What was done to one line."""

    title: str
    what: str
    fields: list[Shown]
    created: bool = False


@dataclass(frozen=True, slots=True)
class Event:
    """One entry of the time line."""

    who: str
    when: Markup
    what: str
    how: str
    fields: list[Shown]
    lines: list[LineEvent]
    folded: bool                                # a creation: what it began with is there to unfold
    version: int | None                         # of the record, to look at it as it was then
    remark: int | None = None
    said: str = ""
    mine: bool = False                          # a remark that this user may take back
    why: str = ""                               # a reason that was given


def show(context: Context, object: str, id: int) -> Response:
    """Who changed what and when, newest first, a page at a time."""
    only(context.request.args, ("before",))
    table = form.kind(context, object_of(context, object), id)
    before = natural(context.request.args.get("before"), 0, 2**62)
    found = histories.timeline(context.session, table, id, before or None)
    titles = linked_titles(context, table, found.changes)
    keeps, inside = context.system.model.tables[table].keeps, histories.inside(context.session)
    may_add = not before and inside and "change" in context.records.rights(table, id) \
        and bool(context.records.read(table, [id], ["id"]))         # not in the trash
    return render(context, "history.html", _alone(context, object, table, id),
                  events=[_event(context, table, change, titles) for change in found.changes],
                  older=found.older, before=before, place=f"/{object}/{id}", versions="history" in keeps,
                  may_remark=may_add and "timeline" in keeps, longest=beside.LONGEST_REMARK,
                  may_attach=may_add and "attachments" in keeps,
                  attached=[] if before else _attached(context, table, id))


def _alone(context: Context, object: str, table: str, id: int) -> Frame:
    """The page around a history that is no part of its record's page, with the way back to the record."""
    here = Crumb(context.text("History"), "")
    if context.request.htmx:
        return Frame(here.title)
    thing = object_of(context, object)
    record = Crumb(_title(context, table, id)[0], f"/{object}/{id}")
    return Frame(here.title, (Crumb(object_title(context, thing), f"/{object}"), record, here), thing.name)


def _attached(context: Context, table: str, id: int) -> list[tuple[int, str, str]]:
    from core.web.widgets.file import readable_size
    return [(one.file.id, one.file.name, readable_size(one.file.size))
            for one in beside.attachments(context.session, table, id)]


def _event(context: Context, table: str, change: Change, titles: Titles) -> Event:
    _ = context.text
    fields = [shown for name, pair in change.fields.items() if not name.startswith("_")
              and (shown := _shown(context, table, name, pair, titles)) is not None]
    lines = [_line(context, table, line, titles) for line in change.lines]
    by_itself = change.user_title is None and change.how == "system"
    how = "" if change.how == "page" or by_itself else _(HOW.get(change.how, ""))
    remark, mine, said = change.remark, False, ""
    if remark is not None:
        said = remark.text or ""
        mine = bool(said) and (change.user_id == context.session.user.user_id or context.session.user.all)
    unlocked = change.fields.get("_unlocked")
    return Event(change.user_title or _("The system"), moment(change.at, context.viewer), _what(context, change), how,
                 fields, lines, change.created, change.record_version, remark.id if remark else None, said, mine,
                 str(unlocked[1] or "") if unlocked else "")


def _what(context: Context, change: Change) -> str:
    _ = context.text
    if change.remark is not None:
        return _("wrote") if change.remark.text else _("took a remark back")
    if change.attachment is not None:
        before, after = change.attachment
        return _("attached {file}", file=after["name"]) if after else _("took {file} away", file=before["name"])
    if "_unlocked" in change.fields:
        return _("unlocked this") if change.fields["_unlocked"][1] else _("locked this again")
    if change.created:
        return _("created this")
    trash = change.fields.get("_deleted_on")
    if trash is not None:
        return _("moved this to the trash") if trash[1] else _("brought this back from the trash")
    return _("changed")


def _line(context: Context, table: str, line: LineChange, titles: Titles) -> LineEvent:
    _ = context.text
    field = context.system.model.tables[table].lines[line.lines]
    child = field.target or ""
    bound = bind(context.system, table, line.lines, context.viewer.locale.language)
    by = getattr(field.properties, "by", "")
    fields = [shown for name, pair in line.fields.items() if not name.startswith("_") and name != by
              and (shown := _shown(context, child, name, pair, titles)) is not None]
    trash = line.fields.get("_deleted_on")
    what = _("added") if line.created else _("changed") if trash is None else _("removed") if trash[1] else \
        _("brought back")
    return LineEvent(f"{bound.title if bound else line.lines} #{line.id}", what, fields, line.created)


def _shown(context: Context, table: str, name: str, pair: tuple[Any, Any], titles: Titles) -> Shown | None:
    """A changed field with both values as its widget reads them."""
    bound = bind(context.system, table, name, context.viewer.locale.language)
    if bound is None:
        return (context.text(SYSTEM_TITLES[name]), str(pair[0] or ""), str(pair[1] or "")) \
            if name in SYSTEM_TITLES else None
    if bound.field.type.is_lines:
        return bound.title, "", ""
    before, after = (value_shown(context, bound, value, titles) for value in pair)
    return bound.title, before, after


def value_shown(context: Context, bound: Bound, value: Any, titles: Titles) -> str:
    """A value in wire form as its widget reads it."""
    if value is None or value == []:
        return EMPTY
    if bound.field.type.name in ("link", "any_link"):
        ids = value if isinstance(value, list) else [value]
        return Markup(", ").join(Markup("{}").format(titles.get(one, f"#{one}") if isinstance(one, int) else str(one))
                                 for one in ids)
    try:
        typed = bound.field.type.from_wire(value, bound.field.properties)
        return widget_of(context.system, bound.field).cell(bound)({bound.path: typed}, context.viewer)
    except Exception:        # an earlier version of the field held something else: show it as it was
        return Markup("{}").format(value)


def linked_titles(context: Context, table: str, changes: Iterable[Change]) -> Titles:
    """What the linked records of some changes are called: one statement for each table."""
    model, wanted = context.system.model, list[tuple["Field", Any]]()
    for change in changes:
        lines = ((model.tables[table].lines[line.lines].target or "", line.fields) for line in change.lines)
        for owner, fields in [(table, change.fields), *lines]:
            wanted += [(found, value) for name, pair in fields.items()
                       if (found := model.field(owner, name)) is not None for value in pair]
    return titles_of(context, wanted)


def titles_of(context: Context, wanted: Iterable[tuple[Field, Any]]) -> Titles:
    """What the records are called that some values of links name; ids are of the whole system."""
    ids: dict[str, set[int]] = {}
    for field, value in wanted:
        if field.type.name in ("link", "any_link"):
            found = {one for one in (value if isinstance(value, list) else [value]) if isinstance(one, int)}
            target = field.target or ""         # of several tables, or of any: it is found out
            ids.setdefault(target, set()).update(found)
    return {int(key): title for target, some in ids.items() if some
            for key, title in form.titles_of(context, target, some).items()}


# Versions

def version(context: Context, object: str, id: int) -> Response:
    """A record as it was at one version, beside another; without saying which, the one of now."""
    only(context.request.args, ("at", "with"))
    return _versions(context, object, id, natural(context.request.args.get("at"), 0, 2**31 - 1),
                     natural(context.request.args.get("with"), 0, 2**31 - 1))


def _versions(context: Context, object: str, id: int, at: int, other: int, problem: str = "",
              status: int = 200) -> Response:
    thing = object_of(context, object)
    table = form.kind(context, thing, id)
    then = past(context.session, table, id, at)
    with_ = past(context.session, table, id, other or then.latest)
    model = context.system.model
    wanted = [(field, kept.to_wire(one.values[name])) for one in (then, with_) for name in one.values
              if (field := model.field(table, name)) is not None and (kept := _kept(context, table, name))]
    titles = titles_of(context, wanted)
    names = [name for name in model.tables[table].fields if name in then.values or name in then.strange]
    rows = [row for name in names if (row := _row(context, table, name, then, with_, titles)) is not None]
    found, trashed = _title(context, table, id)
    may = not trashed and with_.version == then.latest and "change" in context.records.rights(table, id)
    title = context.text("{title}: version {number}", title=found, number=then.version)
    crumbs = (Crumb(object_title(context, thing), f"/{object}"), Crumb(found, f"/{object}/{id}"),
              Crumb(context.text("Version {number}", number=then.version), ""))
    return render(context, "version.html", Frame(title, crumbs, thing.name), status, title=found, then=then,
                  other=with_, lines=_lines_then(context, table, id, then),
                  place=f"/{object}/{id}", rows=rows, may_restore=may, problem=problem,
                  when=moment(then.at, context.viewer) if then.at else "")


def _lines_then(context: Context, table: str, id: int, then: Past) -> list[tuple[str, list[str], list[list[str]]]]:
    """For each field with lines: its title, the titles of columns, and the cells as they were."""
    model, language, found = context.system.model, context.viewer.locale.language, []
    for name, field in model.tables[table].lines.items():
        rows = versions.lines(context.session, table, id, then, name)
        child, title = field.target or "", bind(context.system, table, name, language)
        columns = [bound for one in (rows[0] if rows else ()) if (bound := bind(context.system, child, one, language))
                   and any(row[one] not in (None, []) for row in rows) and one != "id"]
        if columns and title is not None:
            titles = titles_of(context, [(one.field, row[one.path]) for one in columns for row in rows])
            found.append((title.title, [one.title for one in columns],
                          [[value_shown(context, one, row[one.path], titles) for one in columns] for row in rows]))
    return found


def _kept(context: Context, table: str, name: str) -> Any:
    from core.ed.shape import shape
    return shape(context.system, table).kept.get(name)


def _title(context: Context, table: str, id: int) -> tuple[str, bool]:
    for trash in (False, True):
        found = context.records.read(table, [id], ["_title"], trash=trash)
        if found:
            return title_of(found[0]), trash
    raise NotFound(N_("There is no such record, or you may not see it."))


def _row(context: Context, table: str, name: str, then: Past, other: Past,
         titles: Titles) -> tuple[str, str, str, str, bool, bool] | None:
    """Name and title of a field, both values, whether they differ, and whether the older may come back."""
    bound = bind(context.system, table, name, context.viewer.locale.language)
    if bound is None:
        return None
    wire, drawn = [], []
    for one in (then, other):
        value = one.strange[name] if name in one.strange else _kept(context, table, name).to_wire(one.values.get(name))
        wire.append(value)
        drawn.append(value_shown(context, bound, value, titles))
    may = name in then.values and bound.field.readonly is not True and bound.field.formula is None \
        and not bound.field.type.is_drawn and not context.session.gate.hidden(table, name, "change")
    return name, bound.title, drawn[0], drawn[1], wire[0] != wire[1], may


def restore(context: Context, object: str, id: int) -> Response:
    """Set one field back to what it was at a version: a write like any other."""
    values = once(context.request.form)
    only(values, ("_csrf", "at", "field", "_version"))
    table = form.kind(context, object_of(context, object), id)
    at, seen = natural(values.get("at"), 0, 2**31 - 1), natural(values.get("_version"), 0, 2**31 - 1)
    name = values.get("field", "")
    then = past(context.session, table, id, at)
    if name not in then.values:
        raise BadRequest(N_("History does not have this value."), at=name[:100])
    try:
        context.records.update(table, [{"id": id, "_version": seen, name: then.values[name]}])
    except (Invalid, Denied, Conflict) as error:
        context.undo()
        said = " ".join(context.text(one.message, **one.params) for one in error.problems) \
            if isinstance(error, Invalid) else context.text(error.message, **error.params)
        status = 422 if isinstance(error, Invalid) else 409 if isinstance(error, Conflict) else 403
        return _versions(context, object, id, at, 0, said, status)
    return redirect(f"/{object}/{id}#history")


# Remarks and attachments

def remark(context: Context, object: str, id: int) -> Response:
    """Say something about a record."""
    values = once(context.request.form)
    only(values, ("_csrf", "remark"))
    beside.remark(context.session, form.kind(context, object_of(context, object), id), id, values.get("remark", ""))
    return redirect(f"/{object}/{id}#history")


def take_back(context: Context, object: str, id: int, number: int) -> Response:
    """Take a remark back."""
    beside.take_back(context.session, form.kind(context, object_of(context, object), id), id, number)
    return redirect(f"/{object}/{id}#history")


def attach(context: Context, object: str, id: int) -> Response:
    """Put a file beside a record."""
    sent = context.request.files.get("file")
    if sent is None or not sent.filename:
        raise BadRequest(N_("No file was chosen."), at="file")
    table = form.kind(context, object_of(context, object), id)
    beside.attach(context.session, table, id, Upload(sent.filename, sent.stream.read(form.UPLOAD)))
    return redirect(f"/{object}/{id}#history")


def detach(context: Context, object: str, id: int, number: int) -> Response:
    """Take a file away from a record."""
    beside.detach(context.session, form.kind(context, object_of(context, object), id), id, number)
    return redirect(f"/{object}/{id}#history")


def attached(context: Context, object: str, id: int, number: int) -> Response:
    """Send a file that is beside a record."""
    table = form.kind(context, object_of(context, object), id)
    return files.sent(beside.open_attachment(context.session, table, id, number), shown=False)


ROUTES = (
    Route("/<object>/<id:id>/history", ("GET",), show, "session", "records"),
    Route("/<object>/<id:id>/version", ("GET",), version, "session", "records"),
    Route("/<object>/<id:id>/version", ("POST",), restore, "session", "records"),
    Route("/<object>/<id:id>/remark", ("POST",), remark, "session", "records"),
    Route("/<object>/<id:id>/remark/<id:number>/remove", ("POST",), take_back, "session", "records"),
    Route("/<object>/<id:id>/attachments", ("POST",), attach, "session", "records", form.UPLOAD),
    Route("/<object>/<id:id>/attachments/<id:number>", ("GET",), attached, "session", "records"),
    Route("/<object>/<id:id>/attachments/<id:number>/remove", ("POST",), detach, "session", "records"),
)
