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
                password: str | None = None, demo: bool = False, *, existing: bool = False) -> int:
    """Make a user's record (or take the existing one of that name), its role assignments and its account.

    Gives the user. Raises Refused, Invalid.
    """
    roles = tuple(roles)
    unknown = [role for role in roles if role not in session.system.model.roles]
    if unknown:
        known = ", ".join(sorted(session.system.model.roles))
        raise Refused(f'there is no role "{unknown[0]}"; there are {known}')
    records = Records(session)
    user = _named(records, name) if existing else records.create("user", [{"name": name}])[0]
    if roles:
        records.create("role_assignment", [{"user": user, "role": role} for role in roles])
    create_account(session, user, login, password, demo)
    return user


def _named(records: Records, name: str) -> int:
    """The one user of that name; raises Refused when there is none, several, or one who has an account."""
    found = records.page("user", ["name"], filters={"name": name}, limit=2).records
    if len(found) != 1:
        raise Refused(f'there is {"no user" if not found else "more than one user"} named "{name}"')
    user = int(found[0]["id"])
    if records.session.connection.scalar(text("select 1 from sys.account where user_id = :user"), {"user": user}):
        raise Refused(f'"{name}" has an account already')
    return user


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
