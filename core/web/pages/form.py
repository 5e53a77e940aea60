"""One record of a business object: read first, then edit; create, and what a refused or overtaken save shows."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from werkzeug.wrappers import Response

from core.ed.scope import visible
from core.ed.trees import above
from core.errors import BadRequest, Conflict, Denied, FieldProblem, Invalid, NotFound, RecordLocked
from core.types.base import BadValue
from core.types.characters import plain_number
from core.web import clash, form_live, form_save, former, linking, said
from core.web.binding import field_title
from core.web.context import Context
from core.web.form_draw import Sheet, standings
from core.web.form_view import FormView, form_view
from core.web.i18n import N_
from core.web.pages import locks
from core.web.pages.objects import kind_of, object_of, object_title, title_of
from core.web.pages.prefill import prefilled, values_of_new
from core.web.request import once
from core.web.response import redirect
from core.web.routing import Route
from core.web.shell import Crumb, Frame, avatar, render
from core.web.widgets.base import Entry, Posted, Record
from core.web.widgets.lines import MOST_READ

if TYPE_CHECKING:
    from core.definition.model import Object

UPLOAD = 60_000_000
MADE = ("created_on", "created_by", "changed_on", "changed_by")     # who made and changed a record, and when


@dataclass(frozen=True, slots=True)
class Place:
    """What a form's URL is about."""

    thing: Object
    table: str
    view: FormView

    def href(self, identity: int | None = None) -> str:
        """The page of the object, or of one of its records."""
        return f"/{self.thing.name}" if identity is None else f"/{self.thing.name}/{identity}"


def place_of(context: Context, thing: Object, table: str) -> Place:
    """The compiled form for records of a table under an object."""
    model = context.system.model
    named = [name for name in thing.forms if name in model.forms and model.forms[name].of == table]
    name = named[0] if named else model.form_of(table).name
    view = form_view(context.session, name, table, context.viewer.locale.language)
    return Place(thing, table, view)


def show(context: Context, object: str, id: int) -> Response:
    """A record for reading, or for editing with `?edit=1`; one in the trash offers to come back."""
    thing = object_of(context, object)
    place = place_of(context, thing, kind(context, thing, id))
    record, trashed = load(context, place, id)
    editing = context.request.args.get("edit") == "1" and not trashed \
        and "change" in context.records.rights(place.table, id)
    entries = form_save.begin(place.view, record, context.viewer) if editing else {}
    notice = said.left(context, place.href(id))
    response = draw(context, place, record, editing=editing, entries=entries, trashed=trashed, notice=notice,
                    memory=form_save.memory(place.view, entries) if editing else "")
    return said.once(context, response, notice)


def save(context: Context, object: str, id: int) -> Response:
    """Write what the user changed. Nothing typed is lost: a refusal shows the form again."""
    thing = object_of(context, object)
    place = place_of(context, thing, kind(context, thing, id))
    form = _sent(context, place)
    base = form_save.recall(form.get("_base", ""))
    sent = form_save.read(place.view, Posted(form, context.request.files), base, context.viewer, older=_older(context))
    version = _version(context)
    if sent.problems:
        return _again(context, place, id, sent, version, base)
    if not sent.changed:
        return said.saved(context, place.href(id), _gone(sent))
    try:
        written = context.records.update(place.table, [{"id": id, "_version": version, **sent.values}])
    except Invalid as error:
        context.undo()
        form_save.place_problems(sent, error.problems, place.view, context.viewer)
        return _again(context, place, id, sent, version, base)
    except Conflict:
        context.undo()
        return _overtaken(context, place, id, sent, base)
    except Denied as error:
        context.undo()
        sent.problems[""] = context.text(error.message, **error.params)
        return _again(context, place, id, sent, version, base, status=_refused(error))
    return said.saved(context, place.href(id), [*_gone(sent), *written.warnings])


def _sent(context: Context, place: Place) -> Any:
    """The form that was sent, in the names of now. Raises BadRequest for what comes twice."""
    former.read_form(context, place.table)
    once(context.request.form, _plural_keys(place.view, context.request.form))
    return context.request.form


def _older(context: Context) -> bool:
    """Whether the form was opened under another version than the one that is live."""
    model = plain_number(context.request.form.get("_model", ""), 18)
    return model is not None and model != context.version


def _gone(sent: form_save.Sent) -> list[FieldProblem]:
    """What is told of values whose field is gone since the form was opened."""
    return [FieldProblem("", "gone", N_("“{name}” is there no more; what was entered was not saved: {value}"),
                         {"name": name, "value": ", ".join(texts)[:200]}) for name, texts in sent.gone.items()]


def _told_gone(context: Context, sent: form_save.Sent) -> str:
    return "\n".join(context.text(one.message, **one.params) for one in _gone(sent))


