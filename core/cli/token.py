"""`token`: API tokens of a user: made (printed once and kept as a hash only), listed, ended."""

from __future__ import annotations

import click
from sqlalchemy import Connection, text

from core.bm.versions import live
from core.cli import Invocation
from core.database import engine as engines
from core.ed.scopes import ALL
from core.errors import Refused
from core.plugins import Plugins
from core.types.characters import plain_number
from core.web import tokens

_ACCOUNT = text("select id from sys.account where login = :login and active and user_id is not null")


@click.command("token")
@click.argument("login", metavar="NAME")
@click.option("--scope", "scopes", multiple=True, metavar="SCOPE",
              help="read, write or export, or one of them for a table, as in read:company; may be given several "
                   "times.  [default: all that the user may]")
@click.option("--read-only", is_flag=True, help="The same as --scope read.")
@click.option("--expires", "--days", "days", type=click.IntRange(1, tokens.MOST_DAYS), default=365, show_default=True,
              metavar="DAYS", help="How long it holds.")
@click.option("--name", default="command line", show_default=True, help="What the token is for.")
@click.option("--list", "listed", is_flag=True, help="List the user's tokens, and print none.")
@click.option("--revoke", is_flag=False, flag_value="all", metavar="ID",
              help="End the token with this number, or all of the user's, and print none.")
@click.pass_obj
def command(invocation: Invocation, login: str, scopes: tuple[str, ...], read_only: bool, days: int, name: str,
            listed: bool, revoke: str | None) -> None:
    """Print a new API token of the user NAME."""
    if read_only and scopes:
        raise click.UsageError("give either --scope or --read-only")
    with invocation.database() as settings:
        pool = engines.open(settings, "app")
        try:
            with engines.transaction(pool) as connection:
                account = connection.execute(_ACCOUNT, {"login": login.lower()}).scalar()
                if account is None:
                    raise Refused(f"there is no user {login!r}")
                if revoke is not None:
                    click.echo(_revoked(connection, account, login, revoke))
                elif listed:
                    click.echo(_listed(connection, account))
                else:
                    system = live.system(connection, live.current(connection)[0], Plugins.load(settings.addon_folders))
                    wanted = ("read",) if read_only else scopes or ALL
                    click.echo(tokens.create(connection, system.model, account, name, wanted, days))
        finally:
            pool.dispose()


def _revoked(connection: Connection, account: int, login: str, which: str) -> str:
    number = plain_number(which)
    if which != "all" and number is None:
        raise Refused(f"{which!r} is not the number of a token; --list shows them")
    count = tokens.revoke(connection, account, None if which == "all" else number)
    if not count and which != "all":
        raise Refused(f"{login} has no token {which}; --list shows them")
    return f"{count} tokens revoked"


def _listed(connection: Connection, account: int) -> str:
    lines: list[tuple[str, ...]] = [("number", "name", "scopes", "made", "last used", "holds until")]
    for token in tokens.of_account(connection, account):
        moments = (token.created_on, token.used_on, token.expires_on)
        lines.append((str(token.id), token.name, " ".join(token.scopes),
                      *(f"{moment:%Y-%m-%d}" if moment else "-" for moment in moments)))
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
                     for line in lines)
