"""What a caller wants written, brought to normal form, with every problem found at once."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from core.definition.stored import checked
from core.ed.files import Claim, Upload, check_upload, sniff
from core.errors import N_, BadRequest, FieldProblem, Invalid
from core.expression import ExpressionError
from core.types.base import BadValue
from core.types.link import Edits

if TYPE_CHECKING:
    from core.definition.model import Field, Model, Table
    from core.expression import Scope

SYSTEM_KEYS = frozenset({"id", "_version", "_delete", "_type", "_deleted_on", "created_on", "created_by",
                         "changed_on", "changed_by"})
LARGEST_ID = 2**63 - 1
MOST_ROWS = 2_000
MOST_LINES = 2_000
MOST_PROBLEMS = 500
DEEPEST = 6                                # lines within lines
REPEATED = N_("The record {id} is named twice.")


@dataclass(slots=True, eq=False)
class Row:
    """One record to write: what the caller gave, in normal form, and what is known of the record."""

    index: int                                     # its place in the caller's list
    body: Mapping[str, Any]                        # as it was sent
    path: str = ""                                 # where it stands in its own record: "" or "lines.2."
    parent: Row | None = None                      # the record whose line it is
    id: int | None = None
    version: int | None = None
    remove: bool = False
    touched: bool = False                          # a line of it is written, and so it gets a new version
    given: set[str] = field(default_factory=set)   # the fields that the caller named
    values: dict[str, Any] = field(default_factory=dict)         # of a new record: all; else what changes
    old: Mapping[str, Any] | None = None           # the record as it is stored; None for a new one
    stored: Mapping[str, Any] = field(default_factory=dict)      # the same as database values by column
    lines: dict[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    links: dict[str, list[int] | Edits] = field(default_factory=dict)          # of links through a table between

    def now(self, name: str) -> Any:
        """The value of a field as it will be stored."""
        return self.values[name] if name in self.values else (self.old or {}).get(name)


class Parsed(dict[str, Any]):
    """A record to write whose values come from their types' `parse`, and so are in normal form already."""


class Problems:
    """Collects what is wrong with the rows of one request, to be raised together."""

    def __init__(self) -> None:
        self.found: list[FieldProblem] = []

    def add(self, row: Row, name: str, code: str, message: str, /, **params: object) -> None:
        """Note that a value of a row is wrong; `name` is "" for the row itself. Raises Invalid when it is too much."""
        path = row.path + name if name else row.path.rstrip(".")
        self.found.append(FieldProblem(path, code, message, params, row.index))
        if len(self.found) >= MOST_PROBLEMS:       # who sends so much that is wrong does not read it all
            self.stop()

    def stop(self) -> None:
        """Raise Invalid if anything was found."""
        if self.found:
            raise Invalid(self.found)


def open_rows(bodies: object, problems: Problems, *, creating: bool,
              parent: Row | None = None, name: str = "") -> list[Row]:
    """Read id, version and `_delete` of each row; its values come later, when its kind is known."""
    if not isinstance(bodies, Sequence) or isinstance(bodies, (str, bytes)):
        raise BadRequest("A list of records is expected.")
    if parent is not None and parent.path.count(".") >= 2 * DEEPEST:
        raise BadRequest("Lines may stand in lines at most {most} deep.", parent.path[:100], most=DEEPEST)
    if len(bodies) > MOST_ROWS:
        raise BadRequest("At most {most} records can be written at once.", most=MOST_ROWS)
    rows = []
    seen: set[int] = set()
    for number, body in enumerate(bodies):
        if not isinstance(body, Mapping):
            raise BadRequest("A record is an object of fields.", str(number))
        if parent is None:
            row = Row(number, body)
        else:
            row = Row(parent.index, body, f"{parent.path}{name}.{number}.", parent)
        _open_row(row, problems, creating=creating)
        if row.id is not None and row.id in seen:
            problems.add(row, "id", "repeated", REPEATED, id=row.id)
        if row.id is not None:
            seen.add(row.id)
        rows.append(row)
    return rows


