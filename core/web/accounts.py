"""Accounts, sessions and set-up links in schema sys: who may sign in, and what a cookie stands for."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Connection, text

from core.database.prepared import Prepared
from core.ed.scopes import scopes_of
from core.errors import FieldProblem, Invalid, NotFound
from core.web import passwords
from core.web.context import Account
from core.web.i18n import N_

IDLE = timedelta(hours=12)           # a session nobody used for so long is over
ABSOLUTE = timedelta(days=7)         # and any session after this
SEEN_EVERY = timedelta(minutes=5)    # how often use of a session is written down
SETUP_LINK = timedelta(hours=24)
WINDOW = timedelta(minutes=15)       # of counting failed sign-ins
FAILURES_OF_LOGIN = 10
FAILURES_OF_ADDRESS = 60
MOST_ATTEMPTS = 100_000              # rows kept, whoever tries


def digest(secret: str) -> bytes:
    """What is stored of a secret that a cookie, token or link carries."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).digest()


@dataclass(frozen=True, slots=True)
class Head:
    """What the first statement of a request finds: the live version, and who is asking."""

    version: int
    epoch: int
    account: Account | None = None
    demo: bool = False
    stale: bool = False          # the session's use should be written down


_BY_SESSION = Prepared("""
    select l.version, l.epoch, a.id, a.login, a.user_id, s.csrf, a.demo,
           s.seen_on < now() - %(every)s as stale, null::text[] as scopes
      from bm.live l
      left join (sys.session s join sys.account a on a.id = s.account_id and a.active)
        on s.hash = %(hash)s and s.expires_on > now() and s.seen_on > now() - %(idle)s""",
    {"every": SEEN_EVERY, "idle": IDLE})
_BY_TOKEN = Prepared("""
    select l.version, l.epoch, a.id, a.login, a.user_id, '' as csrf, a.demo,
           coalesce(t.used_on < now() - %(every)s, true) as stale, t.scopes
      from bm.live l
      left join (sys.token t join sys.account a on a.id = t.account_id and a.active)
        on t.hash = %(hash)s and t.revoked_on is null and (t.expires_on is null or t.expires_on > now())""",
    {"every": SEEN_EVERY})
_NOBODY = text("select l.version, l.epoch from bm.live l")


def head(connection: Connection, session: str | None = None, token: str | None = None) -> Head:
    """One statement: which version is live, and whose cookie or token this is."""
    if not session and not token:
        row = connection.execute(_NOBODY).one()
        return Head(row.version or 0, row.epoch)
    hashed = digest(token or session or "")
    statement = _BY_TOKEN if token else _BY_SESSION
    with statement.run(connection, {"hash": hashed}) as cursor:
        version, epoch, id, login, user_id, csrf, demo, stale, scopes = cursor.fetchone()
    if id is None or user_id is None:
        return Head(version or 0, epoch)
    allowed = scopes_of(tuple(scopes)) if scopes is not None else None
    account = Account(id, login, user_id, csrf, b"" if token else hashed, allowed)
    return Head(version or 0, epoch, account, demo, bool(stale))


def seen(connection: Connection, account: Account, token: str | None) -> None:
    """Write down, now and then, that a session or token was used."""
    if account.session:
        connection.execute(text("update sys.session set seen_on = now() where hash = :hash"),
                           {"hash": account.session})
    elif token:
        connection.execute(text("update sys.token set used_on = now() where hash = :hash"), {"hash": digest(token)})


def open_session(connection: Connection, account_id: int) -> str:
    """Begin a session under a new name; gives the cookie's value."""
    secret = secrets.token_urlsafe(32)
    connection.execute(text("delete from sys.session where expires_on < now() or seen_on < now() - :idle"),
                       {"idle": IDLE})
    connection.execute(
        text("insert into sys.session (hash, account_id, csrf, expires_on)"
             " values (:hash, :account, :csrf, now() + :life)"),
        {"hash": digest(secret), "account": account_id, "csrf": secrets.token_urlsafe(24), "life": ABSOLUTE})
    return secret


