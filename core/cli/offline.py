"""`offline`: the offline system as a child of `serve`; made from the working files, and kept as they are."""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from core.bm import service
from core.bm.follow import Systems
from core.bm.inputs.questions import EMPTY, KEEP, LEAVE, NEW, Question
from core.bm.versions import live
from core.bm.working import Stamps, copy, stamps
from core.cli import DEMO_PASSWORD, Invocation
from core.cli.init import initialise
from core.cli.supervisor import die_with
from core.database import engine as engines
from core.database import health, offline, setup, silence, worker
from core.definition import load
from core.definition.layers import shown
from core.ed.accounts import create_user, mark_demo
from core.ed.session import Session
from core.errors import DefinitionError, Invalid, Refused, TesseraError, Words, words
from core.plugins import Plugins
from core.settings import Settings
from core.web import passwords
from core.web.application import Application
from core.web.offline_standing import MOST, NO_DEMO, Standing

log = logging.getLogger("tessera.offline")
SECONDS = 10                    # that a statement of a request may take, as in live
LOOK = 0.5                      # seconds between two looks at the files, while somebody uses the system
USED = 600.0                    # seconds after a request in which they are looked at without being asked
PATIENCE = 20.0                 # seconds that a request waits for what the files say
STILL = 0.1                     # seconds without a change after which an editor has written all it had to
LONGEST = 1.0                   # ... but no longer than this
AGAIN = 3.0                     # seconds after which what failed for no fault of the files is tried again
HARMLESS = (NEW, LEAVE, KEEP, EMPTY)                 # the answers that lose nothing; one of them is always an answer


@click.command("offline", hidden=True)
@click.option("--parent", type=int, required=True, help="The serve process that this one must not outlive.")
@click.option("--socket", "handle", type=int, required=True, help="The socket on which it is reached.")
@click.pass_obj
def command(invocation: Invocation, parent: int, handle: int) -> None:
    """Serve the working files with demo records of their own; started by `serve`."""
    die_with(parent)
    # Imported here: nothing else of the command line needs a server of this kind.
    from core.web.offline_front import Front
    from core.web.offline_server import server
    system = OfflineSystem(invocation.settings)
    thread = threading.Thread(target=system.run, name="offline", daemon=True)
    thread.start()
    try:
        with server(socket.socket(fileno=handle), Front(system)) as answering:
            answering.serve_forever()
    finally:
        system.stop()
        thread.join(timeout=invocation.settings.kill_timeout / 2)


class Running:
    """The parts of an offline system that runs: pages, jobs, and what follows its promotions."""

    def __init__(self, settings: Settings, plugins: Plugins) -> None:
        self.plugins = plugins
        self._engine = engines.open(settings, "app", SECONDS)
        silence.Watch(self._engine)
        with engines.transaction(self._engine) as connection:
            health.require(connection)
        self._systems = Systems(self._engine, plugins, kind="offline")
        self._systems.start()
        from core.web.pages.offline import ROUTES
        self.application = Application(settings, self._engine, self._systems, ROUTES)
        self._stop = threading.Event()
        self._jobs = threading.Thread(target=self._work, args=(settings,), name="jobs", daemon=True)
        self._jobs.start()

    def close(self) -> None:
        """End them all; what a request still does fails."""
        self._stop.set()
        self._systems.stop()
        self._jobs.join(timeout=4)
        self._engine.dispose()

    def _work(self, settings: Settings) -> None:
        """Index, and do jobs, until told to stop; begins again when the database was gone."""
        def current(connection: Connection) -> Any:
            return self._systems.get(live.current(connection)[0])

        while not self._stop.is_set():
            try:
                worker.work(settings, self._engine, current, until=self._stop)
            except Exception:
                log.exception("the jobs of the offline system ended; they begin again")
                self._stop.wait(AGAIN)


