"""`upgrade`: our own tables (schemas sys, bm, jobs) brought up to this release."""

from __future__ import annotations

import click

from core.cli import Invocation
from core.database import setup


@click.command("upgrade")
@click.pass_obj
def command(invocation: Invocation) -> None:
    """Bring our own tables up to this release; nothing happens when they are."""
    with invocation.database() as settings:
        done = setup.upgrade(settings)
    for step in done:
        click.echo(f"step {step.number} {step.name}: done")
    if not done:
        click.echo("nothing to do")
