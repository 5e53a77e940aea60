"""The embedded PostgreSQL: started by the first command, shared, stopped by the last, adopted after a kill."""

from __future__ import annotations

import fcntl
import multiprocessing
import os
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from core.database import address, embedded
from core.database import engine as engines
from core.errors import Refused
from core.settings import ROOT, Settings

HOLDER = """
import sys
from pathlib import Path
from core.database import embedded
from core.settings import Settings
settings = Settings(home=Path(sys.argv[1]), postgres={"fsync": "off"})
with embedded.ensure(settings):
    print(embedded.running(settings.home), flush=True)
    sys.stdin.read()
"""


class Command:
    """Another process that uses the database until it is told to leave."""

    def __init__(self, home: Path) -> None:
        self.process = subprocess.Popen([sys.executable, "-c", HOLDER, str(home)], cwd=ROOT, text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def server(self) -> int:
        assert self.process.stdout
        return int(self.process.stdout.readline())

    def leave(self) -> None:
        self.process.communicate(timeout=60)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    settings = Settings(home=tmp_path / "home", postgres={"fsync": "off"})
    yield settings
    embedded.stop(settings.home)


def test_the_first_command_starts_it_and_the_last_one_stops_it(settings: Settings) -> None:
    first, second = Command(settings.home), None
    server = first.server()
    second = Command(settings.home)
    assert second.server() == server
    first.leave()
    assert embedded.running(settings.home) == server
    second.leave()
    assert embedded.running(settings.home) is None


def test_what_was_written_is_there_at_the_next_start(settings: Settings) -> None:
    with embedded.ensure(settings):
        pool = engines.open(settings, "owner")
        with engines.transaction(pool) as connection:
            connection.exec_driver_sql("create table public.kept as select 7 as number")
        pool.dispose()
    with embedded.ensure(settings):
        pool = engines.open(settings, "owner")
        with engines.transaction(pool) as connection:
            assert connection.exec_driver_sql("select number from public.kept").scalar() == 7
        pool.dispose()


def test_the_server_of_a_killed_command_is_adopted_and_stopped_by_its_heir(settings: Settings) -> None:
    first = Command(settings.home)
    server = first.server()
    first.kill()
    assert embedded.running(settings.home) == server
    heir = Command(settings.home)
    assert heir.server() == server
    heir.leave()
    assert embedded.running(settings.home) is None


def test_fault_34_three_first_starts_at_once_make_one_server(settings: Settings) -> None:
    commands = [Command(settings.home) for _ in range(3)]
    assert len({command.server() for command in commands}) == 1
    for command in commands:
        command.leave()
    assert embedded.running(settings.home) is None


def test_a_killed_server_is_started_again(settings: Settings) -> None:
    command = Command(settings.home)
    server = command.server()
    os.kill(server, signal.SIGKILL)
    command.leave()
    with embedded.ensure(settings):
        assert embedded.running(settings.home) not in (None, server)


def test_a_guarded_server_that_is_killed_comes_back_on_its_port(settings: Settings) -> None:
    with embedded.ensure(settings, guard=True):
        server, port = embedded.running(settings.home), address.port(settings.home)
        assert server is not None
        pool = engines.open(settings, "owner")
        with engines.transaction(pool) as connection:
            connection.exec_driver_sql("create table public.kept as select 7 as number")
        os.kill(server, signal.SIGKILL)
        end = time.monotonic() + 60
        while embedded.running(settings.home) in (None, server) or not _answers(pool):
            assert time.monotonic() < end, "it did not come back"
            time.sleep(0.05)
        assert address.port(settings.home) == port
        pool.dispose()
    assert embedded.running(settings.home) is None


def _answers(pool: Engine) -> bool:
    try:
        with engines.transaction(pool) as connection:
            return connection.exec_driver_sql("select number from public.kept").scalar() == 7
    except OperationalError:
        return False


def test_a_strangers_process_number_is_not_taken_for_the_server(settings: Settings) -> None:
    with embedded.ensure(settings):
        pass
    stranger = subprocess.Popen(["sleep", "60"])
    try:
        (embedded.data_folder(settings.home) / "postmaster.pid").write_text(f"{stranger.pid}\n")
        assert embedded.running(settings.home) is None
        embedded.stop(settings.home)
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()
        (embedded.data_folder(settings.home) / "postmaster.pid").unlink(missing_ok=True)


def test_fault_34_a_first_start_that_was_killed_leaves_nothing_behind(settings: Settings) -> None:
    half = embedded.data_folder(settings.home).with_suffix(".new")
    (half / "base").mkdir(parents=True)
    with embedded.ensure(settings):
        assert embedded.running(settings.home)
    assert not half.exists()


class Killed(BaseException):
    """Nobody catches this, as nobody catches a kill."""


@pytest.mark.parametrize("step", ["_pg_ctl", "_bootstrap"])
def test_a_first_start_that_was_killed_right_before_or_after_the_server_ran_is_completed(
        settings: Settings, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    original = getattr(embedded, step)

    def killed(*arguments: object) -> None:
        if step == "_pg_ctl":
            original(*arguments)
        raise Killed
    monkeypatch.setattr(embedded, step, killed)
    with pytest.raises(Killed), embedded.ensure(settings):
        pass
    assert embedded.running(settings.home)
    monkeypatch.undo()
    with embedded.ensure(settings):
        pool = engines.open(settings, "owner")
        with engines.transaction(pool) as connection:
            assert connection.exec_driver_sql("select current_user").scalar() == "tessera"
        pool.dispose()


def test_an_initdb_that_outlives_a_killed_start_is_waited_for(settings: Settings) -> None:
    command = Command(settings.home)
    half = embedded.data_folder(settings.home).with_suffix(".new")
    while not (half / "base").exists():
        time.sleep(0.005)
    command.kill()
    with embedded.ensure(settings):
        assert embedded.running(settings.home)
    assert not half.exists()


def test_fault_34_a_server_that_a_killed_command_was_stopping_is_waited_for_and_started_again(settings: Settings) -> None:
    command = Command(settings.home)
    first = command.server()
    holding = embedded._connect(settings, "postgres")
    os.kill(first, signal.SIGTERM)          # it takes nobody any more and ends when the last one has left
    command.kill()
    leaving = threading.Timer(0.5, holding.close)
    leaving.start()
    with embedded.ensure(settings):
        assert embedded.running(settings.home) not in (None, first)
        embedded._connect(settings, "postgres").close()
    leaving.join()


def test_nobody_gets_in_without_a_password(settings: Settings) -> None:
    with embedded.ensure(settings):
        for role in ("postgres", "tessera", "tessera_app"):
            with pytest.raises(psycopg2.OperationalError, match="no password supplied|password authentication"):
                psycopg2.connect(host="127.0.0.1", port=address.port(settings.home), user=role, dbname="tessera",
                                 password="")
    assert stat.S_IMODE((settings.home / "secrets.yaml").stat().st_mode) == 0o600
    assert not list(settings.home.glob("pg.password"))


def test_only_the_superuser_is_a_superuser(settings: Settings) -> None:
    with embedded.ensure(settings):
        pool = engines.open(settings, "owner")
        with engines.transaction(pool) as connection:
            mighty = connection.exec_driver_sql("select rolname from pg_roles where rolsuper").scalars().all()
        pool.dispose()
    assert mighty == ["postgres"]


def test_a_database_of_the_settings_is_used_instead(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, database="postgresql://a:b@127.0.0.1:1/c")
    with embedded.ensure(settings):
        assert address.url(settings, "owner").drivername == "postgresql+psycopg2"
    assert not address.lock_file(tmp_path).exists()


@pytest.mark.parametrize("url", ["nonsense", "mysql://a:b@h/d", "postgresql://h/d", "postgresql://a:b@h"])
def test_an_address_that_is_none_is_refused(tmp_path: Path, url: str) -> None:
    with pytest.raises(Refused, match="TESSERA_DATABASE"):
        address.url(Settings(home=tmp_path, database=url), "owner")


def test_without_a_running_server_there_is_no_address(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="no PostgreSQL runs"):
        address.url(Settings(home=tmp_path), "app")


def test_a_start_that_fails_says_why(settings: Settings) -> None:
    broken = settings.model_copy(update={"postgres": {"no_such_setting": "1"}})
    begun = time.monotonic()
    with pytest.raises(Refused, match="does not start"), embedded.ensure(broken):
        pass
    assert time.monotonic() - begun < 30


def test_a_process_forked_meanwhile_does_not_keep_others_waiting(tmp_path: Path) -> None:
    forked = multiprocessing.get_context("fork").Process(target=time.sleep, args=(60,))
    with embedded._turn(tmp_path):
        forked.start()                               # has the lock's file open, as a web worker may
    try:
        with (tmp_path / "pg.turn").open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    finally:
        forked.kill()
        forked.join()
