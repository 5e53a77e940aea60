"""Imports: a file of rows becomes records in batches, each a transaction of its own on the then-live version.

Progress stands in sys.import and is written with each batch: an import that was killed goes on where it was, and no
row is ever taken twice. History carries the import's id, so that `reverting` can take all of it back.
"""

from __future__ import annotations

import csv
import gc
import logging
import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.expression import bindparam

from core.database.engine import sqlstate
from core.ed import mapping as mappings
from core.ed.export_formats import safe
from core.ed.former import Translation
from core.ed.import_order import ordered, repeated
from core.ed.import_rows import ImportRow, Reader, match
from core.ed.mapping import ImportMapping
from core.ed.records import Records
from core.ed.table_file import FileRow, TableFile, long_cells
from core.ed.values import Parsed
from core.errors import BadRequest, Conflict, Denied, Invalid, NotFound, Refused

if TYPE_CHECKING:
    from core.definition.model import Table
    from core.ed.session import Session

log = logging.getLogger("tessera.import")
BATCH = 2_000
ATTEMPTS = 5
LONGEST_STEM = 150             # bytes of the name of an error file
_AGAIN = frozenset(("40001", "40P01", "55P03"))        # serialization failure, deadlock, lock not available

Sessions = Callable[[], AbstractContextManager["Session"]]     # each a transaction on the version live at its start

_FIND = text("""
    select id, row, state from sys.import where table_name = :table and file_hash = :file
       and mapping ->> 'hash' = :mapping and state in ('running', 'done') order by id desc limit 1""")
_BEGIN = text("""
    insert into sys.import (table_name, file_name, file_hash, mapping, by)
    values (:table, :name, :file, :mapping, :by) returning id""").bindparams(bindparam("mapping", type_=JSONB))
_HOLD = text("select row from sys.import where id = :id for update")
_STEP = text("""
    update sys.import set row = row + :rows, created = created + :created, updated = updated + :updated,
           failed = failed + :failed where id = :id""")
_END = text("update sys.import set state = 'done', ended_on = now() where id = :id")
_TOTALS = text("select created, updated, failed, row from sys.import where id = :id")


@dataclass(slots=True)
class Result:
    """What an import did; `reasons` counts the errors of this run by kind, `skipped` the values left empty."""

    id: int = 0
    rows: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    failed: int = 0
    resumed_at: int = 0
    errors: Path | None = None
    reasons: Counter[str] = field(default_factory=Counter)
    skipped: Counter[tuple[str, str]] = field(default_factory=Counter)


class _Undo(Exception):
    """Ends a dry run: takes back all of its transaction."""


