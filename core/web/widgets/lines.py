"""Lines: a table in the form; each cell is drawn by its own type's widget, rows are added and removed in place."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar
from urllib.parse import urlencode

from markupsafe import Markup, escape

from core.types.base import BadValue
from core.types.characters import plain_number
from core.web.context import Viewer
from core.web.html import Piece, join
from core.web.i18n import N_
from core.web.widgets.base import NOTHING, Bound, Control, Editor, Entry, Posted, Reader, Record, Widget

MOST_ROWS = 2_000
MOST_SHOWN = 100         # more than these are a list of their own, one click away
MOST_READ = 1_000        # more than these are not even counted on the form
NUMBER = Markup(' class="t-num"')
CELL = Markup('<td data-label="{}"{}>{{}}</td>')
ROW = Piece('<tr>{}<td class="t-narrow">{}</td></tr>')
OPENER = Piece('<a class="t-row-open" href="{}/{}" aria-label="{}"><span class="t-i-open"></span></a>')


@dataclass(frozen=True, slots=True)
class LineColumn:
    """One column: how it is read, and how it is edited unless the system works it out."""

    name: str
    bound: Bound
    widget: Widget
    cell: Reader
    editor: Editor | None
    total: bool


@dataclass(frozen=True, slots=True)
class Line:
    """One row of an edited table."""

    key: str                                # its place in the form: "0", "1" ...
    id: str
    entries: Mapping[str, Entry]
    removed: bool = False
    record: Mapping[str, Any] | None = None


def is_place(text: str) -> bool:
    """Whether a part of a control's name is the number of a line in the form."""
    return plain_number(text, 6) is not None


def columns_of(bound: Bound) -> tuple[LineColumn, ...]:
    """The columns of a lines field, worked out once: those of its list, else the first fields of its table."""
    if "columns" not in bound.memo:
        bound.memo["columns"] = _columns(bound)
    found: tuple[LineColumn, ...] = bound.memo["columns"]
    return found


def _columns(bound: Bound) -> tuple[LineColumn, ...]:
    from core.web.binding import default_columns, field_at, field_title
    model, table = bound.model, bound.field.target or ""
    back = str(getattr(bound.field.properties, "by", ""))
    listed = model.lists.get(bound.list) if bound.list else None
    listed = listed or next((found for found in model.lists.values()
                              if found.of == table and found.query is None), None)
    paths: dict[str, tuple[str | None, bool]] = dict.fromkeys(default_columns(model, table, (back,)), (None, False))
    if listed is not None:
        paths = {column.path: (column.title, column.total == "sum") for column in listed.columns.values()}
    found = []
    for path, (title, total) in paths.items():
        field = field_at(model, table, path)
        if field is None or path == back or field.type.is_lines:
            continue
        inner = replace(bound, field=field, path=path, title=title or field_title(model, field, bound.language),
                        help="", list=None, memo={})
        widget = bound.widgets.get(field.type.name) or bound.widgets["text"]
        fixed = ("." in path or field.computed or field.type.virtual or field.readonly is True
                 or field.type.is_drawn
                 or field.type.is_file)
        found.append(LineColumn(path, inner, widget, widget.cell(inner), None if fixed else widget.edit(inner), total))
    return tuple(found)


class LinesWidget(Widget):
    """The records that belong to this one."""

    name: ClassVar[str] = "lines"
    wide: ClassVar[bool] = True

    def reads(self, bound: Bound) -> tuple[str, ...]:
        inner = (path for c in columns_of(bound) for path in (*c.widget.reads(c.bound), *c.widget.needs(c.bound)))
        return (bound.path + ".id", *dict.fromkeys(f"{bound.path}.{path}" for path in inner))

    def read(self, bound: Bound) -> Reader:
        columns = columns_of(bound)
        head = join(Markup('<th scope="col"{}>{}</th>').format(
            Markup(' class="t-num"') if c.widget.numeric else NOTHING, c.bound.title) for c in columns)
        cells = [(Piece(str(CELL.format(c.bound.title, NUMBER if c.widget.numeric else NOTHING))), c.cell)
                 for c in columns]
        target = bound.field.target or ""
        base = bound.homes.get(target) or f"/-/open/{target}"
        words = bound.text("None yet"), bound.text("Open"), bound.text("Total")

        def draw(record: Record, viewer: Viewer) -> str:
            rows = record.get(bound.path)
            if not rows:
                return Markup('<p class="t-none">{}</p>').format(words[0])
            body = join(ROW(
                join([place(cell(row, viewer)) for place, cell in cells]),
                OPENER(base, row["id"], words[1]) if row.get("id") else NOTHING) for row in rows[:MOST_SHOWN])
            return Markup('<div class="t-lines-frame"><table class="table t-lines"><thead><tr>{}<th class="t-narrow">'
                          '</th></tr></thead><tbody>{}</tbody>{}</table></div>{}').format(
                head, body, _totals(columns, rows, viewer, words[2]), _rest(bound, record, rows, base))
        return draw

    def cell(self, bound: Bound) -> Reader:
        path = bound.path
        return lambda record, viewer: escape(len(record[path])) if record.get(path) else NOTHING

    def edit(self, bound: Bound) -> Editor:
        columns = columns_of(bound)
        words = {"add": bound.text("Add a line"), "remove": bound.text("Remove this line")}

        def draw(entry: Entry, control: Control, viewer: Viewer) -> str:
            head = join(Markup('<th scope="col"{}>{}</th>').format(
                Markup(' class="t-num"') if c.widget.numeric else NOTHING, c.bound.title) for c in columns)
            rows = join(_edit_row(columns, row, control, viewer, words) for row in entry.rows)
            fresh = Line("__row__", "", {})
            blank = _edit_row(columns, fresh, replace(control, problems={}), viewer, words)
            return Markup(
                '<div class="t-lines-edit" data-lines="{0}" id="{1}" tabindex="-1"><input type="hidden" name="{0}~" '
                'value="1"><div class="t-lines-frame"><table class="table t-lines is-edit"><thead><tr>{2}<th '
                'class="t-narrow"></th></tr></thead><tbody>{3}</tbody></table></div><template>{4}</template>'
                '<button type="button" class="btn btn-sm" data-add-line>{5}</button></div>').format(
                control.name, control.id, head, rows, blank, words["add"])
        return draw

    def entry(self, bound: Bound, record: Record, viewer: Viewer) -> Entry:
        columns = [c for c in columns_of(bound) if c.editor is not None]
        rows = tuple(
            Line(str(number), str(row["id"]) if row.get("id") else "",
                 {c.name: c.widget.entry(c.bound, row, viewer) for c in columns}, record=row)
            for number, row in enumerate((record.get(bound.path) or ())[:MOST_SHOWN]))
        return Entry(rows=rows)

    def posted(self, bound: Bound, posted: Posted, key: str) -> Entry | None:
        if key + "~" not in posted.form:
            return None
        places: dict[str, None] = {}
        for name in [*posted.form, *posted.files]:
            parts = name.split(".")
            if len(parts) == 3 and parts[0] == key and is_place(parts[1]):
                places.setdefault(parts[1])
        if len(places) > MOST_ROWS:
            raise BadValue("too_many", N_("There may be {most} lines."), most=MOST_ROWS)
        return Entry(rows=tuple(_posted_row(bound, posted, f"{key}.{place}", place)
                                for place in sorted(places, key=int)))


