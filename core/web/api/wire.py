"""Records between their Python values and JSON, by the fields of their table."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as default
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from core.ed.files import Upload
from core.ed.values import MOST_PROBLEMS
from core.errors import FieldProblem, Invalid
from core.types.base import BadValue, FieldType
from core.types.datetime import in_utc
from core.web.api.schemas import FREE
from core.web.i18n import N_

if TYPE_CHECKING:
    from core.definition.model import Field, Model, Table

Convert = Callable[[Any], Any]
Sees = Callable[[str, str], bool]           # whether the caller may know of a table's field
_MOST_KEYS = 2_000


class Wire:
    """Reads and writes the records of one table; made once per version and table."""

    def __init__(self, model: Model, table: Table) -> None:
        self.model = model
        self.table = table
        self._out: dict[str, Convert | None] = {}

    def out(self, records: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Records as JSON values. Dates and decimals are left to `dumps`, which is faster."""
        return [self._record(record) for record in records]

    def _record(self, record: Mapping[str, Any]) -> dict[str, Any]:
        written = {}
        for key, value in record.items():
            try:
                convert = self._out[key]
            except KeyError:
                if len(self._out) > _MOST_KEYS:      # paths are many, and callers choose them
                    self._out.clear()
                convert = self._out[key] = self._converter(key)
            written[key] = value if convert is None else convert(value)
        return written

    def _converter(self, key: str) -> Convert | None:
        """How the values of a key are written; None where JSON knows them as they are."""
        field = field_at(self.model, self.table, key)
        if field is None:
            return None
        if field.type.is_lines:
            child = Wire(self.model, self.model.tables[field.properties.of])  # type: ignore[attr-defined]
            return lambda lines: child.out(lines or ())
        if type(field.type).to_wire is FieldType.to_wire:
            return None
        return lambda value: field.type.to_wire(value, field.properties)

    def read(self, bodies: Sequence[object], sees: Sees = lambda table, field: True) -> list[dict[str, Any]]:
        """Records from JSON objects, with values in normal form. Raises Invalid with everything that is wrong.

        Keys that are no fields stay as they are, and so do values that do not fit a field which the caller cannot see:
        the record service says what is wrong with them.
        """
        told = _Told(sees)
        many = len(bodies) > 1
        rows = [self._read(body, "", index if many else None, told) for index, body in enumerate(bodies)]
        told.stop()
        return rows

    def _read(self, body: object, path: str, row: int | None, told: _Told) -> dict[str, Any]:
        if not isinstance(body, Mapping):
            told.add(FieldProblem(path.rstrip("."), "type", N_("A record is an object of fields."), row=row))
            return {}
        values: dict[str, Any] = {}
        for key, value in body.items():
            field = self.table.fields.get(key)
            try:
                values[key] = value if field is None else self._value(field, value, f"{path}{key}", row, told)
            except BadValue as bad:
                values[key] = value
                if told.sees(self.table.name, key):
                    told.add(FieldProblem(f"{path}{key}", bad.code, bad.message, bad.params, row))
        return values

    def _value(self, field: Field, value: Any, path: str, row: int | None, told: _Told) -> Any:
        if field.type.is_file and isinstance(value, Mapping) and "content" in value:
            return _upload(value)
        if isinstance(value, str):
            _check_text(field, value)
        normal = field.type.from_wire(value, field.properties)
        if not field.type.is_lines or normal is None:
            return normal
        child = Wire(self.model, self.model.tables[field.properties.of])  # type: ignore[attr-defined]
        return [child._read(line, f"{path}.{number}.", row, told) for number, line in enumerate(normal)]


@dataclass(slots=True)
class _Told:
    """What is wrong with the bodies of one request, as far as its sender may know."""

    sees: Sees
    problems: list[FieldProblem] = default(default_factory=list)

    def add(self, problem: FieldProblem) -> None:
        self.problems.append(problem)
        if len(self.problems) >= MOST_PROBLEMS:
            self.stop()

    def stop(self) -> None:
        if self.problems:
            raise Invalid(self.problems)


def field_at(model: Model, table: Table, path: str) -> Field | None:
    """The field that a path of a record ends at; None for system columns and titles."""
    field: Field | None = None
    name: str | None = table.name
    for step in path.split("."):
        field = model.field(name, step) if name is not None and name in model.tables else None
        if field is None:
            return None
        name = field.target
    return field


def dumps(value: object) -> bytes:
    """Write JSON in UTF-8: decimals as strings, dates in ISO form, moments in UTC with Z."""
    text = json.dumps(value, ensure_ascii=False, default=_plain, separators=(",", ":"))
    return text.encode("utf-8", "backslashreplace")      # half a character goes out as the escape it came in as


def _plain(value: object) -> object:
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, datetime):
        return in_utc(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, (tuple, set, frozenset)):
        return list(value)
    raise TypeError(f"{type(value).__name__} has no wire form")


def _check_text(field: Field, value: str) -> None:
    """Only text may be empty text, and it has its length as it is sent: nothing is guessed, nothing cut."""
    if value == "" and field.type.name not in FREE:
        raise BadValue("type", "Send null for no value.")
    most = getattr(field.properties, "max", None)
    if field.type.name in FREE and isinstance(most, int) and len(value) > most:
        raise BadValue("too_long", "This may have {most} characters and has {length}.", most=most, length=len(value))


def _upload(value: Mapping[str, Any]) -> Upload:
    name, content = value.get("name"), value.get("content")
    if not isinstance(name, str) or not isinstance(content, str) or value.keys() - {"name", "content"}:
        raise BadValue("type", "A new file is an object with name and content.")
    try:
        return Upload(name, base64.b64decode(content, validate=True))
    except (binascii.Error, ValueError):
        raise BadValue("content", "The content of a file is sent in base64.") from None
