"""Reading a file of rows of unknown make: CSV, a workbook, JSON; its encoding, its delimiter, what is wrong with it."""

from __future__ import annotations

import codecs
import csv
import hashlib
import io
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from core.ed import workbook
from core.ed.export_formats import unsafe
from core.ed.json_file import is_json, json_rows
from core.errors import Refused

MOST_BYTES = 500_000_000
LONGEST_CELL = 10_000_000          # a longer one means a quote that is never closed
DELIMITERS = ",;\t|"
OWN_COLUMNS = ("_row", "_reason")  # what our error files add: such a file can be mended and read again
_SAMPLE = 65_536
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


@dataclass(frozen=True, slots=True)
class FileRow:
    """One row: its number in the file (the header is row 1), its cells, and what is wrong with its shape."""

    number: int
    cells: tuple[str, ...]
    problem: str = ""


@dataclass(frozen=True)
class TableFile:
    """A file that was read: its header and rows."""

    name: str
    hash: str
    encoding: str
    delimiter: str
    header: tuple[str, ...]
    rows: tuple[FileRow, ...]

    @property
    def is_json(self) -> bool:
        """Whether lists and objects in it are written as JSON."""
        return not self.delimiter


def read(data: bytes, name: str, encoding: str | None = None, delimiter: str | None = None,
         sheet: str | None = None) -> TableFile:
    """Read a whole file before anything is done with it. Raises Refused, saying where, if it cannot be read.

    What it is, is seen by its first bytes: a workbook, JSON (a list, our own exports, or an object a line), else CSV.
    """
    if len(data) > MOST_BYTES:
        raise Refused(f"{name}: is larger than {MOST_BYTES // 1_000_000} MB")
    digest = hashlib.sha256(data).hexdigest()
    if data.startswith(workbook.OLD):
        raise Refused(f"{name}: is a workbook of an old kind; save it as XLSX or CSV")
    if data.startswith(workbook.BEGINS):
        text, encoding, delimiter = workbook.read(data, name, sheet).decode("utf-8", "surrogatepass"), "XLSX", ","
        rows = list(_rows(text, name, delimiter, quoted=False))
    else:
        text, encoding = _decode(data, name, encoding)
        if is_json(text) and delimiter is None:
            rows, delimiter = [FileRow(n, cells) for n, cells in enumerate(json_rows(text, name), 1)], ""
        else:
            delimiter = delimiter or sniff(text)
            rows = list(_rows(text, name, delimiter, quoted="'" in text))
    if not rows:
        raise Refused(f"{name}: is empty")
    header = _header(rows[0].cells, name)
    return TableFile(name, digest, encoding, delimiter, header, tuple(_check(row, header) for row in rows[1:]))


def sniff(text: str) -> str:
    """Guess the delimiter: the one that gives the same number of columns, more than one, most often."""
    def score(delimiter: str) -> tuple[int, int]:
        widths: Counter[int] = Counter()
        try:
            for count, row in enumerate(csv.reader(io.StringIO(text[:_SAMPLE], newline=""), delimiter=delimiter)):
                widths[len(row)] += 1
                if count > 50:
                    break
        except csv.Error:
            return (0, 0)
        width, often = widths.most_common(1)[0] if widths else (0, 0)
        return (often, width) if width > 1 else (0, 0)
    return max(DELIMITERS, key=score)


def _decode(data: bytes, name: str, encoding: str | None) -> tuple[str, str]:
    """Decode by the byte order mark, as UTF-8, else as GB18030, unless the encoding is given."""
    guesses = [encoding] if encoding else [*(one for mark, one in _BOMS if data.startswith(mark)), "utf-8", "gb18030"]
    for guess in guesses:
        try:
            return data.decode(guess), guess
        except LookupError:
            raise Refused(f"{name}: there is no encoding {guess!r}") from None
        except UnicodeDecodeError as error:
            place = error.start
    line = data.count(b"\n", 0, place) + 1
    raise Refused(f"{name}:{line}: is neither {' nor '.join(guesses)} (byte {place}); say its encoding in the mapping")


def _rows(text: str, name: str, delimiter: str, *, quoted: bool) -> Iterator[FileRow]:
    """Split into rows, strictly: a quote in the wrong place would swallow what follows it.

    `quoted`: there are apostrophes, which our exports put before what looks like a formula.
    """
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    number, start = 0, 1
    with long_cells():
        try:
            for cells in reader:
                if cells:                      # an empty line holds nothing that could be lost
                    number += 1
                    yield FileRow(number, tuple(map(unsafe, cells)) if quoted else tuple(cells))
                start = reader.line_num + 1
        except csv.Error as error:
            raise Refused(f"{name}:{start}: the row that begins here cannot be read: {error}; "
                          "look for a quote that is missing or too many") from None


@contextmanager
def long_cells() -> Iterator[None]:
    """Let csv read long cells for the block: whether a field may hold them is for the field to say."""
    before = csv.field_size_limit(LONGEST_CELL)
    try:
        yield
    finally:
        csv.field_size_limit(before)


def _header(cells: tuple[str, ...], name: str) -> tuple[str, ...]:
    header = tuple(cell.strip() for cell in cells)
    for place, title in enumerate(header, 1):
        if not title:
            raise Refused(f"{name}:1: column {place} has no name")
        if not title.isprintable():
            raise Refused(f"{name}:1: the name of column {place} holds signs that cannot be seen; is this a CSV file?")
        if header.count(title) > 1:
            raise Refused(f"{name}:1: there are {header.count(title)} columns {title!r}; rename one")
    return header


def _check(row: FileRow, header: tuple[str, ...]) -> FileRow:
    if len(row.cells) == len(header):
        return row
    return FileRow(row.number, row.cells, f"this row has {len(row.cells)} cells, the header has {len(header)}")
