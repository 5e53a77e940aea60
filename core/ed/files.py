"""Files kept with records: bytes on disk under their sha256, a row in sys.file, rights of the record that has them."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import time
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO, TYPE_CHECKING, Any

from sqlalchemy import Connection, select

from core.ed import tables
from core.errors import NoSpace, NotFound

if TYPE_CHECKING:
    from core.ed.session import Session

GRACE = 24 * 3600                        # seconds that a file without a row is left alone: its upload may be running
LONGEST_STAY = 24 * 3600                 # seconds that a staged upload waits for its record
LONGEST_NAME = 200
FULL = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS))

_MAGIC = (
    (b"\x89PNG\r\n\x1a\n", "image/png"), (b"\xff\xd8\xff", "image/jpeg"), (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"), (b"%PDF-", "application/pdf"), (b"\x1f\x8b", "application/gzip"),
    (b"PK\x03\x04", "application/zip"), (b"PK\x05\x06", "application/zip"),
    (b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage"), (b"ID3", "audio/mpeg"),
)
_OFFICE = {
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "odt": "application/vnd.oasis.opendocument.text", "ods": "application/vnd.oasis.opendocument.spreadsheet",
}


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that a caller sends as the value of a field; the name is a label and nothing more."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Claim:
    """The id of a file that a caller wants in a field; whether it may stand there is found out before the write."""

    id: int


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file that may be served: what it is called, what it is, and its bytes."""

    name: str
    type: str
    size: int
    content: IO[bytes]
    hash: str = ""


def label(name: str) -> str:
    """A name fit to be shown: no folders, no control, invisible or direction-changing characters."""
    last = unicodedata.normalize("NFC", name).replace("\\", "/").rsplit("/", 1)[-1]
    shown = "".join(c for c in last if unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp"))
    shown = shown.strip(" .") or "file"
    if len(shown) <= LONGEST_NAME:
        return shown
    stem, dot, ending = shown.rpartition(".")
    keep = f"{dot}{ending}" if dot and len(ending) <= 10 else ""
    return (stem if keep else shown)[:LONGEST_NAME - len(keep)] + keep


def sniff(content: bytes, name: str = "") -> str:
    """Say what the bytes are; a name only tells one office format or kind of plain text from another."""
    ending = name.rpartition(".")[2].lower()
    for magic, kind in _MAGIC:
        if content.startswith(magic):
            return _OFFICE.get(ending, kind) if kind == "application/zip" else kind
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    if b"\x00" in content[:8192]:
        return "application/octet-stream"
    try:
        content[:8192].decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start < min(len(content), 8192) - 4:      # not merely a character cut at the end
            return "application/octet-stream"
    return "text/csv" if ending == "csv" else "text/plain"


def check_upload(upload: Upload, p: Any) -> tuple[str, str, dict[str, object]]:
    """Give what is wrong with an upload, as code, message and params; an empty code if nothing is."""
    if not upload.content:
        return "empty", "The file is empty.", {}
    return unfit(len(upload.content), sniff(upload.content, upload.name), p)


def unfit(size: int, kind: str, p: Any) -> tuple[str, str, dict[str, object]]:
    """Give why a file does not fit a field, as code, message and params; an empty code if it does."""
    if size > p.max_size:
        return "size", "The file is larger than {most} bytes.", {"most": p.max_size}
    if p.accept and kind not in p.accept:
        return "accept", "Files of type {type} are not accepted here.", {"type": kind}
    return "", "", {}


def digest(content: bytes) -> str:
    """The name under which bytes are stored."""
    return hashlib.sha256(content).hexdigest()


@dataclass(frozen=True)
class FileStore:
    """The folder of stored files; a file's name is the sha256 of its bytes, so none is ever overwritten."""

    root: Path

    def path(self, hash_: str) -> Path:
        """Where the bytes with this hash are; the hash is ours, never a caller's."""
        if len(hash_) != 64 or not set(hash_) <= set("0123456789abcdef"):
            raise NotFound("There is no such file.")
        return self.root / hash_[:2] / hash_

    def put(self, content: bytes) -> str:
        """Store bytes for good (on disk when this returns) and give their hash. Raises NoSpace."""
        try:
            return self._put(content)
        except OSError as error:
            if error.errno in FULL:
                raise NoSpace("There is no room for files at the moment; nothing was saved.") from error
            raise

    def _put(self, content: bytes) -> str:
        name = digest(content)
        target = self.path(name)
        with self._lock(fcntl.LOCK_SH):
            try:
                os.utime(target)                           # young again: `collect` leaves it alone
                return name
            except FileNotFoundError:
                pass
            self._write(target, content)
        return name

    def _write(self, target: Path, content: bytes) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile(dir=self.root, prefix="incoming-", delete=False) as file:
            try:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
                os.rename(file.name, target)
            except BaseException:
                os.unlink(file.name)
                raise
        for folder in (target.parent, self.root):          # the names too must survive a power cut
            handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)

    def open(self, hash_: str) -> IO[bytes]:
        """Open stored bytes; raises NotFound if they are gone."""
        try:
            return self.path(hash_).open("rb")
        except FileNotFoundError:
            raise NotFound("The file is no longer in the store.") from None

    def collect(self, connection: Connection, grace: float = GRACE) -> int:
        """Remove files that no row names and that are older than the grace time; gives how many.

        None are while somebody stores one or a backup reads them: it is tried again another time.
        """
        removed = 0
        with suppress(BlockingIOError), self._lock(fcntl.LOCK_EX | fcntl.LOCK_NB):
            limit = time.time() - grace
            old = [path for path in self._all() if path.stat().st_mtime < limit]
            for start in range(0, len(old), 1000):
                some = {path.name: path for path in old[start:start + 1000]}
                query = select(tables.file.c.hash).where(tables.file.c.hash.in_(list(some)))
                for name in set(some) - set(connection.scalars(query)):
                    some[name].unlink()
                    removed += 1
        return removed

    @contextmanager
    def kept(self) -> Iterator[None]:
        """For the block no file is removed."""
        with self._lock(fcntl.LOCK_SH):
            yield

    def _all(self) -> list[Path]:
        kept = [path for folder in self.root.iterdir() if folder.is_dir() for path in folder.iterdir()]
        return [*kept, *self.root.glob("incoming-*")]

    @contextmanager
    def _lock(self, kind: int) -> Iterator[None]:
        self.root.mkdir(parents=True, exist_ok=True)
        with (self.root / "lock").open("a") as file:
            fcntl.flock(file, kind)
            yield


def open_file(session: Session, table: str, id_: int, field: str) -> StoredFile:
    """Open the file that a field of a record holds, in the trash or not. Raises NotFound if this user may not."""
    from core.ed.read import read  # reading builds on what this module gives to writing
    definition = session.system.model.tables.get(table)
    found = None if definition is None else definition.fields.get(field)
    known = found is not None and found.type.is_file and field in session.gate.readable(table)
    if known and session.gate.may(table, "read") and session.files is not None:
        for trash in (False, True):
            for record in read(session, table, [id_], [field], trash=trash):
                if record[field] is not None:
                    return _stored(session.connection, session.files, record[field].id)
    raise NotFound("There is no such file, or you may not see it.")


def _stored(connection: Connection, files: FileStore, id_: int) -> StoredFile:
    file = tables.file.c
    row = connection.execute(select(file.name, file.type, file.size, file.hash).where(file.id == id_)).one()
    return StoredFile(row.name, row.type, row.size, files.open(row.hash), row.hash)