class OfflineSystem:
    """A system that follows files: one thread makes it and changes it, requests wait for that thread."""

    def __init__(self, settings: Settings) -> None:
        self.live = settings
        self.folder = _shown(settings.metadata)
        self.standing = Standing("starting", self.folder)
        self.application: Application | None = None
        self._running: Running | None = None
        self._owner: Engine | None = None
        self._line: Connection | None = None         # holds the lock: one process for each offline database
        self._stamps: Stamps | None = None           # of the files that were applied, or found wrong, last
        self._code: Stamps = {}                      # of the Python that runs
        self._again = 0.0                            # when what failed is tried again though no file changed
        self._told: tuple[str | Words, ...] = ()     # what is wrong though the files are applied
        self._condition = threading.Condition()
        self._asked = self._done = 0                 # looks that requests asked for, and those that are done
        self._fresh = self._stopping = False
        self._used = 0.0

    def look(self) -> None:
        """Wait until the files that stand there now are applied or found wrong, PATIENCE seconds at most."""
        with self._condition:
            self._used = time.monotonic()
            self._asked += 1
            mine = self._asked
            self._condition.notify_all()
            # Where there is no page yet, one that says so is better than a long wait.
            self._condition.wait_for(lambda: self._done >= mine or self._stopping,
                                     PATIENCE if self.application is not None else LONGEST)

    def start_over(self) -> None:
        """Be made anew from the files, with fresh demo records; requests wait for it."""
        with self._condition:
            self._fresh = True
            self._condition.notify_all()

    def stop(self) -> None:
        """Let `run` end."""
        with self._condition:
            self._stopping = True
            self._condition.notify_all()

    def run(self) -> None:
        """Make the system, then look at the files again and again until `stop`."""
        while not self._stopping:
            with self._condition:
                number, fresh = self._asked, self._fresh
                self._fresh = False
            try:
                self._turn(fresh)
            except Exception as error:
                self._failed(error)
            with self._condition:
                self._done = number
                self._condition.notify_all()
                self._condition.wait_for(lambda: self._stopping or self._fresh or self._asked > self._done,
                                         LOOK if time.monotonic() - self._used < USED else None)
        self._close()

    def _turn(self, fresh: bool) -> None:
        found: Stamps = stamps([*self.live.addon_folders, self.live.metadata])
        if not fresh and found == self._stamps and (not self._again or time.monotonic() < self._again):
            return
        found = self._settled(found)
        self.standing = replace(self.standing, busy=True)
        self._stamps, self._again = found, 0.0
        if fresh:
            self._start_over()
        if self._running is None:
            self._start()
        elif self._owner is not None:
            self._follow(self._owner, _code(found) != self._code)
        self.standing = Standing("ready", self.folder, self._version(), self._told[:MOST], len(self._told[MOST:]),
                                 self.standing.answers)

    def _settled(self, found: Stamps) -> Stamps:
        """The files when nobody writes them any more, or after LONGEST."""
        end = time.monotonic() + LONGEST
        while self._running is not None and time.monotonic() < end:
            time.sleep(STILL)
            now = stamps([*self.live.addon_folders, self.live.metadata])
            if now == found:
                break
            found = now
        return found

    def _failed(self, error: Exception) -> None:
        """What is there goes on; it is tried again when a file changes, or soon where files are not to blame."""
        if isinstance(error, DefinitionError | PlanRefused):
            told: tuple[str | Words, ...] = tuple(self._placed(one) for one in error.problems)
        elif isinstance(error, TesseraError):
            told = (self._placed(error.words if isinstance(error, Refused) else str(error)),)
            self._again = time.monotonic() + AGAIN
        else:
            log.error("the offline system could not be brought up to date", exc_info=error)
            told = (f"{type(error).__name__}: {str(getattr(error, 'orig', None) or error).strip()}",)
            self._again = time.monotonic() + AGAIN
            if isinstance(error, OperationalError):
                self._close()                        # the database is gone: all is made anew when it is back
        self.standing = Standing("failed" if self._running is None else "ready", self.folder, self.standing.version,
                                 told[:MOST], len(told[MOST:]))

    def _start(self) -> None:
        """Make what is missing: database, tables, first version, demo records; then the parts that run."""
        self.standing = Standing("starting", self.folder)
        settings = offline.make(self.live)
        setup.upgrade(settings)
        self._let_go()
        self._owner = owner = engines.open(settings, "owner")
        self._hold(owner)
        self._told = ()
        failure: Exception | None = None
        copy(self.live.metadata, settings.metadata)
        plugins = service.load_plugins(settings)
        if _empty(owner):
            self._told = _initialise(settings, owner)
        else:
            try:
                self._promote(settings, owner, plugins)
            except OperationalError:
                raise
            except Exception as error:
                failure = error                      # the last good version goes on
        self._open(settings, plugins)
        if failure is not None:
            self.standing = replace(self.standing, version=self._version())
            raise failure

    def _follow(self, owner: Engine, code: bool) -> None:
        """Promote the files; `code`: Python of addons changed too, so that all that runs is made anew."""
        settings, running = offline.settings_of(self.live), self._running
        copy(self.live.metadata, settings.metadata)
        plugins = service.load_plugins(settings) if code or running is None else running.plugins
        self._promote(settings, owner, plugins, before=self._close if code else lambda: None)
        if self._running is None:
            self._open(settings, plugins)

    def _promote(self, settings: Settings, owner: Engine, plugins: Plugins,
                 before: Callable[[], None] = lambda: None) -> None:
        """Plan, give the harmless answer to what is asked, and apply, lossy or not. Raises DefinitionError, Refused."""
        answers: dict[str, str] = {}
        planned = service.plan_folder(settings, owner, plugins)
        while asked := [one for one in planned.plan.questions if one.key not in answers]:
            answers |= {one.key: harmless(one) for one in asked}
            planned = service.plan_folder(settings, owner, plugins, answers)
        if planned.plan.problems:
            raise PlanRefused(planned.plan.problems)
        before()
        service.promote_folder(settings, owner, planned, "", "offline", plugins=plugins)
        if planned.plan.changes:
            self._told = ()
            self.standing = replace(self.standing, answers=tuple(f"{key}: {one}" for key, one in answers.items()))

    def _start_over(self) -> None:
        """Throw everything away, if the files can be loaded: without them there would be nothing. Raises as load."""
        plugins = service.load_plugins(self.live)
        load(self.live.addon_folders, self.live.metadata, plugins).must()
        self._close()
        self._let_go()
        settings = offline.make(self.live)
        offline.empty(settings)
        for path in sorted((settings.home / "files").rglob("*"), reverse=True):
            path.unlink() if path.is_file() or path.is_symlink() else path.rmdir()

    def _open(self, settings: Settings, plugins: Plugins) -> None:
        self._running, self._code = Running(settings, plugins), _code(self._stamps)
        self.application = self._running.application

    def _close(self) -> None:
        running, self._running, self.application = self._running, None, None
        if running is not None:
            self.standing = replace(self.standing, phase="starting")
            running.close()

    def _hold(self, owner: Engine) -> None:
        """Be the one process of this offline database, as long as the connection stands. Raises Refused."""
        line = owner.connect().execution_options(isolation_level="AUTOCOMMIT")
        end = time.monotonic() + 2                   # one that was killed lets go of it within half a second
        while not line.scalar(text("select pg_try_advisory_lock(hashtext('tessera offline'))")):
            if time.monotonic() > end:
                line.close()
                raise Refused("this offline database is used by another server already; give each one of its own with "
                              "offline_database (TESSERA_OFFLINE_DATABASE)")
            time.sleep(0.1)
        self._line = line
        offline.mark(line)

    def _let_go(self) -> None:
        """Give up the lock and the owner's connections."""
        line, self._line = self._line, None
        owner, self._owner = self._owner, None
        if line is not None:
            with suppress(SQLAlchemyError):
                line.execute(text("select pg_advisory_unlock_all()"))
            with suppress(SQLAlchemyError):
                line.close()
        if owner is not None:
            owner.dispose()

    def _version(self) -> int | None:
        if self._owner is None:
            return None
        with self._owner.connect() as connection:
            return live.current(connection)[0] or None

    def _placed(self, problem: object) -> str | Words:
        """A problem with the place in the working files, not in our copy of them."""
        if isinstance(problem, Words):
            return Words(problem.message, {key: self._placed(value) if isinstance(value, str | Words) else value
                                           for key, value in problem.params.items()})
        return str(problem).replace(_shown(self.live.home / offline.FOLDER / "site"), self.folder)


