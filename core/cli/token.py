"""`token`: a new API token for a user, printed once and kept as a hash only."""

from __future__ import annotations

import secrets

import click
from sqlalchemy import text

from core.cli import Invocation
from core.database import engine as engines
from core.errors import Refused
from core.web.accounts import digest

_ACCOUNT = text("select id from sys.account where login = :login and active and user_id is not null")
_INSERT = text("""
    insert into sys.token (hash, account_id, name, scopes, expires_on)
    values (:hash, :account, :name, :scopes, now() + make_interval(days => :days))""")
_REVOKE = text("""
    update sys.token t set revoked_on = now() from sys.account a
     where a.id = t.account_id and a.login = :login and t.revoked_on is null""")


@click.command("token")
@click.argument("login", metavar="NAME")
@click.option("--name", default="command line", show_default=True, help="What the token is for.")
@click.option("--days", type=click.IntRange(1, 3650), default=365, show_default=True, help="How long it holds.")
@click.option("--read-only", is_flag=True, help="It may read only.")
@click.option("--revoke", is_flag=True, help="Revoke all tokens of the user, and print none.")
@click.pass_obj
def command(invocation: Invocation, login: str, name: str, days: int, read_only: bool, revoke: bool) -> None:
    """Print a new API token of the user NAME."""
    with invocation.database() as settings:
        pool = engines.open(settings, "app")
        try:
            with engines.transaction(pool) as connection:
                account = connection.execute(_ACCOUNT, {"login": login.lower()}).scalar()
                if account is None:
                    raise Refused(f"there is no user {login!r}")
                if revoke:
                    count = connection.execute(_REVOKE, {"login": login.lower()}).rowcount
                    click.echo(f"{count} tokens revoked")
                    return
                token = "tessera_" + secrets.token_urlsafe(32)
                scopes = ["read"] if read_only else ["read", "write"]
                connection.execute(_INSERT, {"hash": digest(token), "account": account, "name": name[:100],
                                             "scopes": scopes, "days": days})
        finally:
            pool.dispose()
    click.echo(token)
