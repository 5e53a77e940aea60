"""A wire between the server and PostgreSQL that can be slow, silent or cut at a chosen moment."""

from __future__ import annotations

import socket
import threading
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Literal

COMMIT = b"COMMIT\x00"


@dataclass
class Link:
    """One connection: both its ends, and what went through it since its transaction began."""

    client: socket.socket
    server: socket.socket
    said: bytes = b""
    muted: bool = False                     # answers are swallowed from now on: the next one cuts the wire

    def cut(self) -> None:
        for end in (self.client, self.server):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


@dataclass
class Proxy:
    """Listens on a port of its own and hands everything on to another."""

    target: int
    latency: float = 0.0                    # seconds before each message of the client is handed on
    trips: Counter[str] = field(default_factory=Counter)         # messages of clients, by their first word
    cuts: int = 0
    _cut: tuple[bytes, Literal["before", "after"]] | None = None
    _links: list[Link] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._open = threading.Event()
        self._open.set()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=200)
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def cut_commit(self, marker: str, when: Literal["before", "after"]) -> None:
        """Cut the wire of the next transaction that says this: before its COMMIT arrives, or after, before it is answered."""
        self._cut = (marker.encode(), when)

    def hole(self, closed: bool) -> None:
        """Swallow everything, in both directions, without a word; or hand on what was kept and all that comes."""
        (self._open.clear if closed else self._open.set)()

    def close(self) -> None:
        self._listener.close()
        self._open.set()
        for link in self._links:
            link.cut()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._connect, args=(client,), daemon=True).start()

    def _connect(self, client: socket.socket) -> None:
        self._open.wait()
        try:
            server = socket.create_connection(("127.0.0.1", self.target))
        except OSError:
            client.close()
            return
        for end in (client, server):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        link = Link(client, server)
        self._links.append(link)
        back = threading.Thread(target=self._answers, args=(link,), daemon=True)
        back.start()
        self._asks(link)
        back.join()
        client.close()
        server.close()
        self._links.remove(link)

    def _asks(self, link: Link) -> None:
        with suppress(OSError):
            while data := link.client.recv(65_536):
                self._open.wait()
                if self.latency:
                    time.sleep(self.latency)
                if data[:1] == b"Q":
                    self.trips[data[5:40].split(b"\x00")[0].decode(errors="replace").split(" ")[0].lower()] += 1
                if self._ends_here(link, data):
                    break
                link.server.sendall(data)
        link.cut()

    def _ends_here(self, link: Link, data: bytes) -> bool:
        """Whether the wire is to be cut before this is handed on."""
        link.said += data
        if not data.endswith(COMMIT):
            return False
        said, link.said = link.said, b""
        if self._cut is None or self._cut[0] not in said:
            return False
        when = self._cut[1]
        self._cut = None
        self.cuts += 1
        link.muted = when == "after"
        return when == "before"

    def _answers(self, link: Link) -> None:
        with suppress(OSError):
            while data := link.server.recv(65_536):
                if link.muted:                      # it was committed
                    break
                self._open.wait()
                link.client.sendall(data)
        link.cut()
