"""The formats of exports: CSV, XLSX, JSON and JSON lines, each written as the records come.

Cells hold values in a neutral form (`FieldType.plain`) that an import reads back: days as 2024-01-31, moments in UTC,
decimals with a point. A text that a spreadsheet would take for a formula gets an apostrophe before it, which imports
take away again.
"""

from __future__ import annotations

import csv
import io
import json
import re
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from functools import cache
from typing import Any, BinaryIO, ClassVar

from core.errors import BadRequest
from core.types.datetime import in_utc

Record = dict[str, Any]
MOST_IN_A_SHEET = 1_048_575         # rows below the header
LONGEST_CELL = 32_767
DIGITS = 15                         # of a number, that a spreadsheet keeps
_FORMULA = "=+-@\uff1d\uff0b\uff0d\uff20"             # as typed on a Chinese or Japanese keyboard too
_FIRST_DAY = date(1900, 3, 1)       # days before it are told as text: spreadsheets count them wrongly


@dataclass(frozen=True, slots=True)
class Column:
    """One column: what its cell says of a record, and what JSON says; `wire` is None where another column says it."""

    path: str
    title: str
    cell: Callable[[Record], Any]
    wire: Callable[[Record], Mapping[str, Any]] | None


@dataclass(frozen=True, slots=True)
class Sheet:
    """What is written: columns, and the records as they come."""

    name: str
    columns: Sequence[Column]
    records: Iterator[list[Record]]


class ExportFormat(ABC):
    """A format; addons add theirs by the hook `export_formats`."""

    name: ClassVar[str]
    media: ClassVar[str]            # its media type
    nested: ClassVar[bool] = False  # whether a record may hold lines

    @abstractmethod
    def write(self, sheet: Sheet, out: BinaryIO) -> None:
        """Write everything to a file, a batch of records at a time."""


class Csv(ExportFormat):
    """CSV in UTF-8 with a byte order mark, without which Excel takes it for another encoding."""

    name = "csv"
    media = "text/csv; charset=utf-8"

    def __init__(self, *, mark: bool = True) -> None:
        self.mark = mark

    def write(self, sheet: Sheet, out: BinaryIO) -> None:
        if self.mark:
            out.write("\ufeff".encode())
        text = io.TextIOWrapper(out, encoding="utf-8", errors="backslashreplace", newline="", write_through=False)
        writer = csv.writer(text)
        writer.writerow([safe(column.title) for column in sheet.columns])
        cells = [column.cell for column in sheet.columns]
        for records in sheet.records:
            writer.writerows([[cell_text(cell(record)) for cell in cells] for record in records])
        text.flush()
        text.detach()


class Xlsx(ExportFormat):
    """A workbook with one sheet; texts are only ever texts, never formulas or links."""

    name = "xlsx"
    media = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

    def write(self, sheet: Sheet, out: BinaryIO) -> None:
        import xlsxwriter  # 0.1 s to import

        with tempfile.TemporaryDirectory(prefix="tessera-") as folder:
            book = xlsxwriter.Workbook(out, {  # a row is on the disk before the next is written
                "constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False,
                "strings_to_numbers": False, "tmpdir": folder, "default_date_format": "yyyy-mm-dd"})
            page = book.add_worksheet(_sheet_name(sheet.name))
            page.freeze_panes(1, 0)
            bold, moment = book.add_format({"bold": True}), book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
            for place, column in enumerate(sheet.columns):
                page.write_string(0, place, column.title, bold)
            row = 0
            for records in sheet.records:
                for record in records:
                    row += 1
                    if row > MOST_IN_A_SHEET:
                        raise BadRequest("A sheet holds {most} rows: export CSV, or narrow it down.", "format",
                                         most=MOST_IN_A_SHEET)
                    for place, column in enumerate(sheet.columns):
                        _write_cell(page, row, place, column.cell(record), moment)
            book.close()


class Json(ExportFormat):
    """One object with all records as the API sends them."""

    name = "json"
    media = "application/json"
    nested = True

    def write(self, sheet: Sheet, out: BinaryIO) -> None:
        out.write(b'{"records":[')
        first = True
        for record in _wired(sheet):
            out.write((b"\n" if first else b",\n") + record)
            first = False
        out.write(b'\n],"next":null}\n')


class JsonLines(ExportFormat):
    """A record a line, each as the API sends it."""

    name = "jsonl"
    media = "application/jsonl"
    nested = True

    def write(self, sheet: Sheet, out: BinaryIO) -> None:
        for record in _wired(sheet):
            out.write(record + b"\n")


@cache
def built_in() -> Mapping[str, ExportFormat]:
    """The formats that are always there, by name."""
    return {one.name: one for one in (Csv(), Xlsx(), Json(), JsonLines())}


def cell_text(value: Any) -> str:
    """A value as the text of a CSV cell; only texts can be taken for formulas."""
    if value is None:
        return ""
    if isinstance(value, str):
        return safe(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return in_utc(value)
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, (date, time)):
        return value.isoformat()
    return str(value) if isinstance(value, (int, float)) else safe(str(value))


def safe(text: str) -> str:
    """A text that no spreadsheet runs: what looks like a formula gets an apostrophe before it (`unsafe` undoes it)."""
    if not text or text[0].isalnum():
        return text
    return f"'{text}" if _tempts(text) else text


def unsafe(text: str) -> str:
    """The text that `safe` was given."""
    return text[1:] if text[:1] == "'" and len(text) > 1 and _tempts(text[1:]) else text


def _tempts(text: str) -> bool:
    """Whether it begins like a formula once apostrophes, blanks and signs that cannot be seen are gone."""
    if text[0] in "\t\r\n":
        return True
    for sign in text:
        if sign in _FORMULA:
            return True
        if sign != "'" and sign.isprintable() and not sign.isspace():
            return False
    return False


def _write_cell(page: Any, row: int, place: int, value: Any, moment: Any) -> None:
    if value is None:
        return
    if isinstance(value, bool):
        page.write_boolean(row, place, value)
    elif isinstance(value, (int, float, Decimal)) and len(Decimal(str(value)).as_tuple().digits) <= DIGITS:
        page.write_number(row, place, value)
    elif isinstance(value, datetime) and value.date() >= _FIRST_DAY and not value.microsecond:
        page.write_datetime(row, place, value.astimezone(UTC).replace(tzinfo=None), moment)
    elif isinstance(value, date) and not isinstance(value, datetime) and value >= _FIRST_DAY:
        page.write_datetime(row, place, value)
    else:
        text = value if isinstance(value, str) else cell_text(value)
        page.write_string(row, place, text if len(text) <= LONGEST_CELL else text[:LONGEST_CELL - 1] + "…")


def _sheet_name(name: str) -> str:
    return re.sub(r"[\[\]:*?/\\']", " ", name)[:31] or "export"


def _wired(sheet: Sheet) -> Iterator[bytes]:
    """The records as JSON, each in a line."""
    wires = [column.wire for column in sheet.columns if column.wire is not None]
    for records in sheet.records:
        for record in records:
            told: dict[str, Any] = {"id": record["id"]}
            for wire in wires:
                told.update(wire(record))
            text = json.dumps(told, ensure_ascii=False, default=_json, separators=(",", ":"))
            yield text.encode("utf-8", "backslashreplace")


def _json(value: object) -> object:
    if isinstance(value, datetime):
        return in_utc(value)
    if isinstance(value, (date, time)):
        return value.isoformat()
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, (tuple, set, frozenset)):
        return list(value)
    return str(value)
