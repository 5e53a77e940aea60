"""`promote`: take the definitions to live."""

from __future__ import annotations

from pathlib import Path

import click

from core.bm import bundling, service, settling
from core.bm.bundle import is_bundle
from core.bm.engine.steps import Plan
from core.bm.inputs.questions import Answers
from core.bm.service import Planned
from core.cli import Invocation, answering, progress
from core.cli.interrupting import interruptible, settle_earlier, tell_what_is_left
from core.errors import Refused


@click.command("promote")
@click.argument("approved", metavar="[FILE]", required=False, type=click.Path(path_type=Path, dir_okay=False))
@click.option("--merge", is_flag=True, help="Of a bundle: keep what live has that the bundle does not know. "
              "Needs --message.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--message", "-m", default="", help="What this version is about.")
@answering.options
@click.pass_obj
def command(invocation: Invocation, approved: Path | None, merge: bool, yes: bool, message: str, file: Path | None,
            pairs: tuple[str, ...]) -> None:
    """Take the definitions to live: the folder's, or those of FILE, a bundle (from `package`).

    With FILE from `plan --json` the folder's, if the plan is still that one; its answers are in it.
    """
    packed = approved is not None and is_bundle(approved)
    if merge and not (packed and message.strip()):
        raise click.UsageError("--merge is for a bundle, and needs a reason: --message")
    answers = answering.given(file, pairs, approved if not packed else None)
    with invocation.database() as settings, service.owner(settings) as engine:
        plugins = service.load_plugins(settings)
        settle_earlier(settings, engine, plugins, invocation.user, settling.always if packed else None)

        def make(answers: Answers) -> Planned:
            if approved is not None and packed:
                return bundling.plan(settings, engine, plugins, approved, invocation.user, merge, answers)
            return service.plan_folder(settings, engine, plugins, answers)

        planned = answering.settled(make, answers, f"promote {approved}" if packed else "promote")
        if approved is not None and not packed:
            _require_same(planned.plan, approved)
        progress.show(planned)
        progress.refuse(planned)
        if not planned.plan.empty:
            progress.confirm(planned, yes)
        with interruptible() as stop:
            version = service.promote_folder(settings, engine, planned, message, invocation.user, plugins=plugins,
                                             say=progress.say, stop=stop)
        click.echo(f"Version {version} is live.")
        tell_what_is_left(engine)


def _require_same(plan: Plan, approved: Path) -> None:
    if answering.approved_plan(approved)["hash"] != plan.hash:
        raise Refused("this is not the plan that was approved any more; plan again")
