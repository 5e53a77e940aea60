"""`revert`: an import taken back."""

from __future__ import annotations

import click

from core.cli import Invocation
from core.cli.acting import sessions
from core.ed.reverting import revert

MOST_SHOWN = 20


@click.command("revert")
@click.argument("number", metavar="IMPORT", type=click.IntRange(min=1))
@click.pass_context
def command(context: click.Context, number: int) -> None:
    """Take back an import: what it created goes to the trash, what it changed is set back."""
    invocation: Invocation = context.obj
    with invocation.database() as settings, sessions(settings, invocation.user, "import") as opened:
        result = revert(opened, number)
    click.echo(f"import {number}: {result.trashed} records put into the trash, {result.restored} set back")
    for line in result.left[:MOST_SHOWN]:
        click.echo(f"  left as it is: {line}")
    if len(result.left) > MOST_SHOWN:
        click.echo(f"  and {len(result.left) - MOST_SHOWN} more")
    context.exit(1 if result.left else 0)
