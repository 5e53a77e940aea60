"""`package`: the site's layer in one file, for `promote FILE` elsewhere."""

from __future__ import annotations

from pathlib import Path

import click

from core.bm import bundling, service
from core.cli import Invocation


@click.command("package")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--message", "-m", default="", help="What it is about.")
@click.pass_obj
def command(invocation: Invocation, file: Path, message: str) -> None:
    """Write the site's layer into FILE, a bundle: it can be read, carried, and promoted with `promote FILE`.

    Needs no database. Records, values of settings and secrets are never in it.
    """
    settings = invocation.settings
    made = bundling.package(settings, service.load_plugins(settings), file, message, invocation.user)
    click.echo(f"{file}: {made.files} files, makes version {made.head.target[:12]}")
    click.echo(f"Made against version {made.head.base[:12]}" if made.head.base else
               "Made against no version: the folder was never promoted, nor brought from live with `pull`")
    if made.head.environment:
        click.echo(f"The system that it goes to has its own: {', '.join(made.head.environment)}")
    for name in made.left_out:
        click.echo(f"left out, as it is no definition: {name}", err=True)