def _posted_row(bound: Bound, posted: Posted, key: str, place: str) -> Line:
    entries = {}
    for column in columns_of(bound):
        if column.editor is not None:
            found = column.widget.posted(column.bound, posted, f"{key}.{column.name}")
            if found is not None:
                entries[column.name] = found
    return Line(place, posted.form.get(f"{key}.id", ""), entries, posted.form.get(f"{key}._delete") == "1")


def _edit_row(columns: tuple[LineColumn, ...], row: Line, control: Control, viewer: Viewer,
              words: Mapping[str, str]) -> Markup:
    cells = []
    for column in columns:
        key = f"{row.key}.{column.name}"
        problem = control.problems.get(key, "")
        if column.editor is None:
            inner: str = column.cell(row.record, viewer) if row.record else NOTHING
        else:
            identity = f"{control.id}-{row.key}-{column.name}"
            inner = column.editor(row.entries.get(column.name, Entry()), Control(
                f"{control.name}.{key}", identity, column.bound.title, column.bound.field.required is True,
                bool(problem), f"{identity}-problem" if problem else ""), viewer)
            if problem:
                inner += Markup('<div class="t-problem" id="{}-problem">{}</div>').format(identity, problem)
        cells.append(Markup('<td data-label="{}" data-col="{}"{}>{}</td>').format(
            column.bound.title, column.name, Markup(' class="t-num"') if column.widget.numeric else NOTHING, inner))
    whole = control.problems.get(row.key, "")
    note = Markup('<div class="t-problem">{}</div>').format(whole) if whole else NOTHING
    return Markup(
        '<tr{}>{}<td class="t-narrow"><input type="hidden" name="{}.{}.id" value="{}"><input type="hidden" '
        'name="{}.{}._delete" value="{}"><button type="button" class="btn btn-icon btn-ghost-secondary" '
        'data-remove-line aria-label="{}" title="{}"><span class="t-i-x"></span></button>{}</td></tr>').format(
        Markup(" hidden") if row.removed else NOTHING, join(cells), control.name, row.key, row.id,
        control.name, row.key, "1" if row.removed else "", words["remove"], words["remove"], note)


def _rest(bound: Bound, record: Record, rows: Any, base: str) -> Markup:
    """The way to all lines, when only the first are shown here."""
    if len(rows) <= MOST_SHOWN or base.startswith("/-/") or "id" not in record:
        return NOTHING
    where = urlencode({"f": "", "where": f"{getattr(bound.field.properties, 'by', '')} == {record['id']}"})
    return Markup('<p class="t-none"><a href="{}?{}">{}</a></p>').format(
        base, where, bound.text("Show all {count}", count=counted(rows)))


def counted(rows: Collection[Any]) -> str:
    """How many lines there are, as far as they were read."""
    return f"{MOST_READ:,}+" if len(rows) > MOST_READ else f"{len(rows):,}"


def _totals(columns: tuple[LineColumn, ...], rows: Any, viewer: Viewer, word: str) -> Markup:
    if not any(c.total for c in columns) or not 2 <= len(rows) <= MOST_READ:
        return NOTHING
    cells = []
    for number, column in enumerate(columns):
        if column.total:
            values = [row[column.name] for row in rows if row.get(column.name) is not None]
            cells.append(Markup('<td class="t-num" data-label="{}">{}</td>').format(
                column.bound.title, column.cell({column.name: sum(values)}, viewer) if values else NOTHING))
        else:
            cells.append(Markup("<td>{}</td>").format(word if number == 0 else NOTHING))
    return Markup("<tfoot><tr>{}<td></td></tr></tfoot>").format(join(cells))
