"""The offline system's own place: a folder in the home of live, and a database beside live's.

Nothing here ever touches a database that holds another system: what is made is marked, and only that is emptied.
"""

from __future__ import annotations

import psycopg2.errors
from psycopg2 import sql
from sqlalchemy import Connection, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from core import secrets
from core.database import address
from core.database import engine as engines
from core.errors import Refused
from core.settings import Settings

FOLDER = "offline"              # in the home of live
LONGEST = 63                    # bytes of a name in PostgreSQL
SUFFIX = "_offline"
MARK = "offline"                # the setting by which such a database is known
_EMPTY = text("drop schema if exists ed, bm, sys, jobs cascade; drop table if exists public.tessera_step")


def settings_of(live: Settings) -> Settings:
    """The settings of the offline system of a live one. Raises Refused for a database that cannot be one."""
    home = live.home / FOLDER
    return live.model_copy(update={
        "home": home, "metadata": home / "site", "database": _url(live).render_as_string(hide_password=False),
        "workers": 1, "threads": 4, "job_threads": 2, "offline": False})


def make(live: Settings) -> Settings:
    """Make folder and database where they are missing; gives the settings. Raises Refused with what to do."""
    folder = live.home / FOLDER
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    settings = settings_of(live)
    _share_password(live, settings)
    _create(live, make_url(settings.database or "").database or "")
    return settings


def mark(connection: Connection) -> None:
    """Mark a database as that of an offline system. Raises Refused when another system is in it."""
    if not marked(connection) and connection.scalar(text("select 1 from sys.account limit 1")) is not None:
        raise Refused("the offline database holds another system; name an empty one with offline_database")
    connection.execute(text("insert into sys.setting (key, value) values (:key, 'true') on conflict (key) do nothing"),
                       {"key": MARK})


def marked(connection: Connection) -> bool:
    """Whether a database is that of an offline system."""
    return connection.scalar(text("select value from sys.setting where key = :key"), {"key": MARK}) is True


def empty(settings: Settings) -> None:
    """Take everything out of the database of an offline system. Raises Refused when it is another's."""
    pool = engines.open(settings, "owner")
    try:
        with engines.transaction(pool) as connection:
            connection.execute(text("set local lock_timeout = '10s'"))
            if connection.scalar(text("select to_regclass('sys.setting')")) is not None:
                mark(connection)
            connection.execute(_EMPTY)
    finally:
        pool.dispose()


def _url(live: Settings) -> URL:
    main = address.url(live, "owner")
    if live.offline_database:
        try:
            given = make_url(live.offline_database)
        except ArgumentError:
            raise Refused("offline_database is no URL; write postgresql+psycopg2://user:password@host/name") from None
        if given.get_backend_name() != "postgresql" or not given.username or not given.database:
            raise Refused("offline_database must be postgresql+psycopg2://user:password@host/name")
        if _place(given) == _place(main):
            raise Refused("offline_database is the database of live; name another one")
        return given.set(drivername=address.DRIVER)
    name = main.database or ""
    return main.set(database=name.encode()[:LONGEST - len(SUFFIX)].decode(errors="ignore") + SUFFIX)


def _place(url: URL) -> tuple[str, int, str]:
    return url.host or "", url.port or 5432, url.database or ""


def _share_password(live: Settings, settings: Settings) -> None:
    """The role that serves requests belongs to the whole server: both systems must know it by one password."""
    theirs, ours = (address.url(one, "owner") for one in (live, settings))
    if (theirs.username, *_place(theirs)[:2]) != (ours.username, *_place(ours)[:2]):
        return
    name, path = "database_app_password", settings.home / "secrets.yaml"
    known, wanted = secrets.read(path), secrets.secret(live.home, name)
    if known.get(name) != wanted:
        secrets.write(path, {**known, name: wanted})


def _create(live: Settings, name: str) -> None:
    """Create the database if it is not there; one that was named by the settings is made by whoever named it."""
    if live.offline_database:
        return
    pool = engines.open(live, "owner")
    try:
        with pool.connect() as connection:
            if connection.scalar(text("select 1 from pg_database where datname = :name"), {"name": name}):
                return
            owner = connection.scalar(text("select current_user::text")) or ""
        with pool.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            engines.driver(connection).execute(sql.SQL("create database {}").format(sql.Identifier(name)))
    except psycopg2.errors.InsufficientPrivilege:
        raise Refused(
            f'the offline system needs a database of its own, and {owner} may not create one: let the administrator of '
            f'PostgreSQL do `create database "{name}" owner "{owner}"`, or name another database with offline_database '
            "(TESSERA_OFFLINE_DATABASE)") from None
    finally:
        pool.dispose()