def _refused(error: Denied) -> int:
    """Locked is a matter of the record, not of rights."""
    return 409 if isinstance(error, RecordLocked) else 403


def _version(context: Context) -> int:
    """The version of the record that the form was opened on; raises BadRequest."""
    version = plain_number(context.request.form.get("_version", ""), 9)
    if version is None:
        raise BadRequest(N_("The form does not say which version of the record it was opened on."))
    return version


def start(context: Context, object: str) -> Response:
    """An empty form with its defaults; for a base table first the question which kind it is."""
    thing = object_of(context, object)
    table = new_kind(context, thing)
    if table is None:
        return _choose_kind(context, thing)
    place = place_of(context, thing, table)
    record = prefilled(context, place.thing, table, place.view)
    entries = form_save.begin(place.view, record, context.viewer)
    return draw(context, place, record, editing=True, creating=True, entries=entries,
                memory=form_save.suggested_memory(place.view, entries))


def create(context: Context, object: str) -> Response:
    """Create a record from the form."""
    thing = object_of(context, object)
    table = new_kind(context, thing)
    if table is None:
        raise BadRequest(N_("Choose what to create."))
    place = place_of(context, thing, table)
    form = _sent(context, place)
    sent = form_save.read(place.view, Posted(form, context.request.files), None, context.viewer, older=_older(context))
    record = values_of_new(context, thing, table, place.view)
    status = 422
    if not sent.problems:
        began = form_save.recall(form.get("_base", ""))
        # What was empty and stays empty is not said; what had a default and was emptied is.
        shown = {key: value for key, value in sent.values.items()
                 if value not in (None, []) or record.get(key) not in (None, []) or began.get(key)}
        for key in form_save.untouched(place.view, sent, form.get("_base", ""), form_live.typed(context)):
            shown.pop(key, None)                            # as it was suggested at the start: suggested again
        try:
            created = context.records.create(table, [{**_given(context, thing, place.view), **shown}])
            return said.saved(context, place.href(created[0]), [*_gone(sent), *created.warnings])
        except Invalid as error:
            context.undo()
            form_save.place_problems(sent, error.problems, place.view, context.viewer)
        except Denied as error:
            context.undo()
            sent.problems[""], status = context.text(error.message, **error.params), _refused(error)
    record = prefilled(context, thing, table, place.view)
    entries = _with_titles(context, place.view, {**form_save.begin(place.view, record, context.viewer), **sent.entries})
    return draw(context, place, record, editing=True, creating=True, entries=entries, problems=sent.problems,
                status=status, memory=form.get("_base", "")[:100_000], notice=_told_gone(context, sent))


def remove(context: Context, object: str, id: int) -> Response:
    """Move a record to the trash."""
    thing = object_of(context, object)
    table = kind(context, thing, id)
    version = _version(context)
    try:
        context.records.delete(table, {id: version})
    except (Invalid, Conflict, Denied) as error:
        context.undo()
        place = place_of(context, thing, table)
        record, trashed = load(context, place, id)
        match error:
            case Invalid():
                words = "\n".join(context.text(one.message, **one.params) for one in error.problems)
            case Conflict():
                words = context.text("Somebody changed this record meanwhile. Look at it again before you delete it.")
            case Denied():
                words = context.text(error.message, **error.params)
        status = 422 if isinstance(error, Invalid) else 409 if isinstance(error, Conflict) else _refused(error)
        return draw(context, place, record, editing=False, trashed=trashed, problems={"": words}, status=status)
    return redirect(f"/{thing.name}?deleted={id}")


def restore(context: Context, object: str, id: int) -> Response:
    """Bring a record back from the trash, with what went there with it; what is in the way is said on its page."""
    thing = object_of(context, object)
    table = kind(context, thing, id)
    try:
        context.records.restore(table, [id])
    except (Invalid, Denied) as error:
        context.undo()
        place = place_of(context, thing, table)
        record, trashed = load(context, place, id)
        words = context.text(error.message, **error.params) if isinstance(error, Denied) else "\n".join(
            _at_field(context, table, one) for one in error.problems)
        return draw(context, place, record, editing=False, trashed=trashed, problems={"": words},
                    status=403 if isinstance(error, Denied) else 422)
    return redirect(f"/{thing.name}/{id}")


def _at_field(context: Context, table: str, problem: FieldProblem) -> str:
    """A problem with the title of its field before it."""
    field, said = context.system.model.field(table, problem.field), context.text(problem.message, **problem.params)
    if field is None:
        return said
    return f"{field_title(context.system.model, field, context.viewer.locale.language)}: {said}"


def load(context: Context, place: Place, identity: int) -> tuple[Record, bool]:
    """Read a record with all that its form shows, and whether it is in the trash. Raises NotFound."""
    gate = context.session.gate
    fields = [*place.view.names, "_title", *(name for name in MADE if visible(gate, place.table, name))]
    for trash in (False, True):
        found = context.records.read(place.table, [identity], fields, trash=trash, most_lines=MOST_READ + 1)
        if found:
            return found[0], trash
    raise NotFound(N_("There is no such record, or you may not see it."))


