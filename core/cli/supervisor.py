"""Keeping the processes of `serve` together: one server a system, and no process that outlives it."""

from __future__ import annotations

import ctypes
import fcntl
import json
import logging
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from granian.constants import Interfaces
from granian.server import Server

from core import log
from core.errors import Refused
from core.settings import ROOT, Settings

PR_SET_PDEATHSIG = 1
TARGET = "core.web.wsgi:application"
# Threads of a worker, made when needed: whoever sends or reads slowly holds one, and nothing else. How many requests
# are worked on at once is settings.threads.
CLIENTS = 256
LOOK = 0.5                      # seconds between two looks at whether the server stops
logger = logging.getLogger("tessera.serve")


def die_with(parent: int) -> None:
    """Let the kernel kill this process when its parent ends, however it ends."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:                       # it ended before we could ask
        os._exit(1)


@contextmanager
def serve_lock(home: Path, address: str) -> Iterator[None]:
    """Be the one server of that home for the block; forked workers inherit the lock. Raises Refused."""
    path = home / "serve.lock"
    with path.open("a+") as file:
        _take(file.fileno(), path)
        file.truncate(0)
        file.write(json.dumps({"pid": os.getpid(), "address": address}))
        file.flush()
        try:
            yield
        finally:
            file.truncate(0)
            fcntl.flock(file, fcntl.LOCK_UN)


def _take(handle: int, path: Path) -> None:
    end = time.monotonic() + 2                       # the workers of a killed server are on their way out
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() > end or _holder_alive(path):
                raise Refused(f"this system is served already by {_holder(path)}; stop that first") from None
            time.sleep(0.05)


def _read_holder(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _holder_alive(path: Path) -> bool:
    pid = _read_holder(path).get("pid")
    return isinstance(pid, int) and Path(f"/proc/{pid}").exists()


def _holder(path: Path) -> str:
    found = _read_holder(path)
    return f"process {found['pid']} at {found['address']}" if found else "another process"


def check_port(host: str, port: int) -> None:
    """Refuse a port that is in use; granian would share it in silence."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise Refused(f"cannot listen on {host} port {port}: {error.strerror}; choose another one with --port"
                          ) from None


def serve(settings: Settings, *, target: str = TARGET, on_start: Callable[[], None] = lambda: None) -> None:
    """Run the web workers until a signal stops them; a worker that dies is replaced."""
    server: Any = Server(
        target, address=settings.host, port=settings.port, interface=Interfaces.WSGI, workers=settings.workers,
        blocking_threads=CLIENTS, workers_kill_timeout=settings.kill_timeout,
        respawn_failed_workers=True, websockets=False, log_dictconfig=_granian_logs())
    server.on_startup(on_start)
    server.serve(target_loader=partial(_load, target, os.getpid(), settings.log), wrap_loader=False)


def _granian_logs() -> dict[str, Any]:
    """The server's own messages go where all others go."""
    passed_on: dict[str, Any] = {"handlers": [], "propagate": True}
    return {"loggers": {"_granian": dict(passed_on), "granian.access": dict(passed_on)}}


def _load(target: str, parent: int, level: str) -> Any:
    """The application, loaded in a worker."""
    die_with(parent)
    log.configure(level, people=sys.stderr.isatty())
    for name in [name for name in os.environ if name.startswith("HTTP_")]:
        del os.environ[name]                         # granian would hand them on as headers of every request
    module, name = target.split(":")
    return getattr(__import__(module, fromlist=[name]), name)


class Child:
    """A process beside the workers: started when it is wanted, again when it dies, stopped with the server."""

    name = "work"
    longest = 30.0                                   # seconds to wait before one that dies at once is started again

    def __init__(self, command: Sequence[str], kill_timeout: float) -> None:
        self._command = list(command)
        self._kill_timeout = kill_timeout
        self._stopping = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        # The parent-death signal follows the thread that started the child, so this one lives as long as we do.
        self._thread = threading.Thread(target=self._watch, name=self.name, daemon=True)

    def start(self) -> None:
        """Start the thread that starts the child and watches it."""
        self._thread.start()

    def stop(self) -> None:
        """End the child, by force when it takes too long, and wait for it."""
        self._stopping.set()
        if not self._thread.is_alive():
            return
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
        self._thread.join(self._kill_timeout)
        if self._thread.is_alive() and self._process is not None:
            self._process.kill()
            self._thread.join()

    def wait(self) -> None:
        """Wait until the child is wanted, or the server stops."""

    def _watch(self) -> None:
        pause = 1.0
        while not self._stopping.is_set():
            self.wait()
            if self._stopping.is_set():
                return
            born = time.monotonic()
            # close_fds=False lets Popen use posix_spawn. Its other way waits on a pipe that a worker forked at the
            # same moment would hold open for good; nothing is inherited, since Python opens files that way.
            self._process = subprocess.Popen(self._command, stdin=subprocess.DEVNULL, close_fds=False)
            if self._stopping.is_set():              # stop() may have looked before there was a child
                self._process.terminate()
            code = self._process.wait()
            if self._stopping.is_set():
                return
            pause = 1.0 if time.monotonic() - born > 30 else min(pause * 2, self.longest)
            logger.error("the %s process ended with code %s, starts again in %s s", self.name, code, pause)
            self._stopping.wait(pause)


class WorkChild(Child):
    """The `work` process of a server."""


class OfflineChild(Child):
    """The offline system of a server: it starts with the first connection to its socket, or at once.

    The socket is ours and handed down, so whoever connects while it starts, or starts again, only waits.
    """

    name = "offline"
    longest = 4.0                                    # somebody waits for it

    def __init__(self, settings: Settings, listener: socket.socket) -> None:
        super().__init__(offline_command(listener), settings.kill_timeout)
        self._listener = listener
        self._at_once = settings.offline_at_start
        os.set_inheritable(listener.fileno(), True)

    def wait(self) -> None:
        """Wait for the first connection."""
        while not self._at_once and not self._stopping.is_set():
            if select.select([self._listener], [], [], LOOK)[0]:
                return
        self._at_once = False

    def stop(self) -> None:
        """End the child; nobody can reach it from now on."""
        super().stop()
        self._listener.close()


def work_command() -> list[str]:
    """How `serve` starts its work process."""
    return [sys.executable, str(ROOT / "server.py"), "work", "--parent", str(os.getpid())]


def offline_command(listener: socket.socket) -> list[str]:
    """How `serve` starts its offline system."""
    return [sys.executable, str(ROOT / "server.py"), "offline", "--parent", str(os.getpid()),
            "--socket", str(listener.fileno())]