class Import:
    """One import of a file into a table."""

    def __init__(self, sessions: Sessions, table: str, file: TableFile, mapping: ImportMapping, errors: Path,
                 batch: int = BATCH) -> None:
        self.sessions = sessions
        self.table = table
        self.file = file
        self.mapping = mapping
        self.hash = mapping.hash                # by which it is found again, whatever is called otherwise meanwhile
        self.errors_folder = errors
        self.batch = batch
        self.result = Result(rows=len(file.rows))
        self.repeated = repeated(file, mapping)

    def run(self, again: bool = False, told: Callable[[int], None] = lambda rows: None) -> Result:
        """Import all rows, from where an earlier run of the same file and mapping was broken off.

        Raises Refused if the mapping does not fit, or if the file is in already and nothing tells its rows apart.
        """
        with self.sessions() as session:
            self._check(session)
            start = self._begin(session, again)
            chunks = self._chunks(session)
        name = f"{self.result.id}-{_stem(self.file.name)}.errors.csv"
        errors = ErrorFile(self.errors_folder / name, self.file.header)
        errors.keep({row.number for chunk in chunks for row in chunk}
                    - {row.number for row in _after(chunks, start)})
        done = 0
        with _rare_search_for_garbage():
            for chunk in chunks:
                done += len(chunk)
                if done > start:
                    self._transaction(chunk[max(0, len(chunk) - (done - start)):], errors)
                    told(done)
        with self.sessions() as session:
            session.connection.execute(_END, {"id": self.result.id})
            self._totals(session)
        self.result.errors = errors.path if self.result.failed else None
        return self.result

    def try_out(self) -> Result:
        """Do all of it in one transaction and take it back: what `run` would do now."""
        errors = ErrorFile(self.errors_folder / f"dry-run-{_stem(self.file.name)}.errors.csv", self.file.header)
        errors.keep(set())
        try:
            with self.sessions() as opened:
                session = replace(opened, lasting=False)
                self._check(session)
                for chunk in self._chunks(session):
                    created, updated, failed = self._write(session, chunk, errors)
                    self.result.created += created
                    self.result.updated += updated
                    self.result.failed += failed
                raise _Undo
        except _Undo:
            pass
        self.result.unchanged = self.result.rows - self.result.created - self.result.updated - self.result.failed
        self.result.errors = errors.path if self.result.failed else None
        return self.result

    def _check(self, session: Session) -> None:
        self.table, self.mapping = mappings.followed(Translation(session), self.table, self.mapping)
        table = _table(session, self.table)
        if self.mapping.table not in (None, self.table):
            raise Refused(f"the mapping is for {self.mapping.table!r}, not for {self.table!r}")
        problems = mappings.check(self.mapping, session.system.model, table, self.file.header)
        if problems:
            raise Refused("the mapping does not fit:\n" + "\n".join(f"  {problem}" for problem in problems))
        if not (session.gate.may(self.table, "create") or session.gate.may(self.table, "change")):
            raise Denied('You may not write records of "{table}".', table=self.table)

    def _begin(self, session: Session, again: bool) -> int:
        """Find the import that was broken off, or begin one; gives the rows that are done."""
        found = session.connection.execute(_FIND, {
            "table": self.table, "file": self.file.hash, "mapping": self.hash}).one_or_none()
        if found is not None and found.state == "running":
            self.result.id, self.result.resumed_at = found.id, found.row
            return int(found.row)
        if found is not None and not self.mapping.match and not again:
            raise Refused(f"this file is in already, as import {found.id}, and the mapping has no `match` by which its "
                          "rows are found again; revert that import, or say --again to have each record twice")
        self.result.id = session.connection.execute(_BEGIN, {
            "table": self.table, "name": self.file.name, "file": self.file.hash, "by": session.user.user_id,
            "mapping": {"hash": self.hash, **self.mapping.model_dump(mode="json", by_alias=True)},
        }).scalar_one()
        return 0

    def _chunks(self, session: Session) -> list[list[FileRow]]:
        """All rows in the order they are taken, in batches; a row stands in a later batch than what it links to."""
        chunks = []
        for wave in ordered(self.file, self.mapping, _table(session, self.table)):
            chunks += [wave[start:start + self.batch] for start in range(0, len(wave), self.batch)]
        return chunks

    def _transaction(self, rows: Sequence[FileRow], errors: ErrorFile) -> None:
        """Write one batch, and with it how far the import is; tried again when others are in the way."""
        for attempt in range(1, ATTEMPTS + 1):
            mark = errors.size()
            skipped = self.result.skipped.copy()
            reasons = self.result.reasons.copy()
            try:
                with self.sessions() as session:
                    session.import_id = self.result.id
                    session.connection.execute(_HOLD, {"id": self.result.id})
                    created, updated, failed = self._write(session, rows, errors)
                    session.connection.execute(_STEP, {"id": self.result.id, "rows": len(rows), "created": created,
                                                       "updated": updated, "failed": failed})
                return
            except (Conflict, DBAPIError) as error:
                errors.cut(mark)
                self.result.skipped, self.result.reasons = skipped, reasons
                if attempt == ATTEMPTS or not (isinstance(error, Conflict) or sqlstate(error) in _AGAIN):
                    raise
                log.info("a batch is tried again", extra={"import": self.result.id, "attempt": attempt})

    def _write(self, session: Session, source: Sequence[FileRow], errors: ErrorFile) -> tuple[int, int, int]:
        """Write a batch; gives how many records were created and changed, and how many rows failed."""
        session.how = "import"
        self._check(session)                               # live may have moved on since the last batch
        table = _table(session, self.table)
        reader = Reader(session, table, self.mapping, self.file.header, self.file.is_json)
        rows = reader.read(source)
        for row in rows:
            if row.source.number in self.repeated:
                row.fail("", f"the same {', '.join(self.mapping.match)} is in row {self.repeated[row.source.number]}")
        if self.mapping.match:
            match(session, self.table, self.mapping.match, [row for row in rows if not row.reasons])
        good = self._merged([row for row in rows if not row.reasons])
        records = Records(session)
        new = [row for row in good if row.id is None]
        old = self._changed(records, [row for row in good if row.id is not None])
        _each(session, new, lambda some: records.create(self.table, [Parsed(row.values) for row in some]))
        _each(session, old, lambda some: records.update(
            self.table, [Parsed(row.values, id=row.id, _version=row.version) for row in some]))
        failed = [row for row in rows if row.reasons]
        errors.add(failed)
        self.result.skipped += reader.skipped
        self.result.reasons += Counter(reason for row in failed for reason in row.reasons)
        return sum(not row.reasons for row in new), sum(not row.reasons for row in old), len(failed)

    def _merged(self, rows: Sequence[ImportRow]) -> list[ImportRow]:
        """Rows of the same record as one, where the mapping says so: later values win, added ones add up."""
        if self.mapping.repeated != "merge":
            return list(rows)
        kept: dict[tuple[Any, ...], ImportRow] = {}
        for row in rows:
            first = kept.setdefault(tuple(row.values[name] for name in self.mapping.match), row)
            if first is not row:
                for name, value in row.values.items():
                    adds = self.mapping.fields[name].add
                    first.values[name] = _union(first.values.get(name), value) if adds else value
        return list(kept.values())

    def _changed(self, records: Records, rows: Sequence[ImportRow]) -> list[ImportRow]:
        """The rows whose record says something else, with only what changes."""
        if not rows:
            return []
        names = [name for name in self.mapping.fields if name not in self.mapping.match]
        found = {record["id"]: record for record in records.read(self.table, [row.id or 0 for row in rows], names)}
        changed = []
        for row in rows:
            before = found.get(row.id or 0, {})
            for name in names:
                if name in row.values and self.mapping.fields[name].add:
                    row.values[name] = _union(before.get(name), row.values[name])
            row.values = {name: row.values[name] for name in names
                          if name in row.values and (name not in before or before[name] != row.values[name])}
            if row.values:
                changed.append(row)
        return changed

    def _totals(self, session: Session) -> None:
        row = session.connection.execute(_TOTALS, {"id": self.result.id}).one()
        self.result.created, self.result.updated, self.result.failed = row.created, row.updated, row.failed
        self.result.unchanged = row.row - row.created - row.updated - row.failed


