"""Accounts: by which login a user's record comes in. Passwords arrive here as hashes only."""

from __future__ import annotations

import re
from collections.abc import Iterable

from sqlalchemy import text

from core.ed.records import Records
from core.ed.session import Session
from core.errors import Refused

LOGIN = re.compile(r"[a-z0-9][a-z0-9._@+-]{0,119}")


def create_user(session: Session, login: str, name: str, roles: Iterable[str] = (),
                password: str | None = None, demo: bool = False) -> int:
    """Make a user's record, its role assignments and its account; gives the user. Raises Refused, Invalid."""
    records = Records(session)
    user = records.create("user", [{"name": name, **_home(records)}])[0]
    assign_roles(session, user, roles)
    create_account(session, user, login, password, demo)
    return user


def assign_roles(session: Session, user: int, roles: Iterable[str]) -> None:
    """Give a user the roles it does not have yet. Raises Refused for an unknown role."""
    wanted = tuple(dict.fromkeys(roles))
    for role in wanted:
        if role not in session.system.model.roles:
            raise Refused(f'there is no role "{role}"; there are {", ".join(sorted(session.system.model.roles))}')
    records = Records(session)
    there = {row["role"] for row in records.page("role_assignment", ["role"], filters={"user": user}).records}
    missing = [{"user": user, "role": role} for role in wanted if role not in there]
    if missing:
        records.create("role_assignment", missing)


def find_user(session: Session, name: str) -> int:
    """The user's record with that name, for whom there is no account yet. Raises Refused."""
    found = Records(session).page("user", ["id"], filters={"name": name}, limit=2).records
    if len(found) != 1:
        raise Refused(f'there {"is no user" if not found else "are several users"} named "{name}"')
    user = int(found[0]["id"])
    if session.connection.scalar(text("select 1 from sys.account where user_id = :user"), {"user": user}):
        raise Refused(f'"{name}" has an account already')
    return user


def _home(records: Records) -> dict[str, int]:
    """The organisation of a new user, as long as there is one only."""
    if "organisation" not in records.session.system.model.tables["user"].fields:
        return {}
    found = records.page("organisation", ["name"], limit=2).records
    return {"organisation": int(found[0]["id"])} if len(found) == 1 else {}


def create_account(session: Session, user: int, login: str, password: str | None = None, demo: bool = False) -> int:
    """Let a user sign in; `password` is a hash, None for nobody yet. Demo accounts are refused but in a demo."""
    login = login.lower()
    if not LOGIN.fullmatch(login):
        raise Refused(f'"{login}" cannot be a login: letters, digits and . _ @ + - only')
    connection = session.connection
    if demo and connection.scalar(text("select value from sys.setting where key = 'demo'")) is not True:
        raise Refused("demo accounts are for demo systems only")
    if connection.scalar(text("select 1 from sys.account where login = :login"), {"login": login}):
        raise Refused(f'the login "{login}" is taken')
    return int(connection.execute(
        text("insert into sys.account (user_id, login, password, demo, password_changed_on)"
             " values (:user, :login, :password, :demo, case when :password is null then null else now() end)"
             " returning id"),
        {"user": user, "login": login, "password": password, "demo": demo}).scalar_one())


def mark_demo(session: Session) -> None:
    """Mark the system as a demo, for good."""
    session.connection.execute(text("insert into sys.setting (key, value) values ('demo', 'true')"
                                    " on conflict (key) do nothing"))
