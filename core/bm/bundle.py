"""Bundles: a site's layer in one file, to be reviewed, carried and promoted elsewhere. Data only, read in memory.

A bundle is a zip whose first member says what it is, what it was made against and the digest of each file. Nothing in
it is written to disk, and nothing is looked into before its names, sizes and digests are right.
"""

from __future__ import annotations

import io
import json
import re
import stat
import zipfile
import zlib
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from core.bm.versions.canonical import digest
from core.definition.files import SUFFIXES
from core.definition.overrides import LOCK
from core.definition.source import MAX_FILE, MAX_SET
from core.definition.text_file import FORMATS
from core.errors import Refused

FORMAT = 1
HEAD = "tessera.json"
FOLDER = "site/"
MOST_FILES = 10_000
MOST_BYTES = 25_000_000                 # of the file itself
LONGEST_HEAD = 4_000_000
LONGEST_PATH = 240
_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
_ENCRYPTED = 0x1
_HEADER = 30                            # bytes before the name of a member that has nothing more to say
_READ = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
# What zipfile raises for bytes that are no zip, or a damaged one.
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError, OverflowError)
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Line = Annotated[str, Field(max_length=500)]


class Addon(BaseModel):
    """An addon that the site's layer was checked with: its version, its definitions and its Python code, as digests."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    version: Line
    definitions: Digest
    code: Digest | None = None


class Head(BaseModel):
    """What a bundle says of itself."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    tessera: Literal["bundle"] = "bundle"
    format: int = Field(FORMAT, ge=1)
    system: Line                                     # the name of the system it is for
    base: Digest | None = None                       # the live version that the folder last equalled
    target: Digest                                   # the version that it makes
    addons: dict[Line, Addon]
    environment: list[Line] = []                     # settings whose values each system has for itself; never values
    message: Line = ""
    author: Line = ""
    made_on: Line = ""
    files: dict[Line, Digest]


class Bundle(BaseModel):
    """A bundle that was read: what it says, and the files of the site's layer."""

    model_config = ConfigDict(frozen=True)

    head: Head
    files: dict[str, bytes]


def carried(files: Mapping[str, bytes]) -> tuple[dict[str, bytes], list[str]]:
    """The files of a site's folder that bundles carry, and the names of those that they leave out."""
    found = {path: data for path, data in files.items() if _fault(path) is None}
    return found, sorted(set(files) - set(found))


def write(path: Path, head: Head, files: Mapping[str, bytes]) -> None:
    """Write a bundle; the same content gives the same bytes but for the moment in its head. Raises OSError."""
    said = head.model_copy(update={"files": {name: digest(data) for name, data in sorted(files.items())},
                                   "made_on": head.made_on or datetime.now(UTC).isoformat(timespec="seconds")})
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        _put(archive, HEAD, said.model_dump_json(indent=1).encode())
        for name, data in sorted(files.items()):
            _put(archive, FOLDER + name, data)
    path.write_bytes(out.getvalue())


def _put(archive: zipfile.ZipFile, name: str, data: bytes) -> None:
    info = zipfile.ZipInfo(name)                     # the same moment for all: 1980
    info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, (stat.S_IFREG | 0o644) << 16
    archive.writestr(info, data)


def is_bundle(path: Path) -> bool:
    """Whether a file begins as a zip does. Raises Refused for what is no file, OSError."""
    _size(path)
    with path.open("rb") as file:
        return file.read(2) == b"PK"


def _size(path: Path) -> int:
    """The bytes of an ordinary file: what else has a path may wait for ever, or never end."""
    found = path.stat()
    if not stat.S_ISREG(found.st_mode):
        raise Refused(f"{path} is no ordinary file")
    return found.st_size


def read(path: Path) -> tuple[Bundle, str]:
    """A bundle and its digest. Raises Refused saying what is wrong with it, OSError."""
    if _size(path) > MOST_BYTES:
        raise Refused(f"{path}: a bundle is no larger than {MOST_BYTES // 1_000_000} MB")
    data = path.read_bytes()
    return parse(data, path.name), digest(data)


