"""`server.py` whose workers kill themselves where a request asks for it: `python -m tests.sweep.dying serve ...`.

With the header `X-Die-At: 7` the worker dies right before the 7th statement or COMMIT of that request; with
`X-Die-At: answer` when everything is done and nothing said. The header `X-Moments` tells how many there were.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterable
from functools import partial
from typing import Any

from granian.server import Server
from sqlalchemy import Engine, event

from core.cli import main, supervisor

if __name__ != "__main__":                       # in a worker: it has its settings in the environment
    from core.web.wsgi import application as inner

request = threading.local()


def die() -> None:
    """End as a process ends when the machine loses power."""
    os.kill(os.getpid(), signal.SIGKILL)


def pass_by(*_: Any) -> None:
    """Count a moment of this thread's request; die if it is the one."""
    request.moments = getattr(request, "moments", 0) + 1
    if str(request.moments) == getattr(request, "wanted", ""):
        die()


event.listen(Engine, "before_cursor_execute", pass_by)
event.listen(Engine, "commit", pass_by)


def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """The application, which may not live to answer."""
    request.moments, request.wanted = 0, environ.get("HTTP_X_DIE_AT", "")

    def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
        if request.wanted == "answer":
            die()
        return start_response(status, [*headers, ("X-Moments", str(request.moments))], *rest)
    return inner(environ, start)


def respawn(server: Any, *given: Any) -> None:
    """As granian does, who takes a worker that dies again within five seconds for broken, and ends the server."""
    spawn(server, *given)
    server.respawned_wrks.clear()


if __name__ == "__main__":
    spawn, Server._respawn_workers = Server._respawn_workers, respawn
    supervisor.serve = partial(supervisor.serve, target="tests.sweep.dying:application")
    sys.exit(main())
