"""What the commands of promotion share: showing a plan, asking, and saying which step runs."""

from __future__ import annotations

import sys

import click

from core.bm.engine.steps import Step
from core.bm.planning.describe import as_text, needs_thought
from core.bm.service import Planned
from core.errors import Refused


def show(planned: Planned) -> None:
    """Print the plan."""
    base = f"version {planned.base.version}" if planned.base.version else "nothing"
    click.echo(as_text(planned.plan, base), nl=False)


def attended() -> bool:
    """Whether somebody is there to be asked."""
    return sys.stdin.isatty()


def refuse(planned: Planned) -> None:
    """Stop what cannot be promoted, or has not been told all it asks. Raises Refused."""
    if planned.plan.problems:
        raise Refused("nothing was done")
    if planned.plan.questions:
        keys = ", ".join(f'"{question.key}"' for question in planned.plan.questions)
        raise Refused(f"nobody answered {keys}; nothing was done")


def confirm(planned: Planned, yes: bool) -> None:
    """Ask before anything is done; what hides values needs more than a reflex. Raises Refused."""
    if yes:
        return
    if not attended():
        raise Refused("nobody is there to say yes; add --yes if this is what you want")
    word = planned.plan.hash[:6] if needs_thought(planned.plan) else "yes"
    if click.prompt(f'Type "{word}" to go on', default="", show_default=False) != word:
        raise Refused("nothing was done")


def say(step: Step) -> None:
    """Tell which step runs."""
    click.echo(f"  {step.number:>3}  {step.kind:<11}  {step.target}")
