"""`review`: what a release changed under the site's overrides, one by one: keep, take or edit."""

from __future__ import annotations

from pathlib import Path

import click

from core.cli import Invocation
from core.definition import reviewing, yaml
from core.definition.overrides import Stale
from core.definition.reviewing import Answer, Edit


@click.command("review")
@click.option("--list", "as_list", is_flag=True, help="Print a file of answers to fill in; nothing is written.")
@click.option("--answers", type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="Take the answers from this file instead of asking.")
@click.pass_context
def command(context: click.Context, as_list: bool, answers: Path | None) -> None:
    """Go through the overrides whose base a release changed; exits 1 while there are some left."""
    invocation: Invocation = context.obj
    sources = invocation.sources()
    loaded = sources.load()
    if as_list:
        click.echo(reviewing.template(loaded.overrides.stale), nl=False)
        context.exit(1 if loaded.overrides.stale else 0)
    questioner = reviewing.read_answers(answers.read_bytes(), str(answers)) if answers else Terminal()
    done, after = reviewing.review(loaded, sources.site, Path.cwd(), questioner, sources.load)
    for stale, answer in done:
        click.echo(f"{stale.override.key}: {'edited' if isinstance(answer, Edit) else answer}")
    left = after.overrides.stale
    if left:
        click.echo(f"{len(left)} still to review", err=True)
    elif not done:
        click.echo("There is nothing to review.")
    for problem in after.problems:
        click.echo(str(problem), err=True)
    context.exit(1 if left else 0)


class Terminal:
    """Asks a person."""

    def ask(self, stale: Stale) -> Answer | None:
        """Show base, theirs and ours, and ask until there is an answer."""
        click.echo()
        for line in reviewing.described(stale):
            click.echo(line)
        ways = ["take", "edit", "later"] if stale.lost else ["keep", "take", "edit", "later"]
        way = click.prompt("What shall it be", type=click.Choice(ways))
        if way == "later":
            return None
        return str(way) if way != "edit" else Edit(self._value())

    def _value(self) -> object:
        while True:
            text = click.prompt("Its value, as in a definition")
            value, _, problems = yaml.read(f"value: {text}".encode(), "value")
            if not problems and isinstance(value, dict):
                return value["value"]
            click.echo(problems[0].message if problems else "this is no value")


