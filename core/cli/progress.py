"""What the commands of promotion share: showing a plan, asking, and saying which step runs."""

from __future__ import annotations

import sys

import click

from core.bm.describe import as_text
from core.bm.service import Planned
from core.bm.steps import Step
from core.errors import Refused


def show(planned: Planned) -> None:
    """Print the plan."""
    base = f"version {planned.base.version}" if planned.base.version else "nothing"
    click.echo(as_text(planned.plan, base), nl=False)


def confirm(planned: Planned, yes: bool) -> None:
    """Ask before anything is done; what hides values needs more than a reflex. Raises Refused."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise Refused("nobody is there to say yes; add --yes if this is what you want")
    word = planned.plan.hash[:6] if planned.plan.risk in ("lossy", "rewrite") else "yes"
    if click.prompt(f'Type "{word}" to go on', default="", show_default=False) != word:
        raise Refused("nothing was done")


def say(step: Step) -> None:
    """Tell which step runs."""
    click.echo(f"  {step.number:>3}  {step.kind:<8}  {step.target}")
