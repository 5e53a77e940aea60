"""`explain`: who gave each property of a definition its value, and what it replaced; needs no database."""

from __future__ import annotations

import click

from core.cli import Invocation
from core.definition.explaining import Property, Value, explain
from core.errors import counted


@click.command("explain")
@click.argument("kind")
@click.argument("path", metavar="NAME[.PART]")
@click.pass_obj
def command(invocation: Invocation, kind: str, path: str) -> None:
    """Print each property of a definition, or of a part of it: value, layer, file and line, and what it replaced.

    The definitions are those on disk: the addons and the site's folder.
    """
    loaded = invocation.sources().load()
    found = explain(loaded, kind, path)
    width = max(len(one.path) for one in found)
    for one in found:
        for line in lines(one, width):
            click.echo(line)
    if loaded.problems:
        click.echo(f"these definitions have {counted(len(loaded.problems), 'problem')}: run server.py check", err=True)


def lines(one: Property, width: int) -> list[str]:
    """A property in lines: as it is, and below it what it replaced."""
    return [f"{one.path:<{width}}  {_said(one.value)}", *(f"{'':<{width}}    was {_said(was)}" for was in one.replaced)]


def _said(value: Value) -> str:
    return f"{value.text}  [{value.layer}, {value.place}]" if value.layer else value.text
