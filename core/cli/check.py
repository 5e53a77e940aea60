"""`check`: every problem of the definitions on disk, as file:line:column; needs no database."""

from __future__ import annotations

from pathlib import Path

import click

from core.cli import Invocation
from core.definition import Loaded, load
from core.errors import DefinitionError
from core.plugins import Plugins
from core.settings import Settings


@click.command("check")
@click.option("--deep", is_flag=True, help="Also try it: promote into a scratch database, load the demo, open every "
              "list and form as each role in each language, look for missing translations.")
@click.option("--previous", type=click.Path(path_type=Path, exists=True, file_okay=False),
              help="With --deep: a folder with the addons as they were, to upgrade from.")
@click.pass_context
def command(context: click.Context, deep: bool, previous: Path | None) -> None:
    """Check all definitions: prints every problem and exits 1, or says in a line what there is."""
    invocation: Invocation = context.obj
    settings = invocation.settings
    try:
        loaded = load(settings.addon_folders, settings.metadata, Plugins.load(settings.addon_folders))
    except DefinitionError as error:        # a plugin.py that cannot be loaded
        loaded = Loaded(None, error.problems, ())
    for problem in loaded.problems:
        click.echo(str(problem))
    for notice in loaded.notices:
        click.echo(f"notice: {notice}")
    if loaded.problems:
        click.echo(counted(len(loaded.problems), "problem"), err=True)
    else:
        click.echo(summary(loaded))
    found = bool(loaded.problems)
    if deep and not found:
        found = check_deeply(settings, previous)
    context.exit(1 if found else 0)


def check_deeply(settings: Settings, previous: Path | None) -> bool:
    """Run what an addon's tests run on the whole set, and print what does not hold; True if there is something."""
    from core.conformance import CHECKS, Subject  # only here: it needs pages and a database
    wrong = False
    with Subject(settings.addon_folders, settings.metadata, previous=previous) as subject:
        for check in CHECKS:
            lines = check.run(subject)
            wrong = wrong or bool(lines)
            click.echo(f"{check.name}: {check.says}" if not lines else f"{check.name}: not so, that {check.says}")
            for line in lines:
                click.echo(f"  {line}")
    return wrong


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
