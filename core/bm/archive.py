"""A backup file: a plain tar of members whose names are known beforehand, with a manifest of digests at its end.

Written in one go and read in one go, with no more than one chunk in memory. What reads it trusts nothing: only ordinary
members with these names, in this order, each once; no link, device, folder or path is ever made of one.
"""

from __future__ import annotations

import hashlib
import json
import re
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import IO, Any

from core.errors import Refused

FORMAT = 1
CHUNK = 4 << 20
BLOCK = tarfile.BLOCKSIZE
LARGEST = 8 << 30                    # bytes of one member, as tar can say
MOST_MEMBERS = 20_000_000
LONGEST_JSON = 64 << 20
HEAD, MANIFEST = "tessera.json", "manifest.json"
_TABLE = re.compile(r"tables/((?:sys|bm|ed|jobs)\.[a-z][a-z0-9_]{0,62})/(\d{8})")
_FILE = re.compile(r"files/([0-9a-f]{64})")


@dataclass(slots=True)
class Digest:
    """What a manifest says of one table: how much there is of it, and its digest."""

    columns: tuple[str, ...] = ()
    size: int = 0
    sha256: str = ""


@dataclass(slots=True)
class Manifest:
    """What a backup holds, as its last member says."""

    tables: dict[str, Digest] = field(default_factory=dict)
    files: int = 0
    file_bytes: int = 0
    sequences: dict[str, tuple[int, bool]] = field(default_factory=dict)


class Writer:
    """Writes a backup to a stream, member by member."""

    def __init__(self, out: IO[bytes], head: Mapping[str, object]) -> None:
        self.out = out
        self.manifest = Manifest()
        self._member(HEAD, json.dumps({"format": FORMAT, **head}, ensure_ascii=False, indent=1).encode())

    def table(self, name: str, columns: tuple[str, ...]) -> TableWriter:
        """What takes the rows of a table as COPY gives them."""
        return TableWriter(self, name, columns)

    def file(self, name: str, size: int, content: IO[bytes]) -> None:
        """A stored file, whose name is its digest. Raises Refused if its bytes are others."""
        self._begin(f"files/{name}", size)
        digest, left = hashlib.sha256(), size
        while left and (part := content.read(min(CHUNK, left))):
            digest.update(part)
            self.out.write(part)
            left -= len(part)
        if left or content.read(1) or digest.hexdigest() != name:
            raise Refused(f"the stored file {name} is damaged: its content is no longer what it was")
        self._pad(size)
        self.manifest.files += 1
        self.manifest.file_bytes += size

    def end(self) -> None:
        """Write the manifest and the end of the tar."""
        self._member(MANIFEST, json.dumps(asdict(self.manifest), ensure_ascii=False).encode())
        self.out.write(b"\0" * 2 * BLOCK)

    def _member(self, name: str, content: bytes) -> None:
        self._begin(name, len(content))
        self.out.write(content)
        self._pad(len(content))

    def _begin(self, name: str, size: int) -> None:
        info = tarfile.TarInfo(name)
        info.size, info.mode = size, 0o600
        self.out.write(info.tobuf(tarfile.USTAR_FORMAT))

    def _pad(self, size: int) -> None:
        self.out.write(b"\0" * (-size % BLOCK))


class TableWriter:
    """A file to write to, for COPY; what is written becomes members of one chunk each."""

    def __init__(self, writer: Writer, name: str, columns: tuple[str, ...]) -> None:
        self.writer, self.name = writer, name
        self.noted = Digest(columns)
        self.digest, self.held, self.number = hashlib.sha256(), bytearray(), 0

    def write(self, data: bytes) -> int:
        """Take some bytes."""
        self.held += data
        if len(self.held) >= CHUNK:
            self._flush()
        return len(data)

    def close(self) -> None:
        """The last chunk, also of a table without rows."""
        if self.held or self.number == 0:
            self._flush()
        self.noted.sha256 = self.digest.hexdigest()
        self.writer.manifest.tables[self.name] = self.noted

    def _flush(self) -> None:
        content = bytes(self.held)
        self.writer._member(f"tables/{self.name}/{self.number:08}", content)
        self.digest.update(content)
        self.noted.size += len(content)
        self.number += 1
        self.held.clear()


@dataclass(frozen=True, slots=True)
class Member:
    """One member as it is read: of a table, a file, the head or the manifest."""

    name: str
    table: str
    file: str
    size: int


