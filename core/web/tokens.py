"""Tokens of programs in schema sys: made for an account and shown once, kept as a hash, limited, ended."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text

from core.definition.model import Model
from core.ed.scopes import unknown
from core.errors import FieldProblem, Invalid
from core.web.accounts import digest
from core.web.i18n import N_

PREFIX = "tessera_"         # so that whoever finds one, in a repository say, knows what it is
LONGEST_NAME = 100
MOST_DAYS = 3650
MOST = 100                  # of one account at a time
MOST_SCOPES = 200
_OF_ACCOUNT = text("""
    select id, name, scopes, created_on, expires_on, used_on from sys.token
     where account_id = :account and revoked_on is null and (expires_on is null or expires_on > now())
     order by id desc""")


@dataclass(frozen=True, slots=True)
class Token:
    """What is known of a token that still holds; the token itself is nowhere."""

    id: int
    name: str
    scopes: tuple[str, ...]
    created_on: datetime
    expires_on: datetime | None
    used_on: datetime | None


def create(connection: Connection, model: Model, account: int, name: str, scopes: Sequence[str], days: int) -> str:
    """Make a token; gives it, for the only time. Raises Invalid."""
    problems = list(_problems(model, name.strip(), scopes, days))
    if not problems and len(of_account(connection, account)) >= MOST:
        problems.append(FieldProblem("name", "too_many", N_("There are {most} tokens already: end one first."),
                                     {"most": MOST}))
    if problems:
        raise Invalid(problems)
    token = PREFIX + secrets.token_urlsafe(32)
    connection.execute(text("""
        insert into sys.token (hash, account_id, name, scopes, expires_on)
        values (:hash, :account, :name, :scopes, now() + make_interval(days => :days))"""),
        {"hash": digest(token), "account": account, "name": name.strip(), "scopes": list(dict.fromkeys(scopes)),
         "days": days})
    return token


def of_account(connection: Connection, account: int) -> list[Token]:
    """The tokens of an account that still hold, the newest first."""
    rows = connection.execute(_OF_ACCOUNT, {"account": account})
    return [Token(row.id, row.name, tuple(row.scopes), row.created_on, row.expires_on, row.used_on) for row in rows]


def revoke(connection: Connection, account: int, token: int | None = None) -> int:
    """End a token of an account, or all of them; gives how many."""
    return connection.execute(text("""
        update sys.token set revoked_on = now()
         where account_id = :account and revoked_on is null and (cast(:id as bigint) is null or id = :id)"""),
        {"account": account, "id": token}).rowcount


def _problems(model: Model, name: str, scopes: Sequence[str], days: int) -> Iterable[FieldProblem]:
    if not name:
        yield FieldProblem("name", "required", N_("This must be filled in."))
    elif len(name) > LONGEST_NAME or not name.isprintable():
        yield FieldProblem("name", "too_long", N_("A name has at most {most} visible characters."),
                           {"most": LONGEST_NAME})
    if not scopes or len(scopes) > MOST_SCOPES:
        yield FieldProblem("scopes", "required", N_("Say what the token is for."))
    for scope in unknown(model, scopes):
        yield FieldProblem("scopes", "scope", N_('"{scope}" is no scope: read, write or export, with a table as in '
                                                 'read:company or without.'), {"scope": scope[:60]})
    if not 1 <= days <= MOST_DAYS:
        yield FieldProblem("days", "range", N_("A token holds for 1 to {most} days."), {"most": MOST_DAYS})
