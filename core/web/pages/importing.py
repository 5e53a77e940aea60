"""Importing a file into a list: see how it is understood, say which column is which field, watch it, take it back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from werkzeug.wrappers import Response

from core.ed import import_job, staging, table_file
from core.ed import mapping as mappings
from core.ed.files import FileStore, Upload
from core.ed.import_job import FOLDER, Progress
from core.ed.mapping import ImportMapping
from core.ed.titles import PLACE
from core.errors import Denied, NotFound, Refused
from core.web import former
from core.web.binding import field_title
from core.web.context import Context
from core.web.i18n import N_
from core.web.pages.objects import object_of, object_title
from core.web.request import natural, once, only
from core.web.response import download, redirect
from core.web.routing import Route
from core.web.shell import Crumb, Frame, render

if TYPE_CHECKING:
    from core.definition.model import Field, Object, Table
    from core.ed.table_file import TableFile

MOST_BYTES = 100_000_000
SHOWN = 3
WIDEST = 60
MATCHED = frozenset(("text", "email", "sequence", "phone", "url", "integer"))


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the file: what stands in its first rows, and the field that it goes to."""

    key: str
    name: str
    cells: Sequence[str]
    field: str


def ask(context: Context, object: str) -> Response:
    """The page that takes a file."""
    return _ask(context, _thing(context, object), "", 200)


def send(context: Context, object: str) -> Response:
    """Keep a file for its import; one that cannot be read is refused, saying where."""
    thing = _thing(context, object)
    only(once(context.request.form), ("_csrf", "csrf"))
    sent = context.request.files.get("file")
    content = sent.stream.read(MOST_BYTES + 1) if sent is not None else b""
    if sent is None or not content:
        return _ask(context, thing, context.text(N_("Choose a file.")), 400)
    try:
        table_file.read(content, sent.filename or "file")
    except Refused as refused:
        return _ask(context, thing, str(refused), 400)
    found = staging.stage(context.session, Upload(sent.filename or "file", content))
    return redirect(f"/{thing.name}/import/{found.id}")


def show(context: Context, object: str, upload: int) -> Response:
    """How a file is understood, or how far its import is."""
    thing = _thing(context, object)
    file = _file(context, upload)
    progress = import_job.latest(context.connection, file, thing.of, context.session.user.user_id)
    arguments = context.request.args
    waiting = "begun" in arguments and (progress is None or progress.id <= natural(arguments["begun"], 0, 2**62))
    if progress is not None and progress.state != "refused" and "again" not in arguments and not waiting:
        if "taking" in arguments and progress.state == "done":
            progress = replace(progress, state="reverting")          # the worker has not begun yet
        return _draw(context, thing, file, upload, {}, "", progress=progress)
    refused = progress is not None and progress.state == "refused" and not waiting
    problem = (progress.error or "") if progress is not None and refused else ""
    return _draw(context, thing, file, upload, guess(context, thing, file.header), "", problem=problem, waiting=waiting)


def begin(context: Context, object: str, upload: int) -> Response:
    """Put the import into the queue, if its mapping fits."""
    thing = _thing(context, object)
    file = _file(context, upload)
    form = once(context.request.form)
    keys = {f"c{place}": column for place, column in enumerate(file.header)}
    only(form, ("_csrf", "csrf", "match", *keys))
    chosen = {column: former.field(context, thing.of, form.get(key, "")) for key, column in keys.items()}
    match = former.field(context, thing.of, form.get("match", ""))
    mapping, problems = _mapping(context, thing, file, chosen, match)
    if mapping is None or problems:
        return _draw(context, thing, file, upload, chosen, match, problem="\n".join(problems), status=400)
    user = int(context.session.user.user_id or 0)
    before = import_job.latest(context.connection, file, thing.of, user)
    import_job.begin(context.connection, upload, thing.of, user, mapping)
    return redirect(f"/{thing.name}/import/{upload}?begun={before.id if before else 0}")


def revert(context: Context, object: str, upload: int) -> Response:
    """Have an import taken back."""
    thing = _thing(context, object)
    only(once(context.request.form), ("_csrf", "csrf"))
    user = context.session.user.user_id
    progress = import_job.latest(context.connection, _file(context, upload), thing.of, user)
    if progress is None or progress.state not in ("done", "reverting") or user is None:
        raise NotFound(N_("There is no such import of yours."))
    import_job.begin_revert(context.connection, progress.id, user)
    return redirect(f"/{thing.name}/import/{upload}?taking=1")


def errors(context: Context, object: str, upload: int) -> Response:
    """The rows that failed, with their reasons."""
    thing = _thing(context, object)
    progress = import_job.latest(context.connection, _file(context, upload), thing.of, context.session.user.user_id)
    folder = context.settings.home / FOLDER
    found = next(iter(folder.glob(f"{progress.id}-*.errors.csv")), None) if progress is not None else None
    if found is None:
        raise NotFound(N_("There is no such import of yours."))
    return download(found.read_bytes(), found.name)


