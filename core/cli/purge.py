"""`purge`: what has been in the trash for long is removed for good, and files that nothing names any more."""

from __future__ import annotations

import click

from core.cli import Invocation
from core.cli.acting import sessions
from core.ed import staging
from core.ed.files import FileStore
from core.ed.purge import purge


@click.command("purge")
@click.option("--days", type=click.IntRange(min=1), help="In the trash for longer than this.  [default: the setting]")
@click.option("--dry-run", is_flag=True, help="Only say what would go.")
@click.option("--history/--no-history", "keep", default=None, help="Keep the history of what goes, or do not.  "
              "[default: the setting]")
@click.pass_obj
def command(invocation: Invocation, days: int | None, dry_run: bool, keep: bool | None) -> None:
    """Remove for good what has been in the trash for long; nothing that is still needed, or locked."""
    with invocation.database() as settings, sessions(settings, invocation.user, "system") as opened:
        forget = not (settings.trash_history if keep is None else keep)
        done = purge(opened, settings.trash_days if days is None else days, forget=forget, dry_run=dry_run)
        staged = files = 0
        if not dry_run:
            with opened() as session:
                staged = staging.forget_staged(session.connection)
            with opened() as session:
                files = FileStore(settings.home / "files").collect(session.connection)
    verb = "would be removed" if dry_run else "removed"
    for name, number in sorted(done.records.items()):
        click.echo(f"{name}: {number} {verb}")
    click.echo(f"{done.count} records {verb}; {done.kept} stay, for something needs them or they are locked")
    if not dry_run:
        click.echo(f"{done.history} entries of history, {done.files + staged} files of records and uploads,"
                   f" {files} stored files that nothing names")