def draw(context: Context, place: Place, record: Record, *, editing: bool, creating: bool = False,
         trashed: bool = False, entries: Mapping[str, Entry] | None = None,
         problems: Mapping[str, str] | None = None, clashes: Mapping[str, clash.Clash] | None = None, memory: str = "",
         status: int = 200, notice: str = "") -> Response:
    """Draw the page of a record."""
    _ = context.text
    model, table = context.system.model, context.system.model.tables[place.table]
    language = context.viewer.locale.language
    kind_title = model.text(f"table {table.name}.title", language) or table.title
    title = _("New: {kind}", kind=kind_title) if creating else title_of(record)
    identity = None if creating else int(record["id"])
    lock = None if identity is None else locks.banner(context, place.table, identity)
    shut = lock is not None and lock.closed
    fixed = _unchangeable(context, place, creating)
    if lock is not None and lock.closed and not problems:           # else what was typed stays where it can be copied
        fixed |= {one.key for one in place.view.fields if one.key not in lock.fields}
        editing = editing and bool(lock.fields)
    values = current_values(place.view, record, entries or {}, context)
    sheet = Sheet(place.view, context.viewer, record, editing, creating,
                  standings(place.view, values, context.session.environment, fixed),
                  entries or {}, problems or {}, clashes or {})
    way = above(context.session, place.table, identity) if identity is not None and not trashed else ()
    crumbs = (Crumb(object_title(context, place.thing), place.href()),
              *(Crumb(one.title, place.href(one.id)) for one in way), Crumb(title, place.href(identity)))
    rights = frozenset() if identity is None else context.records.rights(place.table, identity)
    return render(
        context, "form.html", Frame(title, crumbs, place.thing.name), status,
        sheet=sheet, body=sheet.draw(), title=title, kind_title=kind_title, record=record, place=place,
        avatar=avatar("+" if creating else title, "is-large"), editing=editing, creating=creating, trashed=trashed,
        identity=identity, memory=memory, typed=" ".join(sorted(form_live.typed(context))),
        notice=notice, original=clash.memory(clashes) if clashes else "",
        top=(problems or {}).get("", ""), first=sheet.first_problem(), count=len(problems or {}),
        may_change="change" in rights and not trashed and not (lock is not None and shut and not lock.fields),
        may_delete="delete" in rights and not shut, lock=lock,
        may_create=context.records.may(place.table, "create"), multipart=place.view.files,
        kind=place.table if model.tables[place.thing.of].kinds else "",
        action=f"{place.href()}/new" if creating else place.href(identity))


def _again(context: Context, place: Place, identity: int, sent: form_save.Sent, version: int,
           base: Mapping[str, Any], status: int = 422) -> Response:
    """The form once more, with what was typed and what is wrong with it."""
    record, trashed = load(context, place, identity)
    began = form_save.begin(place.view, record, context.viewer)
    typed = {key: entry for key, entry in sent.entries.items()          # what stands as it did has its title already
             if not (entry.texts and key in began and entry == Entry(began[key].texts))}
    entries = _with_titles(context, place.view, {**began, **typed})
    return draw(context, place, {**record, "_version": version}, editing=True, trashed=trashed, entries=entries,
                problems=sent.problems, status=status, memory=json.dumps(base, ensure_ascii=False),
                notice=_told_gone(context, sent))


def _overtaken(context: Context, place: Place, identity: int, sent: form_save.Sent,
               base: Mapping[str, Any]) -> Response:
    """Somebody saved in between: their values where the user changed nothing, a choice where both changed one."""
    record, trashed = load(context, place, identity)
    now = form_save.begin(place.view, record, context.viewer)
    mine = _with_titles(context, place.view, sent.entries)
    before = _with_titles(context, place.view, {key: Entry(tuple(map(str, texts))) for key, texts in base.items()
                                                if isinstance(texts, list)})
    entries, clashes = {}, {}
    for one in place.view.fields:
        if one.key not in now:
            continue
        entries[one.key] = now[one.key]
        if one.key in sent.changed and one.key in mine:
            entries[one.key] = mine[one.key]
            if base.get(one.key) != form_save.signature(one, now[one.key]):
                clashes[one.key] = clash.Clash(mine[one.key], record, before.get(one.key))
    notice = context.text("Somebody else saved this record while you were editing it. Your changes are still here: "
                          "look at them beside the new values, then save again.")
    return draw(context, place, record, editing=True, trashed=trashed, entries=entries, clashes=clashes,
                memory=form_save.memory(place.view, now), status=409,
                notice="\n".join(filter(None, (notice, _told_gone(context, sent)))))


