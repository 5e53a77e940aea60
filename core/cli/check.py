"""`check`: every problem of the definitions on disk, as file:line:column; needs no database."""

from __future__ import annotations

import gc
from pathlib import Path
from typing import TypedDict

import click

from core.cache import Cache, contents, digest
from core.cli import Invocation
from core.errors import counted
from core.settings import Settings


@click.command("check")
@click.option("--deep", is_flag=True, help="Also try it: promote into a scratch database, load the demo, open every "
              "list and form as each role in each language, look for missing translations.")
@click.option("--previous", type=click.Path(path_type=Path, exists=True, file_okay=False),
              help="With --deep: a folder with the addons as they were, to upgrade from.")
@click.option("--no-cache", "fresh", is_flag=True, help="Look at everything, whatever is known of earlier checks.")
@click.pass_context
def command(context: click.Context, deep: bool, previous: Path | None, fresh: bool) -> None:
    """Check all definitions: prints every problem and exits 1, or says in a line what there is."""
    invocation: Invocation = context.obj
    settings = invocation.settings
    checked = check_files(settings, fresh)
    for problem in checked["problems"]:
        click.echo(problem)
    for notice in checked["notices"]:
        click.echo(f"notice: {notice}")
    found = bool(checked["problems"])
    if found:
        click.echo(counted(len(checked["problems"]), "problem"), err=True)
    else:
        click.echo(checked["summary"])
    if deep and not found:
        found = check_deeply(settings, previous)
    context.exit(1 if found else 0)


class Checked(TypedDict):
    """What a check says: lines that name places, and what the set holds if there are no problems."""

    problems: list[str]
    notices: list[str]
    summary: str


def check_files(settings: Settings, fresh: bool = False) -> Checked:
    """What checking the files says; from memory if nothing changed since. Imports what checks only if it must."""
    folders = [*settings.addon_folders, settings.metadata]
    cache = Cache(None if fresh else settings.home / "cache")
    name = digest([str(Path.cwd()), *map(str, folders)])[:16]
    now = contents(folders)
    kept = cache.read(f"check-{name}")
    if kept is not None and kept["contents"] == digest(now):
        return Checked(problems=kept["problems"], notices=kept["notices"], summary=kept["summary"])
    gc.disable()                    # all that is made is kept to the end: looking for what is not is a fourth of it
    try:
        from core.definition.checked import check
        found = check(settings.addon_folders, settings.metadata, now, cache, name)
    finally:
        gc.enable()
    checked = Checked(problems=list(found.problems), notices=list(found.notices), summary=found.summary)
    if found.contents is not None:
        cache.write(f"check-{name}", {"contents": digest(found.contents), **checked})
    return checked


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
