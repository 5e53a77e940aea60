"""`plan`: what a promotion would change."""

from __future__ import annotations

from pathlib import Path

import click

from core.bm import bundling, service
from core.bm.versions.canonical import canonical
from core.cli import Invocation, answering, progress


@click.command("plan")
@click.argument("bundle", metavar="[FILE]", required=False, type=click.Path(path_type=Path, dir_okay=False))
@click.option("--json", "as_json", is_flag=True, help="For machines; `promote FILE` takes it as the plan approved.")
@answering.options
@click.pass_context
def command(context: click.Context, bundle: Path | None, as_json: bool, file: Path | None,
            pairs: tuple[str, ...]) -> None:
    """Show what a promotion of the folder, or of FILE, a bundle, would change.

    Exits 2 when there are changes, 1 when they cannot be promoted, or ask something that no answer was given to.
    """
    invocation: Invocation = context.obj
    answers = answering.given(file, pairs)
    with invocation.database() as settings, service.owner(settings) as engine:
        planned = bundling.plan(settings, engine, service.load_plugins(settings), bundle, invocation.user,
                                answers=answers) \
            if bundle is not None else service.plan_folder(settings, engine, answers=answers)
    if as_json:
        click.echo(canonical({**planned.plan.as_json(), "hash": planned.plan.hash}).decode())
    else:
        progress.show(planned)
    context.exit(1 if planned.plan.problems or planned.plan.questions else 0 if planned.plan.empty else 2)
