"""The working files: what changed in the folders of definitions, and a copy of the site's that nobody else writes."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from core.errors import Refused

Stamp = tuple[int, int, int]                         # when it was changed, its size, which file it is
Stamps = Mapping[str, Stamp]
_MADE = frozenset(("__pycache__", "node_modules"))   # not written by people


def stamps(folders: Iterable[Path]) -> Stamps:
    """Every file of the folders with what tells that it changed; hidden ones are left out. Raises Refused."""
    found: dict[str, Stamp] = {}
    for folder in folders:
        try:
            for entry in _files(folder):
                stat = entry.stat()
                found[entry.path] = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
        except OSError as error:
            raise Refused("{place}: cannot be read: {reason}", place=error.filename or folder,
                          reason=error.strerror or str(error)) from None
    return found


def copy(folder: Path, to: Path) -> None:
    """Make `to` hold the files of the folder, and no others but hidden ones. Raises Refused for what is unreadable."""
    to.mkdir(parents=True, exist_ok=True)
    wanted = {str(Path(path).relative_to(folder)): stamp for path, stamp in stamps([folder]).items()}
    there = {str(Path(path).relative_to(to)): stamp for path, stamp in stamps([to]).items()}
    for name in there.keys() - wanted.keys():
        (to / name).unlink()
    for name, stamp in wanted.items():
        if there.get(name, (0, 0, 0))[:2] != stamp[:2]:
            _copy_file(folder / name, to / name)


def _copy_file(source: Path, target: Path) -> None:
    if target.is_dir():
        shutil.rmtree(target)                        # a folder of that name is empty by now
    for above in target.parents:
        if above.is_file():
            above.unlink()
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        shutil.copy2(source, target)
    except FileNotFoundError:
        target.unlink(missing_ok=True)               # gone since we looked; the next look sees that
    except OSError as error:
        raise Refused("{place}: cannot be read: {reason}", place=source, reason=error.strerror or str(error)) from None


def _files(folder: Path | str) -> Iterator[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith(".") or entry.name in _MADE:
                continue
            if entry.is_dir():
                yield from _files(entry.path)
            elif entry.is_file():
                yield entry