def guess(context: Context, thing: Object, header: Iterable[str]) -> dict[str, str]:
    """The field of each column, where its name says it: as the field is called, or as people call it."""
    known: dict[str, str] = {}
    for name, title in fields(context, thing):
        known |= {title.casefold(): name, name.casefold(): name}
    found: dict[str, str] = {}
    for column in header:
        name = known.get(column.casefold(), known.get(column.partition(".")[0].casefold(), ""))
        found[column] = "" if name in found.values() else name
    return found


def fields(context: Context, thing: Object) -> list[tuple[str, str]]:
    """The fields that a file can fill, with what they are called."""
    table, language = _table(context, thing), context.viewer.locale.language
    readable = set(context.records.readable(table.name))
    return [(name, field_title(context.system.model, field, language)) for name, field in table.fields.items()
            if name in readable and not field.virtual and not field.computed and not field.type.is_file]


def _mapping(context: Context, thing: Object, file: TableFile, chosen: Mapping[str, str],
             match: str) -> tuple[ImportMapping | None, list[str]]:
    """What was chosen as a mapping, and what does not fit."""
    model, table = context.system.model, _table(context, thing)
    offered = {name for name, _ in fields(context, thing)}
    taken = [name for name in chosen.values() if name]
    if not taken:
        return None, [context.text(N_("Choose a field for at least one column."))]
    if len(set(taken)) < len(taken) or not offered.issuperset(taken) or (match and match not in taken):
        return None, [context.text(N_("Each field can have one column, and records are found by one of the chosen."))]
    sources = {name: {"column": column, **_by(context, table.fields[name], column)}
               for column, name in chosen.items() if name}
    body: dict[str, Any] = {
        "import": table.name, "match": [match] if match else [], "fields": sources,
        "ignore": [column for column, name in chosen.items() if not name and column not in table_file.OWN_COLUMNS]}
    if not file.is_json and file.encoding != "XLSX":
        body |= {"encoding": file.encoding, "delimiter": file.delimiter}
    mapping = ImportMapping.model_validate(body)
    return mapping, mappings.check(mapping, model, table, file.header)


def _by(context: Context, field: Field, column: str) -> dict[str, str]:
    """How a link is found: by the field that the column names, else by what its records are called."""
    target = context.system.model.tables.get(field.target or "") if field.type.name == "link" else None
    if target is None:
        return {}
    named = column.partition(".")[2]
    place = PLACE.fullmatch(target.display)
    return {"by": named} if named in target.fields else {"by": place[1]} if place and place[1] in target.fields else {}


def _thing(context: Context, name: str) -> Object:
    thing = object_of(context, name)
    if _table(context, thing).abstract or not context.records.may(thing.of, "create"):
        raise Denied(N_("You may not import records here."))
    return thing


def _table(context: Context, thing: Object) -> Table:
    return context.system.model.tables[thing.of]


def _file(context: Context, upload: int) -> TableFile:
    files = context.session.files or FileStore(context.settings.home / "files")
    found = import_job.staged(context.connection, files, upload, context.session.user.user_id)
    if found is None:
        raise NotFound(N_("There is no such import of yours."))
    return table_file.read(found[1], found[0])


def _ask(context: Context, thing: Object, problem: str, status: int) -> Response:
    return render(context, "import.html", _frame(context, thing), status, thing=thing, file=None, problem=problem)


def _draw(context: Context, thing: Object, file: TableFile, upload: int, chosen: Mapping[str, str], match: str, *,
          problem: str = "", progress: Progress | None = None, waiting: bool = False, status: int = 200) -> Response:
    columns = [Column(f"c{place}", column, [_short(row.cells[place]) for row in file.rows[:SHOWN]
                                            if place < len(row.cells)], chosen.get(column, ""))
               for place, column in enumerate(file.header)]
    offered = fields(context, thing)
    table = _table(context, thing)
    return render(context, "import.html", _frame(context, thing), status, thing=thing, file=file, upload=upload,
                  columns=columns, fields=offered, match=match, problem=problem, progress=progress, waiting=waiting,
                  matches=[(name, title) for name, title in offered if table.fields[name].type.name in MATCHED],
                  ragged=sum(bool(row.problem) for row in file.rows))


def _short(cell: str) -> str:
    return cell if len(cell) <= WIDEST else cell[:WIDEST - 1] + "…"


def _frame(context: Context, thing: Object) -> Frame:
    title = context.text(N_("Import"))
    return Frame(title, (Crumb(object_title(context, thing), f"/{thing.name}"), Crumb(title, "")), thing.name)


ROUTES = (
    Route("/<object>/import", ("GET",), ask, "session", "records"),
    Route("/<object>/import", ("POST",), send, "session", "records", body=MOST_BYTES),
    Route("/<object>/import/<id:upload>", ("GET",), show, "session", "records"),
    Route("/<object>/import/<id:upload>", ("POST",), begin, "session", "records"),
    Route("/<object>/import/<id:upload>/revert", ("POST",), revert, "session", "records"),
    Route("/<object>/import/<id:upload>/errors", ("GET",), errors, "session", "records"),
)