class ErrorFile:
    """The rows that failed, as they were, with the row's number and the reason: mend it and import it again."""

    def __init__(self, path: Path, header: Sequence[str]) -> None:
        self.path = path
        self.header = [column for column in header if column not in ("_row", "_reason")]
        self.places = [place for place, column in enumerate(header) if column in self.header]

    def keep(self, numbers: set[int]) -> None:
        """Begin it, with only those rows of an earlier run that are done."""
        kept: list[list[str]] = []
        if numbers and self.path.exists():
            with self.path.open(encoding="utf-8-sig", newline="") as file, long_cells():
                kept = [row for row in csv.reader(file) if row[-2].isdigit() and int(row[-2]) in numbers]
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("w", encoding="utf-8-sig", newline="") as file:
            csv.writer(file).writerows([[*self.header, "_row", "_reason"], *kept])

    def size(self) -> int:
        """How long it is."""
        return self.path.stat().st_size

    def cut(self, size: int) -> None:
        """Take back what was added since it was that long."""
        os.truncate(self.path, size)

    def add(self, rows: Sequence[ImportRow]) -> None:
        """Write rows down, before the batch they belong to is committed."""
        if not rows:
            return
        with self.path.open("a", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows(
                [*self._cells(row.source.cells), row.source.number, safe("; ".join(row.reasons))] for row in rows)
            file.flush()
            os.fsync(file.fileno())


    def _cells(self, cells: Sequence[str]) -> Iterator[str]:
        for place in self.places:
            yield safe(cells[place].replace("\0", "\\0")) if place < len(cells) else ""


def _stem(name: str) -> str:
    """A file's name without its ending, no longer than a name on the disk may be."""
    return Path(name).stem.encode(errors="replace")[:LONGEST_STEM].decode(errors="ignore")


@contextmanager
def _rare_search_for_garbage() -> Iterator[None]:
    """Look for garbage less often: what a batch makes lives until its end, and the search took a tenth of an import."""
    before = gc.get_threshold()
    gc.set_threshold(1_000_000, 10, 10)
    try:
        yield
    finally:
        gc.set_threshold(*before)


def _each(session: Session, rows: Sequence[ImportRow], write: Callable[[Sequence[ImportRow]], object]) -> None:
    """Write rows together; those that are refused are told why, and the others written without them."""
    waiting = [list(rows)]
    while waiting:
        some = waiting.pop()
        if not some:
            continue
        try:
            with session.connection.begin_nested():
                write(some)
        except Invalid as invalid:
            waiting += _without_bad(some, invalid)
        except (Denied, NotFound, BadRequest) as error:
            waiting += _halves(some, str(error))
        except DBAPIError as error:
            if sqlstate(error)[:2] not in ("22", "23"):
                raise
            waiting += _halves(some, "the database refuses this row")


def _without_bad(rows: list[ImportRow], invalid: Invalid) -> Iterator[list[ImportRow]]:
    bad = {problem.row for problem in invalid.problems if problem.row is not None}
    if not bad:
        yield from _halves(rows, str(invalid))
        return
    for problem in invalid.problems:
        if problem.row is not None:
            rows[problem.row].fail(problem.field, problem.message, dict(problem.params))
    yield [row for place, row in enumerate(rows) if place not in bad]


def _halves(rows: list[ImportRow], reason: str) -> Iterator[list[ImportRow]]:
    """A refusal that names no row: look for it in both halves."""
    if len(rows) == 1:
        rows[0].fail("", reason)
        return
    yield rows[:len(rows) // 2]
    yield rows[len(rows) // 2:]


def _after(chunks: Sequence[Sequence[FileRow]], start: int) -> list[FileRow]:
    return [row for chunk in chunks for row in chunk][start:]


def _union(before: Any, value: Any) -> Any:
    return list(dict.fromkeys([*(before or ()), *(value or ())])) or None


def _table(session: Session, name: str) -> Table:
    table = session.system.model.tables.get(name)
    if table is None:
        raise Refused(f"there is no table {name!r}")
    if table.abstract:
        raise Refused(f"records of {name!r} are always one of: {', '.join(table.kinds)}")
    return table
