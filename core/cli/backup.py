"""`backup`: database, files and versions in one file, while people work."""

from __future__ import annotations

from pathlib import Path

import click

from core.bm import service
from core.bm.backup import backup
from core.cli import Invocation


@click.command("backup")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.pass_obj
def command(invocation: Invocation, file: Path) -> None:
    """Write everything of this system into FILE, as it is at one moment; secrets, sessions and tokens stay out."""
    with invocation.database() as settings, service.owner(settings) as engine:
        done = backup(engine, settings.home, file)
    click.echo(f"{file}: {done.tables} tables, {done.files} files, {done.size:,} bytes")
    click.echo("Not in it: secrets.yaml, config/, the site's folder, addons; sessions and API tokens.")
