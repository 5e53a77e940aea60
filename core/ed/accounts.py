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
    roles = tuple(roles)
    unknown = [role for role in roles if role not in session.system.model.roles]
    if unknown:
        known = ", ".join(sorted(session.system.model.roles))
        raise Refused(f'there is no role "{unknown[0]}"; there are {known}')
    records = Records(session)
    user = records.create("user", [{"name": name}])[0]
    if roles:
        records.create("role_assignment", [{"user": user, "role": role} for role in roles])
    create_account(session, user, login, password, demo)
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
