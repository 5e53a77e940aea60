"""A backup brought into an empty place: all of it or nothing.

The whole archive is read and compared with its manifest first. The database is filled in one transaction; the files are
written beside their place and moved there just before it is committed. Nothing in an archive is run: tables come from
our own steps and from the definitions, and rows by COPY.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from core.bm.archive import MANIFEST, Manifest, Member, Reader, manifest_of, verify
from core.bm.backup import LEFT_OUT, BackedUp
from core.bm.changes import tightening
from core.bm.versions import live
from core.database import copying, ddl, steps
from core.ed.files import FileStore
from core.ed.schema import desired
from core.errors import Refused

if TYPE_CHECKING:
    from core.plugins import Plugins

MARKER = "restore.unfinished"             # in the home: what stands in `files` is of a restore that broke off
_PHYSICAL = text("select table_name, column_name, type from sys.physical order by table_name, id, part")


def restore(engine: Engine, home: Path, source: Path, plugins: Plugins) -> BackedUp:
    """Bring a backup into an empty database and home. Raises Refused, and leaves nothing then."""
    with source.open("rb") as file:
        head, manifest = verify(file)
    _check_fits(head, manifest)
    _clear_unfinished(home)
    _check_empty(engine, home)
    new = home / "files.restoring"
    (home / MARKER).write_text(f"{source}\n")
    try:
        with source.open("rb") as file, engine.begin() as connection:
            _Restore(connection, Reader(file), manifest, FileStore(new)).run(head, plugins)
            _check_files(connection, FileStore(new))
            _move(new, home / "files")
    except (DBAPIError, SQLAlchemyError, OSError) as error:
        _clear_unfinished(home)
        raise Refused(f"the backup cannot be restored here: {getattr(error, 'orig', error)}") from error
    except BaseException:
        _clear_unfinished(home)
        raise
    (home / MARKER).unlink()
    return BackedUp(len(manifest.tables), manifest.files, source.stat().st_size)


def _check_fits(head: dict[str, Any], manifest: Manifest) -> None:
    known = {step.number for step in steps.available()}
    unknown = sorted(set(map(int, head.get("steps", ()))) - known)
    if unknown or not head.get("steps"):
        raise Refused(f"this backup is of another release, which has the steps {unknown}; use that release")
    if LEFT_OUT & manifest.tables.keys():
        raise Refused("this is no backup: it has tables that are never taken along")


def _check_empty(engine: Engine, home: Path) -> None:
    with engine.connect() as connection:
        if copying.tables(connection) or steps.applied(connection):
            raise Refused("the database is not empty; a backup is only restored into an empty one")
    files = home / "files"
    if files.is_dir() and any(path.name != "lock" for path in files.iterdir()):
        raise Refused(f"{files} is not empty; a backup is only restored into an empty place")


def _clear_unfinished(home: Path) -> None:
    """Remove what a restore left that was killed or refused: its marker says that the files are its own."""
    if (home / MARKER).exists():
        for folder in ("files.restoring", "files"):
            shutil.rmtree(home / folder, ignore_errors=True)
        (home / MARKER).unlink()


def _check_files(connection: Connection, store: FileStore) -> None:
    """Raise Refused if a row names a file that did not come along."""
    for hash_ in connection.scalars(text("select distinct hash from sys.file")):
        if not store.path(hash_).is_file():
            raise Refused(f"this backup lacks the file {hash_}")


def _move(new: Path, place: Path) -> None:
    new.mkdir(parents=True, exist_ok=True)
    if place.exists():
        shutil.rmtree(place)
    new.rename(place)
    for folder in (place, place.parent):
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


class _Restore:
    """One pass over an archive that was verified."""

    def __init__(self, connection: Connection, reader: Reader, manifest: Manifest, store: FileStore) -> None:
        self.connection, self.reader, self.manifest, self.store = connection, reader, manifest, store
        self.members: Iterator[Member] = reader.members()
        self.next: Member | None = None
        self.records = False                  # whether the tables of `ed` are made

    def run(self, head: dict[str, Any], plugins: Plugins) -> None:
        steps.upgrade(self.connection, set(map(int, head["steps"])))
        copying.empty(self.connection, copying.in_order(self.connection, copying.tables(self.connection)))
        self._advance()
        while self.next is not None:
            if self.next.table:
                self._table(self.next.table)
            elif self.next.file:
                self._file(self.next.file)
            elif self.next.name == MANIFEST and manifest_of(self.reader.json(self.next)) != self.manifest:
                raise Refused("the backup was changed while it was read")
            else:
                self._advance()
        self._records()
        steps.upgrade(self.connection)
        copying.set_sequences(self.connection, self.manifest.sequences)
        version, _ = live.current(self.connection)
        if version:
            self._constraints(version, plugins)

    def _advance(self) -> None:
        self.next = next(self.members, None)

    def _table(self, name: str) -> None:
        if name.startswith("ed."):
            self._records()
        columns = self.manifest.tables[name].columns
        there = copying.tables(self.connection).get(name)
        if there is None or not set(columns) <= set(there):
            raise Refused(f"this backup has a table {name} with columns that belong to no version in it")
        rows = Rows(self, name)
        copying.copy_in(self.connection, name, columns, rows)
        rows.end()

    def _records(self) -> None:
        """Make the tables of records as the physical names of the backup say: live columns and parked ones."""
        if self.records:
            return
        self.records = True
        found: dict[str, list[ddl.Column]] = {}
        for table, column, type_ in self.connection.execute(_PHYSICAL):
            columns = found.setdefault(table, [])
            if column is not None:
                columns.append(ddl.Column(column, type_))
        for table, columns in found.items():
            try:
                ddl.execute(self.connection, ddl.create_table(table, columns))
            except ValueError as error:
                raise Refused(f"this backup names a table or column that cannot be: {error}") from None

    def _constraints(self, version: int, plugins: Plugins) -> None:
        """Indexes, foreign keys and checks of the live version, over rows that are there."""
        wanted = desired(live.system(self.connection, version, plugins))
        for index in (index for table in wanted for index in table.indexes):
            ddl.execute(self.connection, index.create)
        for table in wanted:
            made = [ddl.add_foreign_key(key.name, table.name, key.column, key.target) for key in table.foreign_keys]
            made += [ddl.add_check(check.name, table.name, check.columns) for check in table.checks]
            names = [*(key.name for key in table.foreign_keys), *(check.name for check in table.checks)]
            for statement in (*made, *(ddl.validate(name, table.name) for name in names)):
                ddl.execute(self.connection, statement)
        tightening.restore(self.connection, wanted)

    def _file(self, hash_: str) -> None:
        target = self.store.path(hash_)
        target.parent.mkdir(parents=True, exist_ok=True)
        digest = hashlib.sha256()
        with target.open("xb") as out:
            for part in iter(self.reader.read, b""):
                digest.update(part)
                out.write(part)
            out.flush()
            os.fsync(out.fileno())
        if digest.hexdigest() != hash_:
            raise Refused("the backup was changed while it was read")
        self._advance()


class Rows:
    """The rows of one table as a file to read: its members one after the other."""

    def __init__(self, restore: _Restore, table: str) -> None:
        self.restore, self.table = restore, table
        self.digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        """The next bytes; nothing at the end of the table."""
        while self.restore.next is not None and self.restore.next.table == self.table:
            part = self.restore.reader.read(size)
            if part:
                self.digest.update(part)
                return part
            self.restore._advance()
        return b""

    def end(self) -> None:
        """Raise Refused if these were not the rows that were verified."""
        if self.read() or self.digest.hexdigest() != self.restore.manifest.tables[self.table].sha256:
            raise Refused("the backup was changed while it was read")