def _open_row(row: Row, problems: Problems, *, creating: bool) -> None:
    line = row.parent is not None
    given = row.body.get("id")
    if given is not None and (line or not creating):
        row.id = _identity(row, "id", given, problems)
        if line and creating:
            problems.add(row, "id", "line", "A new record has no lines yet.")
    elif not creating and not line:
        problems.add(row, "id", "missing", "Say which record is meant by its id.")
    if not creating and row.body.get("_version") is not None:
        row.version = _identity(row, "_version", row.body["_version"], problems)
    if line and "_delete" in row.body:
        if not isinstance(row.body["_delete"], bool):
            problems.add(row, "_delete", "boolean", "Expected true or false.")
        row.remove = row.body["_delete"] is True
        if row.remove and given is None:
            problems.add(row, "id", "missing", "A line that is removed needs its id.")


def _identity(row: Row, name: str, value: object, problems: Problems) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= LARGEST_ID:
        problems.add(row, name, "integer", "Expected a whole number greater than zero.")
        return None
    return value


@dataclass(frozen=True, slots=True)
class Reader:
    """Brings the values of rows of one Model to normal form.

    `trusted` is core's own work and imports of administrators;
    `sees` tells whether the writer may read a field at all: one that is neither seen nor written is as unknown as none.
    """

    model: Model
    problems: Problems
    trusted: bool = False
    sees: Callable[[str, str], bool] = lambda table, field: True
    scope: Callable[[str], Scope] | None = None        # of expressions that the writer keeps in a record

    def fill(self, table: Table, row: Row, by: str | None = None, closed: Collection[str] = ()) -> None:
        """Take a row's values from its body; `by` is the link to its parent, which is filled in for it.

        What is sent for `closed` fields is not even looked at: whether it fits would tell of what may be hidden.
        """
        plain = table.plain
        for key, value in row.body.items():
            if key in plain and key not in closed and key != by:
                self._plain(row, plain[key], value)
                continue
            if key in SYSTEM_KEYS:
                self._system_key(row, key)
                continue
            field_ = table.fields.get(key) if isinstance(key, str) else None
            if field_ is None or (self._is_shut(field_, closed) and not self.sees(table.name, key)):
                self.problems.add(row, str(key)[:100], "unknown", "There is no such field.")
                continue
            row.given.add(key)
            if key in closed:
                self.problems.add(row, key, "not_writable", "You may not set this field.")
            elif key == by:
                if value is not None and (row.parent is None or value != row.parent.id):
                    self.problems.add(row, key, "parent", "It belongs to the record it is written in.")
            elif field_.type.virtual:
                (self._links if field_.type.is_through else self._lines)(row, field_, value)
            elif field_.computed:
                self.problems.add(row, key, "computed", "This is worked out and cannot be set.")
            elif field_.type.is_drawn and not self.trusted:
                self.problems.add(row, key, "computed", "This number is given by the system.")
            elif field_.readonly is True and not self.trusted:
                self.problems.add(row, key, "readonly", "This cannot be changed.")
            else:
                self._value(row, field_, value)

    def _plain(self, row: Row, field_: Field, value: Any) -> None:
        row.given.add(field_.name)
        try:
            parsed = isinstance(row.body, Parsed)
            row.values[field_.name] = value if parsed else field_.type.validate(value, field_.properties)
        except BadValue as bad:
            self.problems.add(row, field_.name, bad.code, bad.message, **bad.params)

    @staticmethod
    def _is_shut(field_: Field, closed: Collection[str]) -> bool:
        """Whether nothing that this writer sends for a field is taken."""
        return (field_.name in closed or field_.formula is not None or field_.readonly is True
                or field_.type.is_drawn or field_.type.is_through)

    def _system_key(self, row: Row, key: str) -> None:
        line = row.parent is not None
        if (key == "_delete" and line) or (key in ("id", "_version") and (line or row.old is not None)):
            return
        self.problems.add(row, key, "system", "This is kept by the system and cannot be set.")

    def _lines(self, row: Row, field_: Field, value: object) -> None:
        key = field_.name
        if value is None:
            return
        if not isinstance(value, Sequence) or isinstance(value, (str, bytes)) or any(
                not isinstance(line, Mapping) for line in value):
            self.problems.add(row, key, "lines", "Expected a list of lines.")
        elif len(value) > MOST_LINES:
            self.problems.add(row, key, "lines", "At most {most} lines can be written at once.", most=MOST_LINES)
        else:
            row.lines[key] = value

    def _links(self, row: Row, field_: Field, value: object) -> None:
        if field_.readonly is True and not self.trusted:
            self.problems.add(row, field_.name, "readonly", "This cannot be changed.")
            return
        try:
            row.links[field_.name] = field_.type.validate(value, field_.properties) or []
        except BadValue as bad:
            self.problems.add(row, field_.name, bad.code, bad.message, **bad.params)

    def _value(self, row: Row, field_: Field, value: Any) -> None:
        if field_.type.is_file:
            self._file(row, field_, value)
            return
        try:
            normal = field_.type.validate(value, field_.properties)
        except BadValue as bad:
            self.problems.add(row, field_.name, bad.code, bad.message, **bad.params)
            return
        if field_.expression_type.name == "choice" and normal is not None:
            self._choice(row, field_, normal, (row.old or {}).get(field_.name))
        if isinstance(normal, Edits):
            normal = normal.applied((row.old or {}).get(field_.name))
        if field_.type.name == "expression" and normal is not None:
            normal = self._expression(row, field_, normal)
        row.values[field_.name] = normal

    def _expression(self, row: Row, field_: Field, source: str) -> str:
        """A stored expression with the names of now; what is wrong with it is noted with its column."""
        scope = self.scope(field_.properties.on) if self.scope is not None else None    # type: ignore[attr-defined]
        try:
            return checked(self.model, field_, source, scope).source
        except ExpressionError as error:
            self.problems.add(row, field_.name, "expression", "Column {column}: {problem}", column=error.column,
                              problem=error.words)
            return source

    def _file(self, row: Row, field_: Field, value: Any) -> None:
        """A file comes as its bytes, or as an id: of the file that stands there, or of one that may be claimed."""
        if isinstance(value, Upload):
            code, message, params = check_upload(value, field_.properties)
            if code:
                self.problems.add(row, field_.name, code, message, **params)
            else:
                self._look(row, field_, value)
            row.values[field_.name] = value
        elif value is None or value == "":
            row.values[field_.name] = None
        else:
            before, given = (row.old or {}).get(field_.name), getattr(value, "id", value)
            if isinstance(given, bool) or not isinstance(given, int) or not 0 < given <= LARGEST_ID:
                self.problems.add(row, field_.name, "file", "Send the file itself, or the id of an upload of yours.")
            elif before is None or given != before.id:
                row.values[field_.name] = Claim(given)

    def _look(self, row: Row, field_: Field, upload: Upload) -> None:
        """What the type of a file wants of its content."""
        kind: Any = field_.type
        try:
            kind.check(upload.content, sniff(upload.content, upload.name), field_.properties)
        except BadValue as bad:
            self.problems.add(row, field_.name, bad.code, bad.message, **bad.params)

    def _choice(self, row: Row, field_: Field, value: Any, before: Any) -> None:
        known = self.model.choices[field_.expression_type.of or ""].values
        kept = _as_list(before)
        for one in _as_list(value):
            if one not in known:
                self.problems.add(row, field_.name, "choice", "{value} is not one of the choices.", value=one)
            elif known[one].retired and one not in kept and not self.trusted:
                self.problems.add(row, field_.name, "retired", "{value} is no longer offered.", value=one)


def _as_list(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, (list, tuple)) else [value]


def is_empty(value: Any) -> bool:
    """Tell whether a value in normal form counts as not filled in."""
    return value is None or value == "" or value == []


def check_required(table: Table, row: Row, problems: Problems, by: str | None = None,
                   closed: Collection[str] = ()) -> None:
    """Note each field that is always required and would be empty; those `closed` but sent were noted already."""
    for name, field_ in table.always_required.items():
        if name == by or (name in closed and name in row.given):
            continue
        if field_.type.virtual:
            missing = row.old is None and not row.lines.get(name) and not row.links.get(name)
        elif field_.computed or (field_.type.is_drawn and row.old is None):
            continue                           # a number is drawn when all else is known to be right
        else:
            missing = (row.old is None or name in row.values) and is_empty(row.values.get(name))
        if missing:
            problems.add(row, name, "required", "This must be filled in.")


def keep_changes(row: Row) -> None:
    """Drop the values that are what the record has already."""
    old = row.old or {}
    row.values = {name: value for name, value in row.values.items() if value != old.get(name)}