def close_session(connection: Connection, hashed: bytes) -> None:
    """End one session."""
    connection.execute(text("delete from sys.session where hash = :hash"), {"hash": hashed})


def close_others(connection: Connection, account_id: int, but: bytes = b"") -> None:
    """End all sessions of an account, save the one that asks."""
    connection.execute(text("delete from sys.session where account_id = :id and hash <> :but"),
                       {"id": account_id, "but": but})


def sign_in(connection: Connection, login: str, password: str, address: str) -> int | None:
    """Check a login; None for any failure, which takes as long for an unknown login. Failures are counted."""
    row = connection.execute(
        text("select id, password from sys.account where login = :login and active and user_id is not null"),
        {"login": login}).one_or_none()
    good = passwords.matches(row.password if row else None, password) and row is not None
    connection.execute(
        text("insert into sys.login_attempt (login, address, success) values (:login, :address, :success)"),
        {"login": login[:100], "address": address, "success": good})
    return int(row.id) if good and row is not None else None


def limited(connection: Connection, login: str, address: str) -> bool:
    """Whether this login or address failed too often lately; forgets old attempts as it looks."""
    connection.execute(text("delete from sys.login_attempt where at < now() - :window"), {"window": WINDOW})
    row = connection.execute(text("""
        select count(*) filter (where login = :login and at > coalesce(
                   (select max(at) from sys.login_attempt where login = :login and success), '-infinity')) as of_login,
               count(*) filter (where address = :address) as of_address,
               (select count(*) from (select from sys.login_attempt limit :most) kept) as of_all
          from sys.login_attempt where not success and (login = :login or address = :address)"""),
        {"login": login[:100], "address": address, "most": MOST_ATTEMPTS}).one()
    return bool(row.of_login >= FAILURES_OF_LOGIN or row.of_address >= FAILURES_OF_ADDRESS
                or row.of_all >= MOST_ATTEMPTS)


def change_password(connection: Connection, account_id: int, old: str, new: str) -> None:
    """Set a new password; raises Invalid when the old one is wrong or the new one weak."""
    row = connection.execute(text("select login, password from sys.account where id = :id"), {"id": account_id}).one()
    if not passwords.matches(row.password, old):
        raise Invalid([FieldProblem("old", "wrong", N_("This is not your present password."))])
    passwords.check_strength(new, row.login, "new")
    set_password(connection, account_id, new)


def set_password(connection: Connection, account_id: int, new: str) -> None:
    """Store a password."""
    connection.execute(text("update sys.account set password = :password, password_changed_on = now() where id = :id"),
                       {"id": account_id, "password": passwords.hash_password(new)})


def create_setup_link(connection: Connection) -> str:
    """Make the one-time secret by which the first administrator chooses a password; gives its path."""
    secret = secrets.token_urlsafe(24)
    connection.execute(text("insert into sys.setup_link (hash, expires_on) values (:hash, now() + :life)"),
                       {"hash": digest(secret), "life": SETUP_LINK})
    return f"/set-up/{secret}"


def setup_link_open(connection: Connection, secret: str) -> bool:
    """Whether a set-up link may still be used."""
    row = connection.execute(
        text("select 1 from sys.setup_link where hash = :hash and used_on is null and expires_on > now()"),
        {"hash": digest(secret)}).one_or_none()
    return row is not None


def use_setup_link(connection: Connection, secret: str, password: str) -> int:
    """Spend a set-up link: gives the first administrator's account its password. Raises NotFound, Invalid."""
    passwords.check_strength(password)
    spent = connection.execute(
        text("update sys.setup_link set used_on = now() where hash = :hash and used_on is null and expires_on > now()"),
        {"hash": digest(secret)})
    account = connection.scalar(
        text("select id from sys.account where active and user_id is not null and not demo order by id limit 1"))
    if spent.rowcount != 1 or account is None:
        raise NotFound(N_("This link is not valid any more."))
    set_password(connection, int(account), password)
    return int(account)
