"""`pull`: bring live's site layer into the folder."""

from __future__ import annotations

import click

from core.bm import service
from core.cli import Invocation


@click.command("pull")
@click.option("--force", is_flag=True, help="Throw away changes in the folder that were never promoted.")
@click.pass_obj
def command(invocation: Invocation, force: bool) -> None:
    """Bring live's site layer into the folder, comments and all."""
    with invocation.database() as settings, service.owner(settings) as engine:
        written = service.pull(settings, engine, force)
    for name in written:
        click.echo(name)
    click.echo(f"{settings.metadata} is as live is." if written else "Nothing to do.")
