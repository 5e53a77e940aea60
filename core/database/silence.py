"""A database that swallows what it is sent: whoever waits for it is let go in seconds.

libpq waits for an answer as long as the connection stands, and the server's own limit on statements does not help
where its word does not arrive. So each process has a thread that looks at its connections. One whose statement runs for
more than two looks may just be slow: a new connection tells. If that is not answered either, the sockets that wait are
shut, and their statements end with the error of a lost connection. Nothing is done for each statement.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from contextlib import suppress
from typing import Any
from weakref import WeakKeyDictionary

import psycopg2
from psycopg2.extensions import TRANSACTION_STATUS_ACTIVE
from sqlalchemy import Engine, event

LOOK = 1.0                      # seconds between two looks
PATIENCE = 2                    # looks at which the same connection waits, before the database is asked
ANSWER = 3                      # seconds that it gets to answer
logger = logging.getLogger("tessera.database")


class Watch:
    """The connections of one engine, looked at by a thread of its own from the first one on."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        # Each with the address of its own end, by which its socket is known again, and the looks at which it waited.
        self._waiting: WeakKeyDictionary[Any, tuple[object, int]] = WeakKeyDictionary()
        self._process = 0
        event.listen(engine, "connect", self._connected)

    def _connected(self, driver: Any, _: object) -> None:
        with self._lock:
            self._waiting[driver] = (_end(driver.fileno()), 0)
            if self._process != os.getpid():         # threads do not come along with a fork
                self._process = os.getpid()
                threading.Thread(target=self._look_on, name="silence", daemon=True).start()

    def _look_on(self) -> None:
        while True:
            time.sleep(LOOK)
            try:
                if self.look() and not self._answers():
                    self.cut()
            except Exception:
                logger.exception("looking at connections failed")

    def look(self) -> bool:
        """Count at which looks in a row connections waited for an answer; whether one did for long."""
        with self._lock:
            for driver, (end, looks) in list(self._waiting.items()):
                self._waiting[driver] = (end, looks + 1 if _waits(driver) else 0)
            return any(looks >= PATIENCE for _, looks in self._waiting.values())

    def cut(self) -> int:
        """Shut the sockets of those that still wait; gives how many."""
        with self._lock:
            found = [(driver, end) for driver, (end, looks) in self._waiting.items() if looks and _waits(driver)]
            for driver, _ in found:
                del self._waiting[driver]
        count = sum(_shut(driver, end) for driver, end in found)
        logger.error("the database does not answer; %s statements are given up", count)
        return count

    def _answers(self) -> bool:
        """Whether a new connection is answered, be it with a refusal."""
        begun = time.monotonic()
        arguments = {**self._engine.dialect.create_connect_args(self._engine.url)[1], "connect_timeout": ANSWER}
        try:
            psycopg2.connect(**arguments).close()
        except psycopg2.Error:
            return time.monotonic() - begun < ANSWER - 0.5
        return True


def _waits(driver: Any) -> bool:
    with suppress(psycopg2.Error):
        return bool(driver.get_transaction_status() == TRANSACTION_STATUS_ACTIVE)
    return False


def _end(handle: int) -> object:
    with socket.socket(fileno=os.dup(handle)) as found:
        return found.getsockname()


def _shut(driver: Any, end: object) -> bool:
    """Shut a connection's socket, if its number is not another's by now; whether that was done."""
    with suppress(psycopg2.Error, OSError), socket.socket(fileno=os.dup(driver.fileno())) as found:
        if found.getsockname() == end:
            found.shutdown(socket.SHUT_RDWR)
            return True
    return False