def _with_titles(context: Context, view: FormView, entries: Mapping[str, Entry]) -> dict[str, Entry]:
    """Give the links of a form that came back their titles again: one statement for each table."""
    wanted: dict[str, set[int]] = {}
    for one in view.fields:
        entry = entries.get(one.key)
        if one.bound.field.type.is_link and entry \
                and len(entry.titles) < len(entry.texts):
            wanted.setdefault(one.bound.field.target or "", set()).update(
                id for text in entry.texts if (id := plain_number(text)) is not None)
    titles = {table: titles_of(context, table, ids) for table, ids in wanted.items()}
    found = dict(entries)
    for one in view.fields:
        entry, known = found.get(one.key), titles.get(one.bound.field.target or "")
        if entry and known is not None and entry.texts and len(entry.titles) < len(entry.texts):
            found[one.key] = Entry(entry.texts, tuple(known.get(text, f"#{text}") for text in entry.texts))
    return found


def titles_of(context: Context, table: str, ids: set[int]) -> dict[str, str]:
    """What some records are called, as far as this user may read them."""
    return linking.titles(context, table, ids) if ids else {}


def current_values(view: FormView, record: Record, entries: Mapping[str, Entry], context: Context) -> dict[str, Any]:
    """The values that conditions look at: the record's, with what stands in the form over them."""
    values = dict(record)
    for one in view.fields:
        entry = entries.get(one.key)
        kind = one.bound.field.type
        if entry is not None and kind.name != "lines" and not kind.is_file and "." not in one.key:
            try:
                values[one.key] = one.widget.value(one.bound, entry, context.viewer)
            except BadValue:
                continue
    return values


def _unchangeable(context: Context, place: Place, creating: bool) -> frozenset[str]:
    """The fields that this user may change in no record, or not set in a new one."""
    gate, source = context.session.gate, context.system.stored(place.table).table
    own = [one.key for one in place.view.fields if "." not in one.key]
    if creating:
        return frozenset(key for key in own if gate.given(place.table, key, source) is False)
    return frozenset(key for key in own if gate.hidden(place.table, key, "change"))


def _plural_keys(view: FormView, form: Any) -> frozenset[str]:
    """The keys that may come more than once: links and choices of which there may be several."""
    plural = {one.key for one in view.fields if one.bound.field.many or one.bound.field.type.is_through}
    plural |= {key for key in form if key.count(".") == 2}
    return frozenset(plural)


def kind(context: Context, thing: Object, identity: int) -> str:
    """The table of a record under an object, in the trash or not. Raises NotFound."""
    if not context.system.model.tables[thing.of].kinds:
        return thing.of
    try:
        return kind_of(context, thing.of, identity)
    except NotFound:
        return kind_of(context, thing.of, identity, trash=True)


def new_kind(context: Context, thing: Object) -> str | None:
    """The table of a new record; None if the object stands on a base and no kind is chosen yet."""
    kinds = creatable(context, thing)
    if not kinds:
        raise Denied(N_("You may not create records here."))
    wanted = context.request.values.get("_kind", "")
    if wanted:
        if wanted not in kinds:
            raise NotFound(N_("There is no such kind of record."))
        return wanted
    return kinds[0] if len(kinds) == 1 and not context.system.model.tables[thing.of].kinds else None


def creatable(context: Context, thing: Object) -> list[str]:
    """The tables whose records may be created under an object."""
    table = context.system.model.tables[thing.of]
    own = [] if table.abstract else [table.name]
    return [name for name in [*own, *table.kinds] if context.records.may(name, "create")]


def _choose_kind(context: Context, thing: Object) -> Response:
    title = object_title(context, thing)
    kinds = [(context.system.model.text(f"table {name}.title", context.viewer.locale.language), name)
             for name in creatable(context, thing)]
    return render(context, "kinds.html", Frame(context.text("New"), (Crumb(title, f"/{thing.name}"),), thing.name),
                  kinds=kinds, thing=thing, title=title)


def _given(context: Context, thing: Object, view: FormView) -> dict[str, Any]:
    """What an object gives every record made under it, where the form does not show it."""
    from core.web.pages.prefill import object_values
    shown = {one.key for one in view.fields if not one.fixed}
    return {key: value for key, value in object_values(context, thing).items() if key not in shown}


ROUTES = (
    Route("/<object>/<id:id>", ("GET",), show, "session", "records"),
    Route("/<object>/<id:id>", ("POST",), save, "session", "records", UPLOAD),
    Route("/<object>/new", ("GET",), start, "session", "records"),
    Route("/<object>/new", ("POST",), create, "session", "records", UPLOAD),
    Route("/<object>/<id:id>/delete", ("POST",), remove, "session", "records"),
    Route("/<object>/<id:id>/restore", ("POST",), restore, "session", "records"),
)
