"""Files of definitions are replaced as a whole, all or none, and never outside the folder that is meant."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from core.errors import Refused


def inside(folder: Path, path: Path) -> Path:
    """Where a file of a folder really is. Raises Refused if a link leads out of the folder."""
    found = path.resolve()
    if not found.is_relative_to(folder.resolve()):
        raise Refused("{path} is a link that leads out of {folder}: nothing is written there", path=str(path),
                      folder=str(folder))
    return found


def replace_files(folder: Path, texts: Mapping[Path, str | None]) -> None:
    """Write all texts or none, and remove what is to be None; each beside its old file first, which it then replaces.

    Raises Refused, before anything is written, for what is not in the folder.
    """
    wanted = {inside(folder, path): text for path, text in texts.items()}
    before = {path: path.read_bytes() if path.is_file() else None for path in wanted}
    beside: dict[Path, Path] = {}
    done: list[Path] = []
    try:
        for path, text in wanted.items():
            if text is not None:
                path.parent.mkdir(parents=True, exist_ok=True)
                beside[path] = _beside(path, text)
        for path in wanted:
            done.append(path)
            if path in beside:
                os.replace(beside[path], path)
            else:
                path.unlink()
    except OSError:
        for path in done:
            _restore(path, before[path])
        raise
    finally:
        for one in beside.values():
            one.unlink(missing_ok=True)


def _beside(path: Path, text: str) -> Path:
    """A new file with the text and the rights of the old one; its name is one that no definition has."""
    number, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    with os.fdopen(number, "w", encoding="utf-8", newline="") as file:
        file.write(text)
        file.flush()
        os.fsync(number)
    os.chmod(name, path.stat().st_mode & 0o777 if path.exists() else 0o644)
    return Path(name)


def _restore(path: Path, data: bytes | None) -> None:
    if data is None:
        path.unlink(missing_ok=True)
    elif not path.is_file() or path.read_bytes() != data:
        path.write_bytes(data)