class PlanRefused(Refused):
    """A plan that was refused, with each reason as a problem of its own."""

    def __init__(self, problems: tuple[Words, ...]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems


def harmless(question: Question) -> str:
    """The answer that loses nothing: a new field, empty values left, old values kept, what cannot be converted empty.

    Values that are hidden by it are kept in the tables, as always.
    """
    known = [one.value for one in question.options]
    return next((one for one in HARMLESS if one in known), known[0] if known else LEAVE)


def _initialise(settings: Settings, owner: Engine) -> tuple[Words, ...]:
    """The first version with demo records; without them, and a word about it, where they do not fit the files."""
    try:
        initialise(settings, owner, demo=True)
    except (Refused, Invalid) as error:
        with owner.begin() as connection:
            version = live.current(connection)[0]
            if not version:
                raise
            session = Session.system_session(live.system(connection, version, service.load_plugins(settings)),
                                             connection)
            mark_demo(session)
            create_user(session, "admin", "Administrator", ["administrator"],
                        passwords.hash_password(DEMO_PASSWORD), demo=True)
        return (words(NO_DEMO, reason=str(error)),)
    return ()


def _empty(owner: Engine) -> bool:
    with owner.connect() as connection:
        return connection.scalar(text("select 1 from sys.account limit 1")) is None


def _code(found: Stamps | None) -> dict[str, Any]:
    return {path: stamp for path, stamp in (found or {}).items() if path.endswith(".py")}


def _shown(folder: Path) -> str:
    """A folder as problems name it: relative to where we were started, if it is below that."""
    return shown(folder / "x", Path.cwd()).removesuffix("/x")
