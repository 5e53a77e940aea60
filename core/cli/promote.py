"""`promote`: take the definitions to live."""

from __future__ import annotations

import json
from pathlib import Path

import click

from core.bm import bundling, service
from core.bm.bundle import is_bundle
from core.bm.steps import Plan
from core.cli import Invocation, progress
from core.errors import Refused


@click.command("promote")
@click.argument("approved", metavar="[FILE]", required=False, type=click.Path(path_type=Path, dir_okay=False))
@click.option("--merge", is_flag=True, help="Of a bundle: keep what live has that the bundle does not know. "
              "Needs --message.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--message", "-m", default="", help="What this version is about.")
@click.pass_obj
def command(invocation: Invocation, approved: Path | None, merge: bool, yes: bool, message: str) -> None:
    """Take the definitions to live: the folder's, or those of FILE, a bundle (from `package`).

    With FILE from `plan --json` the folder's, if the plan is still that one.
    """
    packed = approved is not None and is_bundle(approved)
    if merge and not (packed and message.strip()):
        raise click.UsageError("--merge is for a bundle, and needs a reason: --message")
    with invocation.database() as settings, service.owner(settings) as engine:
        plugins = service.load_plugins(settings)
        if service.finish_earlier(engine, plugins, invocation.user, progress.say):
            click.echo("An earlier promotion that had broken off is settled.")
        if approved is not None and packed:
            planned = bundling.plan(settings, engine, plugins, approved, invocation.user, merge)
        else:
            planned = service.plan_folder(settings, engine, plugins)
            if approved is not None:
                _require_same(planned.plan, approved)
        progress.show(planned)
        if planned.plan.problems:
            raise Refused("nothing was done")
        if not planned.plan.empty:
            progress.confirm(planned, yes)
        version = service.promote_folder(settings, engine, planned, message, invocation.user, plugins=plugins,
                                         say=progress.say)
    click.echo(f"Version {version} is live.")


def _require_same(plan: Plan, approved: Path) -> None:
    try:
        hashed = json.loads(approved.read_text(encoding="utf-8"))["hash"]
    except (OSError, ValueError, KeyError, TypeError):
        raise Refused(f"{approved} is no plan; write one with `plan --json > FILE`") from None
    if hashed != plan.hash:
        raise Refused("this is not the plan that was approved any more; plan again")
