"""`rollback`: go back to an earlier version."""

from __future__ import annotations

from pathlib import Path

import click

from core.bm import service, settling
from core.cli import Invocation, answering, progress
from core.cli.interrupting import interruptible, settle_earlier, tell_what_is_left


@click.command("rollback")
@click.argument("version", required=False, type=click.IntRange(1))
@click.option("--yes", is_flag=True, help="Do not ask.")
@answering.options
@click.pass_obj
def command(invocation: Invocation, version: int | None, yes: bool, file: Path | None, pairs: tuple[str, ...]) -> None:
    """Go back to VERSION, or to the one before; what was entered since is kept and returns with the next promotion."""
    answers = answering.given(file, pairs)
    with invocation.database() as settings, service.owner(settings) as engine:
        plugins = service.load_plugins(settings)
        settle_earlier(settings, engine, plugins, invocation.user, settling.nothing)
        planned = service.plan_rollback(settings, engine, version, plugins, answers)
        progress.show(planned)
        progress.refuse(planned)
        if not planned.plan.empty:
            progress.confirm(planned, yes)
        with interruptible() as stop:
            live = service.rollback_to(settings, engine, planned=planned, author=invocation.user, plugins=plugins,
                                       say=progress.say, stop=stop)
        click.echo(f"Version {live} is live.")
        tell_what_is_left(engine)