def parse(data: bytes, shown: str) -> Bundle:
    """The bundle that some bytes are. Raises Refused before anything of it is looked into that is not as it should."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return _parse(archive, shown)
    except _BROKEN as error:
        raise Refused(f"{shown}: this is no bundle, or it is damaged ({error}); write one with `package`") from None


def _parse(archive: zipfile.ZipFile, shown: str) -> Bundle:
    members = archive.infolist()
    _check_members(members, shown)
    _check_room(archive, members, shown)
    head = _head(_content(archive, members[0], LONGEST_HEAD, shown), shown)
    files = {member.filename.removeprefix(FOLDER): _content(archive, member, MAX_FILE, shown)
             for member in members[1:]}
    for name in sorted({*head.files, *files}):
        if name not in files:
            raise Refused(f"{shown}: the file {name} is missing; the bundle was changed after it was made")
        if name not in head.files:
            raise Refused(f"{shown}: the file {name} is none of this bundle; it was added after the bundle was made")
        if digest(files[name]) != head.files[name]:
            raise Refused(f"{shown}: the file {name} was changed after the bundle was made")
    return Bundle(head=head, files=files)


def _check_members(members: list[zipfile.ZipInfo], shown: str) -> None:
    """Names, kinds and sizes, from the directory of the zip alone."""
    if len(members) > MOST_FILES:
        raise Refused(f"{shown}: a bundle has no more than {MOST_FILES:,} files")
    if not members or members[0].filename != HEAD:
        raise Refused(f"{shown}: this is no bundle: its first member is not {HEAD}; write one with `package`")
    seen: set[str] = set()
    for member in members[1:]:
        wrong = "names of a bundle begin with site/" if not member.filename.startswith(FOLDER) else \
            _fault(member.filename.removeprefix(FOLDER))
        if wrong is None and member.filename.casefold() in seen:
            wrong = "it is there twice, or differs from another name by capitals only"
        if wrong is not None:
            raise Refused(f"{shown}: {member.filename[:LONGEST_PATH]!r} cannot be in a bundle: {wrong}")
        seen.add(member.filename.casefold())
    for member in members:
        kind = stat.S_IFMT(member.external_attr >> 16)
        if kind not in (0, stat.S_IFREG) or member.is_dir():
            raise Refused(f"{shown}: {member.filename!r} is no ordinary file")
        if member.flag_bits & _ENCRYPTED or member.compress_type not in _READ:
            raise Refused(f"{shown}: {member.filename!r} is encrypted, or compressed in another way than zip's own")
    if sum(member.file_size for member in members) > MAX_SET:
        raise Refused(f"{shown}: the definitions are larger than {MAX_SET // 1_000_000} MB together")


def _check_room(archive: zipfile.ZipFile, members: list[zipfile.ZipInfo], shown: str) -> None:
    """One member after the other and nothing else, so that whatever reads it sees the same files."""
    place = 0
    for member in members:
        if member.header_offset != place:
            raise Refused(f"{shown}: this is no bundle, or it is damaged: something stands before or between its "
                          "files; write one with `package`")
        place += _HEADER + len(member.filename) + member.compress_size
    if archive.start_dir != place or archive.comment:
        raise Refused(f"{shown}: this is no bundle, or it is damaged: something stands behind its files; write one "
                      "with `package`")


def _fault(name: str) -> str | None:
    """What is wrong with the name of a file; None if bundles carry such a one."""
    parts = name.split("/")
    if len(name) > LONGEST_PATH or not all(_PART.fullmatch(part) for part in parts):
        return "names are letters, digits, _ - and dots, in folders parted by /"
    if name != LOCK and Path(name).suffix not in (*SUFFIXES, *FORMATS):
        return f"only definitions ({' '.join((*SUFFIXES, *FORMATS))}) and {LOCK} are carried"
    return None


def _content(archive: zipfile.ZipFile, member: zipfile.ZipInfo, most: int, shown: str) -> bytes:
    """The bytes of a member, never more than it says and is allowed."""
    with archive.open(member) as file:
        data = file.read(most + 1)
    if len(data) > most or len(data) != member.file_size:
        raise Refused(f"{shown}: {member.filename!r} is larger than it says, or than {most:,} bytes")
    return data


def _head(data: bytes, shown: str) -> Head:
    try:
        body: Any = json.loads(data, object_pairs_hook=_without_doubles)
        if isinstance(body, dict) and isinstance(body.get("format"), int) and body["format"] > FORMAT:
            raise Refused(f"{shown}: this bundle has format {body['format']}, this release reads format {FORMAT}; "
                          "install the newer release first")
        return Head.model_validate(body)
    except (UnicodeDecodeError, RecursionError, json.JSONDecodeError):
        raise Refused(f"{shown}: {HEAD} cannot be read; the bundle is damaged") from None
    except ValidationError as error:
        first = error.errors()[0]
        raise Refused(f"{shown}: {HEAD}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from None


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({key for key, _ in pairs}) != len(pairs):
        raise ValueError(f"{HEAD} says a thing twice")
    return dict(pairs)
