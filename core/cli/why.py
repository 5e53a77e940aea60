"""`why`: why somebody can or cannot see or do a thing, step by step."""

from __future__ import annotations

import click

from core.bm.versions.places import Written
from core.cli import Invocation
from core.cli.acting import sessions, user_of
from core.definition.model import DUTIES
from core.ed import duties, why
from core.ed.access import RIGHTS
from core.errors import Refused


@click.command("why")
@click.argument("login")
@click.argument("action", type=click.Choice([*RIGHTS, *DUTIES]))
@click.argument("table", required=False)
@click.argument("id", type=click.IntRange(1), required=False)
@click.argument("field", required=False)
@click.pass_context
def command(context: click.Context, login: str, action: str, table: str | None, id: int | None,
            field: str | None) -> None:
    """Say whether the user LOGIN may do ACTION with records of TABLE, with record ID, or with its FIELD, and why.

    What administrators do (plan, promote, roll_back, purge, customise) is asked without a table.
    """
    if (table is None) is not (action in DUTIES):
        raise click.UsageError(f"{action} is asked without a table" if table else "of which TABLE?")
    invocation: Invocation = context.obj
    with invocation.database() as settings, sessions(settings, invocation.user, "why") as opened, \
            opened() as session:
        if not session.user.all:
            raise Refused("only an administrator may ask this; `--as` names another user")
        user, place = user_of(session.connection, login), Written(settings, session.system.model)
        answer = duties.why(session, user, action, place) if table is None else \
            why.why(session, user, action, table, id, field, place)
    click.echo("yes, this is allowed" if answer.allowed else "no, this is not allowed")
    for step in answer.steps:
        mark = {True: "+", False: "-", None: " "}[step.holds]
        click.echo(f"{'  ' * step.indent}{mark} {step.says}{f'  ({step.place})' if step.place else ''}")
    for one in answer.missing:
        click.echo(f"needed: {one}")
