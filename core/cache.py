"""The cache of a system: what can be made again from files, kept under hashes of all that it was made from.

A file that is damaged, cut off, of other code or of another user counts as not there, and is written again. Writing
replaces a file as a whole, so that commands may run side by side; one that cannot write goes on without.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

FORMAT = 1
ROOT = Path(__file__).resolve().parent
READERS = ("definition", "expression", "types")        # what files of definitions mean is said in these, and in core
LEFT_OUT = frozenset({"static", "demo", "tests", "docs"})


class Cache:
    """Values as JSON in a folder; without a folder nothing is kept."""

    def __init__(self, folder: Path | None, code: str | None = None) -> None:
        self.folder = folder
        self._code = code

    @property
    def code(self) -> str:
        """The hash of the code that made what is kept."""
        return self._code or code_version()

    def read(self, name: str) -> Any | None:
        """What was kept under a name; None if there is nothing, or nothing that can be trusted."""
        if self.folder is None:
            return None
        try:
            with (self.folder / name).open("rb") as file:
                if os.fstat(file.fileno()).st_uid != os.getuid():
                    return None
                head, _, data = file.read().partition(b"\n")
            return json.loads(data) if head == self._head(data) else None
        except (OSError, ValueError):
            return None

    def write(self, name: str, value: object) -> None:
        """Keep a value under a name."""
        if self.folder is None:
            return
        data = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
        temporary = ""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            number, temporary = tempfile.mkstemp(dir=self.folder)
            with os.fdopen(number, "wb") as file:
                file.write(self._head(data) + b"\n" + data)
            Path(temporary).replace(self.folder / name)
        except OSError:
            if temporary:
                with suppress(OSError):
                    Path(temporary).unlink()

    def _head(self, data: bytes) -> bytes:
        return f"tessera cache {FORMAT} {self.code} {hashlib.sha256(data).hexdigest()}".encode()


@lru_cache(maxsize=1)
def code_version() -> str:
    """The hash of all code that decides what definitions mean, and of the Python and the libraries below it."""
    found = hashlib.sha256(sys.version.encode())
    folders = (ROOT, *(ROOT / name for name in READERS))
    paths = (path for folder in folders for path in (folder.glob("*") if folder == ROOT else folder.rglob("*")))
    for path in sorted((ROOT.parent / "requirements.txt", *paths)):
        if path.suffix in (".py", ".txt") and path.is_file():
            found.update(f"{path.relative_to(ROOT.parent)}\n".encode() + path.read_bytes())
    return found.hexdigest()


def contents(folders: Iterable[Path]) -> dict[str, str]:
    """The hash of every file under folders, and "" for folders: all that loading definitions may look at."""
    return {path: digest for folder in folders for path, digest in _walk(str(folder))}


def _walk(folder: str) -> Iterator[tuple[str, str]]:
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError:
        return
    for entry in entries:
        if entry.name.startswith((".", "__")) or entry.name.endswith(".pyc"):
            continue
        if entry.is_symlink() and not Path(entry.path).is_file():      # of a folder, or of nothing: not followed
            yield entry.path, "link"
        elif entry.is_dir():
            if entry.name not in LEFT_OUT:
                yield entry.path, ""
                yield from _walk(entry.path)
        elif entry.is_file():
            with open(entry.path, "rb") as file:
                yield entry.path, hashlib.sha256(file.read()).hexdigest()


def digest(value: Mapping[str, str] | Iterable[str]) -> str:
    """One hash of texts, or of names and texts."""
    return hashlib.sha256(json.dumps(value if isinstance(value, Mapping) else list(value)).encode()).hexdigest()