class Reader:
    """Reads a backup; raises Refused for anything that a backup of ours does not hold."""

    def __init__(self, source: IO[bytes]) -> None:
        self.source = source
        self._left = 0
        self._padding = 0

    def members(self) -> Iterator[Member]:
        """All members in order; the content of each is read, or passed over, before the next one."""
        seen: str | None = None
        tables: set[str] = set()
        for _ in range(MOST_MEMBERS):
            self._skip()
            member = self._next()
            if member is None:
                if seen != MANIFEST:
                    raise Refused("this backup is not whole: its end is missing")
                return
            _check_order(seen, member, tables)
            seen = member.name
            self._left, self._padding = member.size, -member.size % BLOCK
            yield member
        raise Refused("this is no backup: it has too many members")

    def read(self, size: int = -1) -> bytes:
        """Some of the content of the member at hand; nothing at its end."""
        wanted = min(self._left, CHUNK if size < 0 else size)
        part = self.source.read(wanted)
        if len(part) != wanted:
            raise Refused("this backup is not whole: it ends within a member")
        self._left -= wanted
        return part

    def json(self, member: Member) -> dict[str, Any]:
        """The content of the head or the manifest."""
        if member.size > LONGEST_JSON:
            raise Refused(f"this is no backup: its {member.name} is too long")
        content = b"".join(iter(self.read, b""))
        try:
            found = json.loads(content)
        except (ValueError, RecursionError):
            raise Refused(f"this is no backup: its {member.name} cannot be read") from None
        if not isinstance(found, dict):
            raise Refused(f"this is no backup: its {member.name} cannot be read")
        return found

    def _skip(self) -> None:
        while self._left:
            self.read()
        if len(self.source.read(self._padding)) != self._padding:
            raise Refused("this backup is not whole: it ends within a member")
        self._padding = 0

    def _next(self) -> Member | None:
        block = self.source.read(BLOCK)
        if block == b"\0" * BLOCK:
            return None
        try:
            info = tarfile.TarInfo.frombuf(block, "ascii", "strict")
        except (tarfile.TarError, UnicodeDecodeError):
            raise Refused("this is no backup, or it is damaged") from None
        if info.type != tarfile.REGTYPE or not 0 <= info.size <= LARGEST:
            raise Refused(f"this is no backup: {info.name[:80]!r} is not an ordinary member")
        table, file = _TABLE.fullmatch(info.name), _FILE.fullmatch(info.name)
        if table is None and file is None and info.name not in (HEAD, MANIFEST):
            raise Refused(f"this is no backup: it has a member {info.name[:80]!r}")
        return Member(info.name, table[1] if table else "", file[1] if file else "", info.size)


def _check_order(seen: str | None, member: Member, tables: set[str]) -> None:
    """Head, tables chunk by chunk, files by name, manifest: nothing twice, nothing elsewhere."""
    rank = [member.name == HEAD, bool(member.table), bool(member.file), member.name == MANIFEST].index(True)
    parts = {None: -1, HEAD: 0, MANIFEST: 3}
    before = parts[seen] if seen in parts else 1 if str(seen).startswith("tables/") else 2
    fits = (rank == 0) == (seen is None) and rank >= before and not (rank == before == 3)
    if member.file and before == 2:
        fits = fits and seen is not None and seen < member.name
    if member.table:
        number = int(member.name.rpartition("/")[2])
        follows = seen == f"tables/{member.table}/{number - 1:08}"
        fits = fits and (follows if number else member.table not in tables)
        tables.add(member.table)
    if not fits:
        raise Refused(f"this is no backup: {member.name!r} is not where it belongs")


def manifest_of(body: Mapping[str, Any]) -> Manifest:
    """A manifest that was read; raises Refused."""
    try:
        tables = {str(name): Digest(tuple(map(str, one["columns"])), int(one["size"]), str(one["sha256"]))
                  for name, one in body["tables"].items()}
        sequences = {str(name): (int(one[0]), bool(one[1])) for name, one in body["sequences"].items()}
        return Manifest(tables, int(body["files"]), int(body["file_bytes"]), sequences)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError):
        raise Refused("this is no backup: its manifest cannot be read") from None


def verify(source: IO[bytes]) -> tuple[dict[str, Any], Manifest]:
    """Read a whole backup and compare it with its manifest; gives its head. Raises Refused."""
    reader = Reader(source)
    head: dict[str, Any] = {}
    found, manifest = Manifest(), Manifest()
    digests: dict[str, Any] = {}
    for member in reader.members():
        if member.name == HEAD:
            head = reader.json(member)
            if head.get("format") != FORMAT:
                raise Refused(f"this backup has format {head.get('format')!r}, this release reads {FORMAT}")
        elif member.name == MANIFEST:
            manifest = manifest_of(reader.json(member))
        else:
            digest = digests.setdefault(member.table, hashlib.sha256()) if member.table else hashlib.sha256()
            for part in iter(reader.read, b""):
                digest.update(part)
            if member.table:
                found.tables.setdefault(member.table, Digest()).size += member.size
            elif digest.hexdigest() != member.file:
                raise Refused(f"this backup is damaged: the file {member.file} is not what it was")
            else:
                found.files += 1
                found.file_bytes += member.size
    for name, one in manifest.tables.items():
        there = found.tables.pop(name, None)
        if there is None or there.size != one.size or digests[name].hexdigest() != one.sha256:
            raise Refused(f"this backup is damaged: the table {name} is not what it was")
    if found.tables or (found.files, found.file_bytes) != (manifest.files, manifest.file_bytes):
        raise Refused("this backup is damaged: it does not hold what its manifest says")
    return head, manifest
