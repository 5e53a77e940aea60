"""`serve`: one server a system, workers that never outlive it, a clean end."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from sqlalchemy import Engine, text

from core.settings import ROOT, Settings
from core.web.offline_socket import Wire


class Server:
    """A running `serve` of a module's database."""

    def __init__(self, settings: Settings, *arguments: str) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.settings = settings
        self.process = start(settings, "--port", str(self.port), "--workers", "2", *arguments)
        wait_for(lambda: self.process.poll() is not None or self.answers())
        assert self.process.poll() is None, self.output()

    def get(self, path: str = "/", timeout: float = 5) -> str:
        with urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=timeout) as answer:
            return str(answer.read().decode())

    def answers(self) -> bool:
        try:
            return bool(self.get())
        except (URLError, ConnectionError, TimeoutError):
            return False

    def pids(self) -> set[int]:
        """The workers that answer now; a request may hit one that is just being killed."""
        found = set()
        for _ in range(40):
            with suppress(URLError, ConnectionError, TimeoutError):
                found.add(int(self.get()))
        return found

    def work_pids(self, notes: str = "work.pids") -> list[int]:
        path = self.settings.home / notes
        return [int(line) for line in path.read_text().split()] if path.exists() else []

    def output(self) -> str:
        assert self.process.stdout
        return self.process.stdout.read()

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()


