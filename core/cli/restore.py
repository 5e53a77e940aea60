"""`restore`: a backup brought into an empty place."""

from __future__ import annotations

from pathlib import Path

import click

from core.bm import service
from core.bm.restoring import restore
from core.cli import Invocation
from core.database import engine as engines
from core.database import setup


@click.command("restore")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.pass_obj
def command(invocation: Invocation, file: Path) -> None:
    """Bring the backup FILE into an empty home and database: checked as a whole first, then all of it or nothing."""
    with invocation.database() as settings:
        engine = engines.open(settings, "owner")
        try:
            done = restore(engine, settings.home, file, service.load_plugins(settings))
        finally:
            engine.dispose()
        setup.upgrade(settings)                      # nothing but the password of the role that serves requests
    click.echo(f"{done.tables} tables and {done.files} files are restored.")
    click.echo("Everybody signs in anew with the password they had; API tokens have to be made anew (`token`).")
