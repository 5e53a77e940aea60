"""How a process follows promotions: it keeps the Systems of the last versions and prepares the next beside them.

`bm.live`, read at each request's start, is the truth; NOTIFY only says when to look sooner.
"""

from __future__ import annotations

import logging
import os
import select
import socket
import threading
import time
import uuid
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, event, func
from sqlalchemy import select as sql_select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import SQLAlchemyError

from core.bm.engine.run import first_line
from core.bm.versions import live, tables
from core.ed.system import System
from core.errors import Words, words

if TYPE_CHECKING:
    from core.plugins import Plugins

log = logging.getLogger("tessera.follow")
LEASE = 15                      # seconds that a process's word holds
BEAT = 5.0                      # seconds between its words
LEAVING = 0.05                  # the same while a request still runs on an older version
KEPT = 3                        # versions that a process keeps built
ARRIVAL = 1.0                   # seconds that are waited for requests which are about to say what they run on
UNKNOWN = 0                     # the oldest version in use, where one of them has not said it
HELD = "tessera_held"           # in the info of a connection: what is let go when it is given back


class Late(Exception):
    """A request slept, or was at work, until nobody waited for it any more, and its version is not live now."""


class Systems:
    """The Systems of one process by version, each built once; `start` makes it listen and report to sys.worker."""

    def __init__(self, engine: Engine, plugins: Plugins, kind: str = "serve") -> None:
        self.engine = engine
        self.plugins = plugins
        self.kind = kind
        self.id = uuid.uuid4()
        self.error: Words | str | None = None
        self.prepared: int | None = None
        self._reported = float("inf")           # when this process last gave its word, by its own clock
        self._systems: OrderedDict[int, System] = OrderedDict()
        self._built: dict[int, int] = {}        # version -> the last promotion there was when it was built
        self._pins: Counter[int] = Counter()
        self._arriving: set[object] = set()     # requests that are about to read which version is live, or just did
        self._lock = threading.Lock()           # of the two maps above
        self._building = threading.Lock()       # one version is built at a time, and never twice
        self._stopping = threading.Event()
        self._wake, self._waker = os.pipe()
        self._thread: threading.Thread | None = None

    def get(self, version: int) -> System | None:
        """The System of a version, built now if need be; None for version 0. Raises what building it raises."""
        if not version:
            return None
        found = self._known(version)
        if found is not None:
            return found
        with self._building:
            found = self._known(version)
            if found is None:
                found = self._build(version)
        return found

    @contextmanager
    def pin(self, version: int) -> Iterator[System | None]:
        """A System that a request runs on to its end; older versions are left when no pin is on them."""
        with self.request(lambda: version) as system:
            yield system

    @contextmanager
    def request(self, read: Callable[[], int]) -> Iterator[System | None]:
        """The System of the version that `read` finds live, pinned for the block, which has to end its transaction.

        From before it reads until it is pinned the request counts as one of any version: a flip may come in between.
        """
        version, system = self._arrive(read)
        try:
            yield system
        finally:
            self._leave(version)

    def hold(self, connection: Connection, read: Callable[[], int]) -> System | None:
        """The same for as long as a connection is not given back to its pool, for those who end no block of ours."""
        version, system = self._arrive(read)
        record: Any = connection.connection
        record.info.setdefault(HELD, []).append(partial(self._leave, version))
        if not event.contains(self.engine.pool, "checkin", _given_back):
            event.listen(self.engine.pool, "checkin", _given_back)
        return system

    def in_time(self, connection: Connection, version: int, since: float) -> None:
        """Right before a request commits that began at `since`: may it still write in its version? Raises Late.

        As long as this process is waited for it may: then nothing is asked of the database.
        """
        if time.monotonic() - min(since, self._reported) > LEASE - BEAT and live.current(connection)[0] != version:
            raise Late

    def _arrive(self, read: Callable[[], int]) -> tuple[int, System | None]:
        token = object()
        with self._lock:
            self._arriving.add(token)
        try:
            version = read()
            system = self.get(version)
            with self._lock:
                self._pins[version] += 1
            return version, system
        finally:
            with self._lock:
                self._arriving.discard(token)

    def _leave(self, version: int) -> None:
        with self._lock:
            self._pins[version] -= 1

    @contextmanager
    def aside(self, version: int) -> Iterator[None]:
        """Within a request that promotes: its own pin does not count, for the promotion waits until none is left."""
        with self._lock:
            self._pins[version] -= 1
        try:
            yield
        finally:
            with self._lock:
                self._pins[version] += 1

    def start(self) -> None:
        """Register this process and follow promotions in the background until `stop`."""
        self._thread = threading.Thread(target=self._follow, name="tessera-follow", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop following and take this process off the list."""
        self._stopping.set()
        os.write(self._waker, b"x")
        if self._thread is not None:
            self._thread.join(timeout=5)
        with suppress(SQLAlchemyError), self.engine.begin() as connection:
            connection.execute(tables.worker.delete().where(tables.worker.c.id == self.id))

    def _known(self, version: int) -> System | None:
        with self._lock:
            found = self._systems.get(version)
            if found is not None:
                self._systems.move_to_end(version)
            return found

    def _build(self, version: int) -> System:
        with self.engine.connect() as connection:
            promotion = connection.scalar(sql_select(func.max(tables.promotion.c.id)))
            system = live.system(connection, version, self.plugins)
        with self._lock:
            self._systems[version] = system
            self._built[version] = promotion or 0
            while len(self._systems) > KEPT:
                self._systems.popitem(last=False)
        return system

    def _try(self, version: int) -> None:
        """Build all of a version once and let it go, to find now what would fail in a request."""
        with self.engine.connect() as connection:
            system = live.system(connection, version, self.plugins)
        for values in system.model.values.values():
            values.values()
        for table in system.model.tables:
            system.stored(table)

    def _follow(self) -> None:
        """Listen, and begin again after any loss of the connection."""
        while not self._stopping.is_set():
            try:
                with self._listening() as driver:
                    while not self._stopping.is_set():
                        leaving = self._look()
                        self._wait(driver, LEAVING if leaving else BEAT)
            except Exception:
                if not self._stopping.is_set():
                    log.exception("following promotions failed; trying again")
                    self._stopping.wait(1.0)

    @contextmanager
    def _listening(self) -> Iterator[Any]:
        connection = self.engine.raw_connection()
        driver: Any = connection.driver_connection
        connection.detach()                     # listens for good, so it must not go back to the pool
        driver.autocommit = True
        try:
            with driver.cursor() as cursor:
                cursor.execute("listen tessera_prepare; listen tessera_live")    # as apply.py names them
            yield driver
        finally:
            driver.close()

    def _wait(self, driver: Any, seconds: float) -> None:
        ready, _, _ = select.select([driver, self._wake], [], [], seconds)
        if driver in ready:
            driver.poll()
            driver.notifies.clear()

    def _look(self) -> bool:
        """Build what is live or about to be, and say so; True while a request still runs on an older version."""
        with self.engine.connect() as connection:
            current, _ = live.current(connection)
            promotions = [connection.execute(
                sql_select(tables.promotion.c.target, tables.promotion.c.id).where(condition)
                .order_by(tables.promotion.c.id.desc()).limit(1)).one_or_none()
                for condition in (
                    (tables.promotion.c.target == current) & tables.promotion.c.state.in_(live.FLIPPED),
                    tables.promotion.c.state == "preparing")]
        self.error = None                       # what is told is about now, not about an earlier attempt
        for row, coming in zip(promotions, (False, True), strict=True):
            if row is not None:
                self._prepare(row.target, row.id, coming)
        self._settle()
        oldest = self._older_than(current)
        self._report(current, oldest)
        return oldest is not None

    def _prepare(self, version: int, promotion: int, coming: bool) -> None:
        """Build a version; again if it was built before that promotion, for others may have parked kinds since.

        One that is coming is tried in all its parts; of one that is live, parts are built when they are asked for.
        """
        try:
            if self._built.get(version, -1) < promotion:
                with self._building:
                    if coming:
                        self._try(version)
                    self._build(version)
        except SQLAlchemyError:
            raise
        except Exception as error:
            self.error = words("version {version}: {problem}", version=version, problem=first_line(error))
            log.exception("version %s cannot be prepared", version)
        else:
            self.prepared = version

    def _settle(self) -> None:
        """Build a version again when its stored formulas are worked out everywhere, so that they are read as stored.

        Who reads them as formulas a while longer only takes longer.
        """
        with self._lock:
            waiting = [(version, system) for version, system in self._systems.items() if system.pending]
        for version, system in waiting:
            with self.engine.connect() as connection:
                pending = live.pending(connection)
            if not system.pending <= pending:
                with self._building:
                    self._build(version)

    def _older_than(self, current: int) -> int | None:
        with self._lock:
            early = set(self._arriving)         # they may have read before we did, and be about to pin what they read
        end = time.monotonic() + ARRIVAL
        while early and time.monotonic() < end:
            time.sleep(0.001)
            with self._lock:
                early &= self._arriving
        with self._lock:
            used = [version for version, pins in self._pins.items() if pins > 0 and version != current]
        return min(used, default=UNKNOWN if early else None)

    def _report(self, current: int, oldest: int | None) -> None:
        began = time.monotonic()
        values = {"pid": os.getpid(), "host": socket.gethostname(), "kind": self.kind, "version": current or None,
                  "prepared": self.prepared, "oldest": oldest, "error": self.error,
                  "lease_until": func.now() + func.make_interval(0, 0, 0, 0, 0, 0, LEASE)}
        with self.engine.begin() as connection:
            connection.execute(insert(tables.worker).values(id=self.id, **values).on_conflict_do_update(
                index_elements=["id"], set_=values))
            connection.execute(tables.worker.delete().where(
                tables.worker.c.lease_until < func.now() - func.make_interval(0, 0, 0, 1)))
        self._reported = began


def _given_back(driver: object, record: Any) -> None:
    """A connection goes back to its pool: its transaction is over, and so is what it was held for."""
    for let_go in record.info.pop(HELD, ()):
        let_go()
