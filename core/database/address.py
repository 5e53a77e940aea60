"""Where a system's database is: URLs for its roles, from the settings or from the embedded server's lock file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from core.errors import Refused
from core.secrets import secret
from core.settings import Settings

Role = Literal["app", "owner", "superuser"]
SUPERUSER = "postgres"
OWNER = "tessera"
DATABASE = "tessera"
DRIVER = "postgresql+psycopg2"


def lock_file(home: Path) -> Path:
    """The file through which all commands share the embedded server; it names the server's port."""
    return home / "pg.lock"


def url(settings: Settings, role: Role) -> URL:
    """The URL by which that role connects; raises Refused when the embedded server is not running."""
    return _given(settings, role) if settings.database else _embedded(settings, role)


def app_role(owner: str) -> str:
    """The name of the role that serves requests, by rule, from the owner's."""
    return f"{owner}_app"


def _given(settings: Settings, role: Role) -> URL:
    try:
        given = make_url(settings.database or "")
    except ArgumentError:
        raise Refused("TESSERA_DATABASE is no URL; write postgresql+psycopg2://user:password@host/name") from None
    if given.get_backend_name() != "postgresql" or not given.username or not given.database:
        raise Refused("TESSERA_DATABASE must be postgresql+psycopg2://user:password@host/name")
    given = given.set(drivername=DRIVER)
    if role != "app":
        return given
    return given.set(username=app_role(given.username or ""), password=secret(settings.home, "database_app_password"))


def _embedded(settings: Settings, role: Role) -> URL:
    name = {"superuser": SUPERUSER, "owner": OWNER, "app": app_role(OWNER)}[role]
    return URL.create(DRIVER, username=name, password=secret(settings.home, f"database_{role}_password"),
                      host="127.0.0.1", port=port(settings.home), database=DATABASE)


def port(home: Path) -> int:
    """The port of the running embedded server; raises Refused when there is none."""
    try:
        return int(json.loads(lock_file(home).read_text())["port"])
    except (FileNotFoundError, ValueError, KeyError):
        raise Refused(f"no PostgreSQL runs in {home}; start it with a command such as `server.py serve`") from None
