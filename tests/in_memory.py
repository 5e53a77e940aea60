"""A folder in memory for the server of a run: on a disk, copying a database costs ten times as much."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MEMORY = Path("/dev/shm")
ROOM = 3 << 30                  # bytes; a run needs less than one
NAMES = "tessera-tests-"


@contextmanager
def folder(memory: Path = MEMORY, room: int = ROOM) -> Iterator[Path | None]:
    """An own folder for as long as the block runs; None where there is no memory for it."""
    if not os.access(memory, os.W_OK) or shutil.disk_usage(memory).free < room:
        yield None
        return
    _remove_left(memory)
    made = Path(tempfile.mkdtemp(prefix=NAMES, dir=memory))
    made.chmod(0o755)           # PostgreSQL may run as another user
    try:
        with (made / "new").open("w") as used:
            fcntl.flock(used, fcntl.LOCK_EX)
            (made / "new").rename(made / "used")        # before it is locked, it would be taken for left
            yield made
    finally:
        shutil.rmtree(made)


def _remove_left(memory: Path) -> None:
    """Remove what killed runs left: nobody holds its lock any more."""
    for left in memory.glob(f"{NAMES}*/used"):
        if os.access(left, os.W_OK):
            with left.open("a") as used:
                try:
                    fcntl.flock(used, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    continue
                shutil.rmtree(left.parent)
