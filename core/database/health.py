"""Whether a database is fit to serve: its version, its steps, its live version, and the rights of the app role."""

from __future__ import annotations

from sqlalchemy import Connection, text

from core.database import steps
from core.errors import Refused

OLDEST = 160000
EXTENSIONS = ("pg_trgm", "unaccent")
OUTSIDE = ("pg_read_server_files", "pg_write_server_files", "pg_execute_server_program")     # beyond the database


def require(connection: Connection) -> None:
    """Check what serving needs, on a connection of the app role; raises Refused with all that is wrong."""
    wrong = problems(connection)
    if wrong:
        raise Refused("; ".join(wrong))


def problems(connection: Connection) -> list[str]:
    """What is wrong with the database, each with what to do; empty when it is fit."""
    wrong = _server(connection) + _role(connection)
    if missing := steps.missing(connection):
        names = ", ".join(f"{step.number} {step.name}" for step in missing)
        fresh = len(missing) == len(steps.available())
        return [*wrong, "the database is empty: run `server.py init`" if fresh
                else f"the database lacks steps of this release ({names}): run `server.py upgrade`"]
    if connection.scalar(text("select version from bm.live")) is None:
        wrong.append("there is no live version yet: run `server.py init`")
    return wrong


def _server(connection: Connection) -> list[str]:
    number, shown = connection.execute(text(
        "select current_setting('server_version_num')::int, current_setting('server_version')")).one()
    wrong = [] if number >= OLDEST else [f"PostgreSQL 16 or newer is needed, this is {shown}"]
    there = set(connection.scalars(text("select extname from pg_extension")))
    lacking = [name for name in EXTENSIONS if name not in there]
    if lacking and number >= OLDEST and steps.applied(connection):
        wrong.append(f"the extensions {', '.join(lacking)} are missing: run `server.py upgrade`")
    return wrong


def _role(connection: Connection) -> list[str]:
    """The role that serves requests must not be able to do what only the owner may."""
    name, mighty, owns = connection.execute(text(
        "select current_user::text, rolsuper or rolcreaterole or rolcreatedb or rolbypassrls or rolreplication"
        "  or exists (select from pg_roles m where m.rolname = any(:outside) and pg_has_role(r.oid, m.oid, 'member')),"
        " exists (select from pg_class c join pg_namespace n on n.oid = c.relnamespace"
        "         where c.relowner = r.oid and n.nspname in ('sys', 'bm', 'ed', 'jobs'))"
        " from pg_roles r where rolname = current_user"), {"outside": list(OUTSIDE)}).one()
    if mighty or owns:
        return [f"the role {name} that serves requests may do too much: it must be no superuser, create neither roles"
                " nor databases, reach no files or programs of the server, and own no table"]
    return []
