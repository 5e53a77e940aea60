"""`parked`: what was removed and is kept, and bringing it back."""

from __future__ import annotations

import json

import click

from core.bm import parked, parked_restore, service
from core.cli import Invocation


@click.command("parked")
@click.argument("action", required=False, type=click.Choice(["restore"]))
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@click.pass_obj
def command(invocation: Invocation, action: str | None, name: str | None, as_json: bool) -> None:
    """List what is parked; `restore NAME` writes its definition back into the folder, for the next plan."""
    if (action is None) is not (name is None):
        raise click.UsageError("restore goes with the NAME of what is parked")
    with invocation.database() as settings, service.owner(settings) as engine:
        if name is not None:
            file = parked_restore.restore(settings, engine, service.load_plugins(settings), name)
            click.echo(f"{file} says it again; `plan` shows what returns.")
            return
        with engine.connect() as connection:
            found = parked.parked(connection, settings)
    if as_json:
        click.echo(json.dumps([one.as_json() for one in found], ensure_ascii=False))
        return
    for one in found:
        count = "many" if one.values is None else f"{one.values:,}"
        last = f", last written {one.last_written:%Y-%m-%d}" if one.last_written else ""
        click.echo(f"{one.name}  ({one.what}, {count} values{last}; parked {one.parked_on:%Y-%m-%d}, "
                   f"may go from {one.purge_from:%Y-%m-%d})")
    if not found:
        click.echo("Nothing is parked.")