def start(settings: Settings, *arguments: str) -> subprocess.Popen[str]:
    environ = {**os.environ, "TESSERA_HOME": str(settings.home), "TESSERA_DATABASE": str(settings.database)}
    return subprocess.Popen([sys.executable, "-m", "tests.core.cli.served", "serve", *arguments], cwd=ROOT,
                            env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def wait_for(condition: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.05)


def gone(pid: int) -> bool:
    """Whether a process is no more, or only a zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


@pytest.fixture(scope="module", autouse=True)
def live(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("insert into bm.version (hash, manifest, identities) values ('a', '{}', '{}')"))
        connection.execute(text("update bm.live set version = (select max(id) from bm.version)"))


@pytest.fixture
def served(database: Settings) -> Iterator[Callable[..., Server]]:
    started: list[Server] = []

    def make(*arguments: str) -> Server:
        started.append(Server(database, *arguments))
        return started[-1]

    for notes in ("work.pids", "offline.pids"):
        (database.home / notes).unlink(missing_ok=True)
    yield make
    for server in started:
        server.end()


def test_a_second_server_of_a_system_is_refused_and_names_the_first(served: Callable[..., Server],
                                                                    database: Settings) -> None:
    first = served("--no-work")
    second = start(database, "--no-work", "--port", "1")
    output, _ = second.communicate(timeout=60)
    assert second.returncode == 1
    assert f"served already by process {first.process.pid} at http://127.0.0.1:{first.port}" in output


def test_a_port_in_use_is_refused(database: Settings) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        refused = start(database, "--no-work", "--port", port)
        output, _ = refused.communicate(timeout=60)
    assert refused.returncode == 1
    assert f"cannot listen on 127.0.0.1 port {port}" in output


def test_two_workers_answer_and_a_killed_one_is_replaced(served: Callable[..., Server]) -> None:
    server = served("--no-work")
    wait_for(lambda: len(server.pids()) == 2)
    victim = server.pids().pop()
    os.kill(victim, signal.SIGKILL)
    wait_for(lambda: server.answers() and len(server.pids() - {victim}) == 2)


def test_sighup_replaces_the_workers_one_by_one(served: Callable[..., Server]) -> None:
    server = served("--no-work")
    wait_for(lambda: len(server.pids()) == 2)
    before = server.pids()
    server.process.send_signal(signal.SIGHUP)
    wait_for(lambda: len(server.pids() - before) == 2)
    assert server.process.poll() is None


def test_no_process_outlives_a_killed_server_and_the_next_one_starts(served: Callable[..., Server]) -> None:
    server = served()
    wait_for(lambda: bool(server.work_pids()))
    children = [*server.pids(), *server.work_pids()]
    server.process.kill()
    wait_for(lambda: all(gone(pid) for pid in children), 10)
    assert served("--no-work").answers()


def test_sigterm_stops_everything_cleanly(served: Callable[..., Server]) -> None:
    server = served()
    wait_for(lambda: bool(server.work_pids()))
    children = [*server.pids(), *server.work_pids()]
    server.process.terminate()
    assert server.process.wait(60) == 0
    assert all(gone(pid) for pid in children)


def test_a_worker_that_does_not_stop_is_killed_in_time(served: Callable[..., Server]) -> None:
    server = served("--no-work", "--workers-kill-timeout", "1")
    slow = subprocess.Popen([sys.executable, "-c", f"from urllib.request import urlopen;"
                             f"urlopen('http://127.0.0.1:{server.port}/slow')"], stderr=subprocess.DEVNULL)
    time.sleep(0.5)
    begun = time.monotonic()
    server.process.terminate()
    server.process.wait(60)
    assert time.monotonic() - begun < 9
    slow.wait(60)


def test_a_work_process_that_dies_is_started_again(served: Callable[..., Server]) -> None:
    server = served()
    wait_for(lambda: len(server.work_pids()) == 1)
    os.kill(server.work_pids()[0], signal.SIGKILL)
    wait_for(lambda: len(server.work_pids()) == 2)
    assert server.answers()


def test_the_offline_system_starts_when_it_is_asked_for_and_again_when_it_dies(served: Callable[..., Server]) -> None:
    server = served("--no-work")
    assert server.answers() and server.work_pids("offline.pids") == [], "nobody asked for it"
    with closing(Wire(server.settings.home / "offline", 5)) as wire:
        wire.connect()
        wait_for(lambda: len(server.work_pids("offline.pids")) == 1)
        os.kill(server.work_pids("offline.pids")[0], signal.SIGKILL)
        wait_for(lambda: len(server.work_pids("offline.pids")) == 2)
        assert server.answers()
        last = server.work_pids("offline.pids")[-1]
        server.process.kill()
        wait_for(lambda: gone(last), 10)
    assert served("--no-work").answers(), "the socket of a killed server is in nobody's way"


def test_the_offline_system_ends_with_the_server(served: Callable[..., Server]) -> None:
    server = served("--no-work")
    with closing(Wire(server.settings.home / "offline", 5)) as wire:
        wire.connect()
        wait_for(lambda: len(server.work_pids("offline.pids")) == 1)
    server.process.terminate()
    assert server.process.wait(60) == 0
    assert gone(server.work_pids("offline.pids")[0])
    with pytest.raises(ConnectionRefusedError):
        Wire(server.settings.home / "offline", 5).connect()


def test_without_an_offline_system_nobody_listens_for_it(served: Callable[..., Server], database: Settings) -> None:
    (database.home / "offline" / "socket").unlink(missing_ok=True)
    server = served("--no-work", "--no-offline")
    assert not (database.home / "offline" / "socket").exists()
    server.process.terminate()
    server.process.wait(60)
    assert "/offline/" not in server.output()


def test_without_a_live_version_nothing_is_served(database: Settings, engine: Engine) -> None:
    with engine.begin() as connection:
        version = connection.scalar(text("select version from bm.live"))
        connection.execute(text("update bm.live set version = null"))
    try:
        refused = start(database, "--no-work")
        output, _ = refused.communicate(timeout=60)
    finally:
        with engine.begin() as connection:
            connection.execute(text("update bm.live set version = :version"), {"version": version})
    assert (refused.returncode, output) == (1, "there is no live version yet: run `server.py init`\n")


def test_a_demo_listens_on_the_loopback_only_unless_told(served: Callable[..., Server], engine: Engine,
                                                         monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TESSERA_HOST", "0.0.0.0")
    with engine.begin() as connection:
        connection.execute(text("insert into sys.setting values ('demo', 'true')"))
    server = served("--no-work")
    server.process.terminate()
    server.process.wait(60)
    assert f"Tessera: http://127.0.0.1:{server.port}/" in server.output()
