"""`drift`: where the live system is not as its version says, and what to do about it."""

from __future__ import annotations

import json

import click
from sqlalchemy import Engine

from core.bm import mending, service
from core.bm.drift import findings as drifts
from core.bm.inputs.drifted import VIEWS, Drifted
from core.cli import Invocation
from core.plugins import Plugins


@click.command("drift")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@click.option("--repair", is_flag=True, help="Do what is safe: indexes and constraints come back, no value is guessed.")
@click.option("--adopt", multiple=True, metavar="NAME", help="Let something stay that was added by hand.")
@click.pass_context
def command(context: click.Context, as_json: bool, repair: bool, adopt: tuple[str, ...]) -> None:
    """Show what differs between live, its tables and the folder; exits 1 if anything does."""
    invocation: Invocation = context.obj
    with invocation.database() as settings, service.owner(settings) as engine:
        plugins = service.load_plugins(settings)
        if adopt:
            for one in drifts.adopt(engine, adopt, plugins, invocation.user):
                click.echo(f"{one.name} stays ({one.what}).", err=as_json)
        if repair:
            _repair(engine, plugins, invocation.user, as_json)
        found = drifts.drift(settings, engine, plugins)
    if as_json:
        click.echo(json.dumps({"drift": [one.as_json() for one in found.findings],
                               "adopted": [one.as_json() for one in found.adopted]}, ensure_ascii=False))
    else:
        _show(found)
    context.exit(0 if found.none else 1)


def _repair(engine: Engine, plugins: Plugins, user: str, quiet: bool) -> None:
    number = mending.repair(engine, plugins, user, say=lambda step: click.echo("\n".join(step.sql), err=quiet))
    if number is None:
        return
    for line in mending.left(engine, number):
        click.echo(line, err=True)
    click.echo(f"`promotions {number}` tells what was run.", err=quiet)


def _show(found: drifts.Drift) -> None:
    for view, title in VIEWS.items():
        lines = [line for one in found.findings if one.view == view for line in _lines(one)]
        if lines:
            click.echo("\n".join([f"In {title}:", "", *lines]))
    if found.adopted:
        click.echo("Adopted: " + ", ".join(one.name for one in found.adopted))
    if found.none:
        click.echo("No drift. Live is as its version says.")


def _lines(one: Drifted) -> list[str]:
    return [f"  {one.what}  {one.name}{'  (stops promotions)' if one.stops else ''}",
            f"      live wants  {one.wanted}", f"      there is    {one.found}", f"      way out     {one.way_out}", ""]
