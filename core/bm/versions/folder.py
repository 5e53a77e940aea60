"""The site's folder against live: `.base` says which version it last equalled; three-way merge when live moved on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from core.definition.overrides import LOCK, read_lock, write_lock
from core.definition.yaml import read
from core.errors import Refused

BASE = ".base"
Files = Mapping[str, bytes]


def read_base(folder: Path) -> str | None:
    """The hash of the version that the folder last equalled; None when it never did."""
    path = folder / BASE
    return path.read_text(encoding="ascii", errors="replace").strip() or None if path.is_file() else None


def write_base(folder: Path, hashed: str) -> None:
    """Note that the folder equals that version; skipped when the folder cannot be written."""
    try:
        (folder / BASE).write_text(hashed + "\n", encoding="ascii")
    except OSError:
        return          # a read-only checkout: plan then compares with live straight


def put_lock(folder: Path, lock: Files) -> None:
    """Write the lock, if there is one; skipped when the folder cannot be written."""
    try:
        write_files(folder, lock, {})
    except OSError:
        return


def write_files(folder: Path, wanted: Files, known: Files) -> list[str]:
    """Make the folder hold those files; of the others only `known` ones are removed. Gives the paths that changed."""
    changed = []
    for name, data in wanted.items():
        path = _inside(folder, name)
        if not path.is_file() or path.read_bytes() != data:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
            changed.append(name)
    for name in known:
        path = _inside(folder, name)
        if name not in wanted and path.is_file():
            path.unlink()
            changed.append(name)
    return sorted(changed)


def _inside(folder: Path, name: str) -> Path:
    path = (folder / name).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise Refused(f'"{name}" leads out of the folder {folder}')
    return path


def merge(base: Files, theirs: Files, ours: Files) -> tuple[dict[str, bytes], list[str]]:
    """Merge file by file, and by property where both sides changed one; gives the files and the conflicts."""
    merged: dict[str, bytes] = {}
    conflicts: list[str] = []
    for name in sorted({*base, *theirs, *ours}):
        before, their, our = base.get(name), theirs.get(name), ours.get(name)
        if our in (before, their):
            chosen = their
        elif their == before:
            chosen = our
        else:
            chosen, found = _merge_file(name, before, their, our)
            conflicts += found
        if chosen is not None:
            merged[name] = chosen
    return merged, conflicts


def _merge_file(name: str, before: bytes | None, their: bytes | None,
                our: bytes | None) -> tuple[bytes | None, list[str]]:
    if name == LOCK:
        return _merge_lock(before, their, our), []
    if their is None or our is None:
        return our, [f"{name}: live {'removed' if their is None else 'changed'} it, this folder "
                     f"{'removed' if our is None else 'changed'} it"]
    if not name.endswith(".yaml"):
        return our, [f"{name}: changed in live and in this folder; `pull` and make your change again"]
    old, new, mine = (_body(name, data) for data in (before or b"{}", their, our))
    conflicts: list[str] = []
    body = _merge_values(name, "", old, new, mine, conflicts)
    if conflicts:
        return our, conflicts
    if body == mine:
        return our, []                          # ours says it all: its comments stay
    return yaml.safe_dump(body, allow_unicode=True, sort_keys=False, width=120).encode(), []


def _merge_lock(before: bytes | None, their: bytes | None, our: bytes | None) -> bytes:
    """Merge two locks override by override; what both changed is as this folder says: it was reviewed here."""
    old, new, mine = (read_lock(data or b"", LOCK)[0] for data in (before, their, our))
    merged = {}
    for key in {*new, *mine}:
        chosen = new.get(key) if mine.get(key) == old.get(key) else mine.get(key)
        if chosen is not None:
            merged[key] = chosen
    return write_lock(merged)


def _body(name: str, data: bytes) -> Any:
    body, _, problems = read(data, name)
    if problems:
        raise Refused("\n".join(str(problem) for problem in problems))
    return body if body is not None else {}


def _merge_values(file: str, path: str, before: Any, their: Any, our: Any, conflicts: list[str]) -> Any:
    if our in (before, their):
        return their
    if their == before:
        return our
    if isinstance(their, Mapping) and isinstance(our, Mapping):
        old = before if isinstance(before, Mapping) else {}
        return dict(_merge_maps(file, path, old, their, our, conflicts))
    conflicts.append(f"{file}: {path}: live says {their!r}, this folder says {our!r} (it was {before!r})")
    return our


def _merge_maps(file: str, path: str, before: Mapping[str, Any], their: Mapping[str, Any], our: Mapping[str, Any],
                conflicts: list[str]) -> Iterator[tuple[str, Any]]:
    missing = object()
    for key in [*our, *(key for key in their if key not in our)]:
        old, new, mine = (side.get(key, missing) for side in (before, their, our))
        place = f"{path}.{key}" if path else key
        if old is not missing and missing in (new, mine) and old not in (new, mine):
            conflicts.append(f"{file}: {place}: changed on one side and removed on the other")
            continue
        value = _merge_values(file, place, old, new, mine, conflicts)
        if value is not missing:
            yield key, value
