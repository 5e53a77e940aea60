"""The server of the offline system: a few people on this machine's own socket, each request in a thread."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable
from typing import Any

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class Handler(WSGIRequestHandler):
    """Speaks HTTP/1.1, so that an answer that breaks off is known as such; requests are logged by the pages."""

    protocol_version = "HTTP/1.1"
    timeout = 60                                     # seconds in which nothing comes from the server before us

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """The application logs each request already."""


def server(listener: socket.socket, application: Wsgi) -> BaseWSGIServer:
    """A server for a listening socket; `serve_forever` answers until the process is told to stop."""
    return make_server("unix://offline", 0, application, threaded=True, request_handler=Handler,
                       fd=listener.fileno())
