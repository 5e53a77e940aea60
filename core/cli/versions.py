"""`versions`: what was live, and what is."""

from __future__ import annotations

import click

from core.bm import service
from core.cli import Invocation


@click.command("versions")
@click.pass_obj
def command(invocation: Invocation) -> None:
    """List the versions, newest first; the live one has a star."""
    with invocation.database() as settings, service.owner(settings) as engine, engine.connect() as connection:
        for one in service.describe_versions(connection):
            about = "  ".join(word for word in (one.author, one.message) if word)
            click.echo(f"{'*' if one.live else ' '} {one.id:>4}  {one.hash[:12]}  {one.created_on:%Y-%m-%d %H:%M}  "
                       f"{about}".rstrip())
