"""The wire between a server and its offline system: a socket in a folder that only its own user may enter."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path

NAME = "socket"
WAITING = 128                   # connections that may wait while the offline system starts


def listen(folder: Path) -> socket.socket:
    """Listen in that folder, which is made for nobody else; what an earlier server left there goes."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    (folder / NAME).unlink(missing_ok=True)
    found = socket.socket(socket.AF_UNIX)
    with _address(folder) as address:
        found.bind(address)
    found.listen(WAITING)
    return found


class Wire(HTTPConnection):
    """An HTTP connection to the offline system whose home is that folder; raises OSError when nobody listens."""

    def __init__(self, folder: Path, seconds: float) -> None:
        super().__init__("offline", timeout=seconds)
        self._folder = folder

    def connect(self) -> None:
        """Reach the socket."""
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        with _address(self._folder) as address:
            self.sock.connect(address)


@contextmanager
def _address(folder: Path) -> Iterator[str]:
    """The socket's address by way of a handle of its folder: an address has room for 107 bytes only."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{handle}/{NAME}"
    finally:
        os.close(handle)
