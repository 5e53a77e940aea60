"""`rollback`: go back to an earlier version."""

from __future__ import annotations

import click

from core.bm import service
from core.cli import Invocation, progress


@click.command("rollback")
@click.argument("version", required=False, type=click.IntRange(1))
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def command(invocation: Invocation, version: int | None, yes: bool) -> None:
    """Go back to VERSION, or to the one before; what was entered since is kept and returns with the next promotion."""
    with invocation.database() as settings, service.owner(settings) as engine:
        plugins = service.load_plugins(settings)
        service.finish_earlier(engine, plugins, invocation.user, progress.say)
        planned = service.plan_rollback(settings, engine, version, plugins)
        progress.show(planned)
        if not planned.plan.empty:
            progress.confirm(planned, yes)
        live = service.rollback_to(settings, engine, planned=planned, author=invocation.user, plugins=plugins,
                                   say=progress.say)
    click.echo(f"Version {live} is live.")
