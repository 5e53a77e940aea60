"""Working with records from a command: sessions of one user, each a transaction on the version live at its start."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, text

from core.bm.follow import Systems
from core.bm.service import load_plugins
from core.bm.versions import live
from core.database import engine as engines
from core.ed.files import FileStore
from core.ed.session import Principals, Session
from core.errors import Refused
from core.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable

_USER = text("select user_id from sys.account where login = :login and active")


@contextmanager
def sessions(settings: Settings, login: str, how: str) -> Iterator[Callable[[], AbstractContextManager[Session]]]:
    """What opens sessions as a user, for the time of a command; promotions wait for it as for a server's worker."""
    pool = engines.open(settings, "app")
    systems = Systems(pool, load_plugins(settings), kind=how)
    systems.start()
    try:
        yield lambda: session(settings, pool, systems, login, how)
    finally:
        systems.stop()
        pool.dispose()


@contextmanager
def session(settings: Settings, pool: Engine, systems: Systems, login: str, how: str) -> Iterator[Session]:
    """One transaction as a user; raises Refused if there is no such user or nothing is live."""
    with pool.connect() as connection, systems.request(lambda: live.current(connection)[0]) as system:
        if system is None:
            raise Refused("nothing is live yet; run `init` first")
        user = Principals.load(connection, system, user_of(connection, login), live.current(connection)[1])
        opened = Session.open(system, connection, user, how=how, zone=system.model.system.time_zone)
        opened.files = FileStore(settings.home / "files")
        yield opened
        connection.commit()


def user_of(connection: Connection, login: str) -> int:
    """The user's record behind a login; raises Refused."""
    found = connection.execute(_USER, {"login": login.lower()}).scalar()
    if found is None:
        raise Refused(f"there is no user {login!r}; `user add {login}` makes one, `--as` names another")
    return int(found)
