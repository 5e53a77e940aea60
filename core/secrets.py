"""Secrets: from the environment, else from `secrets.yaml` (0600) in the system's home, made on first use."""

from __future__ import annotations

import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml

from core.errors import Refused


def secret(home: Path, name: str) -> str:
    """The secret of that name, made and kept when there is none; raises Refused when others may read the file."""
    return os.environ.get("TESSERA_" + name.upper()) or _from_file(home, name)


def _from_file(home: Path, name: str) -> str:
    path = home / "secrets.yaml"
    found = read(path).get(name)
    if found:
        return found
    home.mkdir(parents=True, exist_ok=True)
    with _locked(home):
        known = read(path)
        if name not in known:
            known[name] = secrets.token_urlsafe(32)
            write(path, known)
        return known[name]


def read(path: Path) -> dict[str, str]:
    """All secrets of a file, none when there is no file; raises Refused when others may read it."""
    try:
        with path.open(encoding="utf-8") as file:
            mode = os.fstat(file.fileno()).st_mode
            values = yaml.safe_load(file) or {}
    except FileNotFoundError:
        return {}
    except (OSError, yaml.YAMLError) as error:
        raise Refused(f"{path}: cannot be read: {error}") from None
    if mode & 0o077:
        raise Refused(f"{path}: others may read it; do `chmod 600 {path}`, and change what is in it")
    if not isinstance(values, dict):
        raise Refused(f"{path}: must be a map of names to secrets")
    return {str(name): str(value) for name, value in values.items()}


def write(path: Path, values: dict[str, str]) -> None:
    """Replace a file of secrets in one step, so that no reader ever sees half of it."""
    new = path.with_suffix(".new")
    handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        os.fchmod(file.fileno(), 0o600)
        yaml.safe_dump(values, file)
    os.replace(new, path)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        fcntl.flock(handle, fcntl.LOCK_UN)
        os.close(handle)
