"""`rename`: give a field, a value, a table or choices of the site another name, everywhere."""

from __future__ import annotations

import difflib
from collections.abc import Mapping

import click

from core.cli import Invocation
from core.definition import renaming
from core.definition.replacing import replace_files
from core.errors import counted


@click.command("rename")
@click.argument("name", metavar="TABLE.FIELD", required=False)
@click.argument("new", metavar="NEW", required=False)
@click.option("--kind", type=click.Choice(sorted(renaming.COLLECTIONS)), help="What it is, if two are called so.")
@click.option("--follow", is_flag=True, help="Replace former names that the site's files still use.")
@click.option("--dry-run", is_flag=True, help="Show what would change; write nothing.")
@click.pass_obj
def command(invocation: Invocation, name: str | None, new: str | None, kind: str | None, follow: bool,
            dry_run: bool) -> None:
    """Rename a field, a value of choices, a table or choices in all files of the site, as in `rename contact.cell
    mobile`; its records keep their values, and the old name stays known. Migrations and fill: speak of the version
    before: they are left as they are, and told."""
    if follow == (new is not None) or (follow and name is not None):
        raise click.UsageError("write rename TABLE.FIELD NEW, or rename --follow")
    settings = invocation.settings
    sources = invocation.sources()
    changed = renaming.rename(sources, name, new, kind) if name and new else renaming.follow(sources)
    left = renaming.left(sources, name, kind) if name and new else []
    if dry_run:
        show(changed)
    else:
        replace_files(settings.metadata, {settings.metadata / path: after for path, (_, after) in changed.items()})
    for path in changed:
        click.echo(f"{'would change' if dry_run else 'changed'} {settings.metadata / path}")
    for place in dict.fromkeys(f"{user.file}:{user.line}: {user.kind} {user.name}" for user in left):
        click.echo(f"left {place} speaks of the version before, which has the old name")
    click.echo(f"{counted(len(changed), 'file')} {'would be ' if dry_run else ''}changed")


def show(changed: Mapping[str, tuple[str, str]]) -> None:
    """Print what changes as a unified diff."""
    for path, (before, after) in changed.items():
        for line in difflib.unified_diff(before.splitlines(), after.splitlines(), path, path, lineterm=""):
            click.echo(line)
