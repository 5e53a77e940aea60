"""`purge`: what has been in the trash for long is removed for good, and files that nothing names any more."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from core.bm import parked, parked_purge, service
from core.cli import Invocation, progress
from core.cli.acting import sessions
from core.ed import staging
from core.ed.files import FileStore
from core.ed.purge import purge


def _parked(invocation: Invocation, keep: bool | None, dry_run: bool, before: int | None, now: bool, yes: bool,
            names: tuple[str, ...]) -> None:
    """Remove parked tables and fields for good, by a plan that asks."""
    if now and not names:
        raise click.UsageError("--now goes with NAMES")
    with invocation.database() as settings, service.owner(settings) as engine:
        if before is not None:
            settings = settings.model_copy(update={"parked_days": before})
        plugins = service.load_plugins(settings)
        with engine.connect() as connection:
            things = parked_purge.chosen(parked.parked(connection, settings), names, datetime.now(UTC), now)
            forget = not (settings.trash_history if keep is None else keep)
            plan, state = parked_purge.plan(connection, plugins, things, forget)
        if not things:
            click.echo("Nothing has been parked long enough.")
            return
        click.echo(parked_purge.as_text(plan), nl=False)
        if dry_run:
            return
        progress.confirm(service.Planned(plan, state, state), yes)
        number = parked_purge.apply(engine, plugins, plan, state, invocation.user, say=progress.say)
    click.echo(f"Done; `promotions {number}` tells what was run.")


@click.command("purge")
@click.option("--days", type=click.IntRange(min=1), help="In the trash for longer than this.  [default: the setting]")
@click.option("--dry-run", is_flag=True, help="Only say what would go.")
@click.option("--history/--no-history", "keep", default=None, help="Keep the history of what goes, or do not.  "
              "[default: the setting]")
@click.option("--parked", "of_parked", is_flag=True, help="Remove what promotions removed and keep, instead: all that "
              "is kept long enough, or the NAMES.")
@click.option("--before", type=click.IntRange(min=0), metavar="DAYS", help="Parked for longer than this.  "
              "[default: the setting]")
@click.option("--now", is_flag=True, help="The NAMES, however young they are.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.argument("names", nargs=-1)
@click.pass_obj
def command(invocation: Invocation, days: int | None, dry_run: bool, keep: bool | None, of_parked: bool,
            before: int | None, now: bool, yes: bool, names: tuple[str, ...]) -> None:
    """Remove for good what has been in the trash for long; nothing that is still needed, or locked."""
    if not of_parked and (names or now or before is not None):
        raise click.UsageError("NAMES, --before and --now go with --parked")
    if of_parked:
        _parked(invocation, keep, dry_run, before, now, yes, names)
        return
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
