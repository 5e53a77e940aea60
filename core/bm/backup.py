"""A backup: database, files and versions in one archive, as they are at one moment, while people work.

One transaction reads everything from one snapshot. Files are added and never changed, and none is removed while the
store is held, so every file that the snapshot names is there. What proves who somebody is stays out: sessions, tokens,
links to set a password.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from psycopg2 import sql
from sqlalchemy import Connection, Engine, text

from core.bm.archive import Writer
from core.bm.versions import live
from core.database import copying, steps
from core.database.engine import driver
from core.ed.files import FileStore
from core.errors import Refused

# What is not taken along: who is signed in, and what only concerns running processes.
LEFT_OUT = frozenset((
    "sys.session", "sys.token", "sys.setup_link", "sys.login_attempt", "sys.idempotency", "sys.worker",
    "jobs.procrastinate_events", "jobs.procrastinate_periodic_defers"))
_HASHES = text("select hash, max(size) from sys.file group by hash order by hash")


@dataclass(frozen=True, slots=True)
class BackedUp:
    """What a backup holds."""

    tables: int
    files: int
    size: int


def backup(engine: Engine, home: Path, target: Path) -> BackedUp:
    """Write a backup; the file is there when it is whole, and not before. Raises Refused."""
    if target.exists():
        raise Refused(f"{target} is there already; a backup overwrites nothing")
    part = target.with_name(target.name + ".part")
    store = FileStore(home / "files")
    try:
        with store.kept(), engine.connect() as connection, part.open("wb") as out:
            os.fchmod(out.fileno(), 0o600)
            names = _snapshot(connection)
            version, _ = live.current(connection)
            writer = Writer(out, {"made": datetime.now(UTC).isoformat(timespec="seconds"), "version": version,
                                  "steps": sorted(steps.applied(connection)),
                                  "postgresql": connection.scalar(text("show server_version"))})
            _tables(connection, writer, names)
            _files(connection, writer, store)
            writer.manifest.sequences = copying.sequences(connection)
            writer.end()
            out.flush()
            os.fsync(out.fileno())
        part.rename(target)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    return BackedUp(len(writer.manifest.tables), writer.manifest.files, target.stat().st_size)


def _snapshot(connection: Connection) -> dict[str, tuple[str, ...]]:
    """Begin a transaction that sees one moment of everything, in which no table is altered; gives the tables."""
    if connection.scalar(text("select to_regclass('bm.live')")) is None:
        raise Refused("there is no system here; nothing to back up")
    while True:
        names = copying.tables(connection)
        connection.rollback()
        connection.execute(text("set transaction isolation level repeatable read, read only"))
        # A lock takes no snapshot, so what is seen is of a moment at which no one could alter these any more.
        driver(connection).execute(sql.SQL("lock table {} in access share mode").format(
            sql.SQL(", ").join(sql.Identifier(*name.split(".", 1)) for name in names)))
        if copying.tables(connection) == names:
            return names
        connection.rollback()


def _tables(connection: Connection, writer: Writer, names: dict[str, tuple[str, ...]]) -> None:
    ordered = copying.in_order(connection, [name for name in names if name not in LEFT_OUT])
    for name in sorted(ordered, key=lambda one: one.startswith("ed.")):          # first what says what `ed` is
        out = writer.table(name, names[name])
        copying.copy_out(connection, name, names[name], out)
        out.close()


def _files(connection: Connection, writer: Writer, store: FileStore) -> None:
    for hash_, size in connection.execution_options(yield_per=1000).execute(_HASHES):
        with store.open(hash_) as content:
            writer.file(hash_, size, content)
