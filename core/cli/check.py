"""`check`: every problem of the definitions on disk, as file:line:column; needs no database."""

from __future__ import annotations

import click

from core.cli import Invocation
from core.definition import Loaded, load
from core.errors import DefinitionError
from core.plugins import Plugins


@click.command("check")
@click.pass_context
def command(context: click.Context) -> None:
    """Check all definitions: prints every problem and exits 1, or says in a line what there is."""
    invocation: Invocation = context.obj
    settings = invocation.settings
    try:
        loaded = load(settings.addon_folders, settings.metadata, Plugins.load(settings.addon_folders))
    except DefinitionError as error:        # a plugin.py that cannot be loaded
        loaded = Loaded(None, error.problems, ())
    for problem in loaded.problems:
        click.echo(str(problem))
    if loaded.problems:
        click.echo(counted(len(loaded.problems), "problem"), err=True)
    else:
        click.echo(summary(loaded))
    context.exit(1 if loaded.problems else 0)


def summary(loaded: Loaded) -> str:
    """What the definitions hold, in a line."""
    model = loaded.must()
    parts = [counted(len(model.addons), "addon"), counted(len(model.tables), "table"),
             counted(sum(len(table.own) for table in model.tables.values()), "field"),
             counted(len(model.definitions), "definition"), counted(len(loaded.layers), "layer")]
    return f"all is well: {', '.join(parts)}; version {model.hash[:12]}"


def counted(number: int, word: str) -> str:
    """A number and its noun."""
    return f"{number} {word}{'' if number == 1 else 's'}"
