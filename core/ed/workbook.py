"""Reading a workbook (XLSX) that came from somewhere: capped by its directory, then read in a process of its own.

What comes back is CSV in UTF-8, so everything behind this is as with a CSV file. The process has a limit of memory and
of time, opens no other file and follows no link of the workbook.
"""

from __future__ import annotations

import csv
import io
import subprocess
import sys
import zipfile
from collections.abc import Iterable
from datetime import date, datetime, time
from pathlib import Path

from core.errors import Refused

BEGINS = b"PK\x03\x04"
OLD = b"\xd0\xcf\x11\xe0"                    # the workbooks of before 2007
MOST_BYTES = 100_000_000                    # packed
MOST_UNPACKED = 1_000_000_000
MOST_RATIO = 200                            # sheets pack to a tenth, bombs to a thousandth
FROM = 10_000_000                           # below this the ratio says nothing
MOST_MEMBERS = 5_000
MOST_CELLS = 20_000_000
MEMORY = 3_000_000_000
SECONDS = 180


def read(data: bytes, name: str, sheet: str | None = None) -> bytes:
    """The first sheet, or the named one, as CSV. Raises Refused."""
    check(data, name)
    command = [sys.executable, "-m", "core.ed.workbook", *([sheet] if sheet is not None else [])]
    try:
        done = subprocess.run(command, input=data, capture_output=True, timeout=SECONDS * 2, check=False,
                              cwd=Path(__file__).parents[2], env={"PYTHONIOENCODING": "utf-8"})
    except subprocess.TimeoutExpired:
        raise Refused(f"{name}: reading it takes too long; save it as CSV") from None
    if done.returncode == 3:
        raise Refused(f"{name}: {done.stderr.decode('utf-8', 'replace').strip()}")
    if done.returncode != 0:
        raise Refused(f"{name}: is no workbook that can be read, or too large a one; save it as CSV")
    if len(done.stdout) > MOST_UNPACKED:
        raise Refused(f"{name}: holds too much text; save it as CSV")
    return done.stdout


def check(data: bytes, name: str) -> None:
    """Look at the directory of the archive before anything in it is unpacked. Raises Refused."""
    if len(data) > MOST_BYTES:
        raise Refused(f"{name}: is larger than {MOST_BYTES // 1_000_000} MB; save it as CSV")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError):
        raise Refused(f"{name}: is no workbook that can be read") from None
    unpacked = sum(member.file_size for member in members)
    if len(members) > MOST_MEMBERS or unpacked > MOST_UNPACKED:
        raise Refused(f"{name}: holds {unpacked // 1_000_000} MB in {len(members)} parts, which is too much; "
                      "save it as CSV")
    if unpacked > FROM and unpacked > MOST_RATIO * len(data):
        raise Refused(f"{name}: unpacks to {unpacked // len(data)} times its size, as no workbook of people does; "
                      "save it as CSV")
    if not any(member.filename == "xl/workbook.xml" for member in members):
        raise Refused(f"{name}: is no workbook (XLSX)")


def main(arguments: list[str]) -> int:
    """What the process does: a workbook on standard input, CSV on standard output, or why not and 3."""
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    import python_calamine

    book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(sys.stdin.buffer.read()))
    if arguments and arguments[0] not in book.sheet_names:
        sys.stderr.write(f"there is no sheet {arguments[0]!r}; there are: {', '.join(book.sheet_names)}")
        return 3
    if not book.sheet_names:
        sys.stderr.write("there is no sheet in it")
        return 3
    sheet = book.get_sheet_by_name(arguments[0] if arguments else book.sheet_names[0])
    if sheet.height * sheet.width > MOST_CELLS:
        sys.stderr.write(f"the sheet has {sheet.height} rows of {sheet.width} cells, which is too much; save it as CSV")
        return 3
    out = io.TextIOWrapper(sys.stdout.buffer, "utf-8", errors="surrogatepass", newline="")
    writer = csv.writer(out)
    for row in sheet.iter_rows():
        writer.writerow(_texts(row))
    out.flush()
    return 0


def _texts(row: Iterable[object]) -> list[str]:
    return [_text(cell) for cell in row]


def _text(cell: object) -> str:
    """A cell as people would have typed it: 12 rather than 12.0, days and moments in ISO form."""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e16 else repr(cell)
    if isinstance(cell, datetime):
        return cell.isoformat(" ")
    if isinstance(cell, (date, time)):
        return cell.isoformat()
    return str(cell)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
