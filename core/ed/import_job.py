"""Imports that somebody began on a page: done by a `work` process, as that person and with their rights at that moment.

Killed, the job is tried again and goes on after the last batch; what refuses the whole file is kept in sys.import.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.sql.expression import bindparam

from core.database.engine import transaction
from core.database.jobs import Job, enqueue, task
from core.ed import reverting, table_file
from core.ed.files import FileStore
from core.ed.importing import Import
from core.ed.mapping import ImportMapping
from core.ed.session import Principals, Session
from core.errors import Denied, Refused
from core.settings import Settings

if TYPE_CHECKING:
    from core.ed.table_file import TableFile

FOLDER = "imports"
_ACTIVE = text("select exists(select from sys.account where user_id = :user and active)")
_EPOCH = text("select epoch from bm.live")
_FILE = text("select name, hash from sys.file where id = :id and created_by = :user and staged and removed_on is null")
_REFUSED = text("""
    insert into sys.import (table_name, file_name, file_hash, mapping, state, by, error, ended_on)
    values (:table, :name, :file, :mapping, 'refused', :user, :error, now())
    """).bindparams(bindparam("mapping", type_=JSONB))
_LATEST = text("""
    select id, state, row, created, updated, failed, error, file_name from sys.import
    where file_hash = :file and table_name = :table and by = :user order by id desc limit 1""")


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an import is that somebody began: waiting, running, done, refused, reverting or reverted."""

    id: int
    state: str
    row: int
    created: int
    updated: int
    failed: int
    error: str | None
    file_name: str


def staged(connection: Connection, files: FileStore, id_: int, user: int | None) -> tuple[str, bytes] | None:
    """The name and bytes of a staged upload of a user; None if there is none of theirs."""
    found = connection.execute(_FILE, {"id": id_, "user": user}).one_or_none()
    if found is None:
        return None
    with files.open(found.hash) as file:
        return found.name, file.read()


def begin(connection: Connection, upload: int, table: str, user: int, mapping: ImportMapping) -> None:
    """Put an import of a staged upload into the queue."""
    enqueue(connection, "import_file", lock=f"import {upload}", upload=upload, table=table, user=user,
            mapping=mapping.model_dump(mode="json", by_alias=True))


def begin_revert(connection: Connection, number: int, user: int) -> None:
    """Put the taking back of an import into the queue."""
    enqueue(connection, "revert_import", lock=f"revert {number}", number=number, user=user)


def latest(connection: Connection, file: TableFile, table: str, user: int | None) -> Progress | None:
    """The last import of a file into a table that a user began."""
    found = connection.execute(_LATEST, {"file": file.hash, "table": table, "user": user}).one_or_none()
    return None if found is None else Progress(*found)


@task("import_file")
def import_file(job: Job, upload: int, table: str, user: int, mapping: Mapping[str, Any]) -> None:
    """Import a staged upload."""
    settings = _settings(job)
    with transaction(job.engine) as connection:
        found = staged(connection, FileStore(settings.home / "files"), upload, user)
    if found is None:
        return                                             # it was put away meanwhile
    read_mapping = ImportMapping.model_validate(mapping)
    file = table_file.read(found[1], found[0], read_mapping.encoding, read_mapping.delimiter, read_mapping.sheet)
    try:
        Import(_sessions(job, settings, user), table, file, read_mapping, settings.home / FOLDER).run(
            told=lambda done: job.check())
    except (Refused, Denied) as error:
        with transaction(job.engine) as connection:
            connection.execute(_REFUSED, {"table": table, "name": file.name, "file": file.hash, "user": user,
                                          "mapping": {"hash": read_mapping.hash}, "error": str(error)})


@task("revert_import")
def revert_import(job: Job, number: int, user: int) -> None:
    """Take back an import, as the user who asked for it."""
    try:
        reverting.revert(_sessions(job, _settings(job), user), number, lambda count: job.check())
    except Refused:
        return                                             # it was taken back already


def _settings(job: Job) -> Settings:
    if job.settings is None:
        raise Refused("imports need the settings of a process")
    return job.settings


def _sessions(job: Job, settings: Settings, user: int) -> Callable[[], AbstractContextManager[Session]]:
    @contextmanager
    def session() -> Iterator[Session]:
        with transaction(job.engine) as connection:
            system = job.system(connection)
            if system is None or not connection.scalar(_ACTIVE, {"user": user}):
                raise Denied("Who began this may not sign in any more.")
            principals = Principals.load(connection, system, user, int(connection.scalar(_EPOCH) or 0))
            opened = Session.open(system, connection, principals, how="import", zone=system.model.system.time_zone)
            opened.files = FileStore(settings.home / "files")
            yield opened
    return session
