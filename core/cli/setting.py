"""`setting`: show a setting, or change it; without a name, all that one may change."""

from __future__ import annotations

from typing import Any

import click

from core.cli import Invocation
from core.cli.acting import sessions
from core.definition.named import Setting
from core.ed import setting as settings_of
from core.ed.session import Session
from core.errors import Invalid
from core.types.base import BadValue, Locale


@click.command("setting")
@click.argument("name", required=False)
@click.argument("value", required=False)
@click.option("--for", "record", type=click.IntRange(min=1), metavar="ID",
              help="The organisation, or what else the setting may differ by, whose own value it is.")
@click.option("--reset", is_flag=True, help="Forget the value that was said; what held before holds again.")
@click.pass_obj
def command(invocation: Invocation, name: str | None, value: str | None, record: int | None, reset: bool) -> None:
    """Show the setting NAME, or give it a VALUE; a value that begins with - stands behind --."""
    if reset and value is not None:
        raise click.UsageError("either a value, or --reset")
    if name is None and (reset or record is not None):
        raise click.UsageError("which setting?")
    with invocation.database() as settings, sessions(settings, invocation.user, "system") as opened, \
            opened() as session:
        if name is None:
            for one in settings_of.changeable(session):
                click.echo(f"{one.name} = {_shown(one, _held(session, one, None))}")
            return
        found = settings_of.find(session, name)
        if value is not None or reset:
            settings_of.change(session, name, None if reset else _read(found, str(value)), record)
        click.echo(f"{found.name} = {_shown(found, _held(session, found, record))}")


def _held(session: Session, setting: Setting, record: int | None) -> object:
    values = settings_of.values(setting, settings_of.kept(session.connection))
    return values.get(record, values.get(None, setting.default))


def _shown(setting: Setting, value: Any) -> str:
    wire = setting.field.type.to_wire(value, setting.field.properties) if value is not None else "(empty)"
    return str(wire).lower() if isinstance(wire, bool) else str(wire)


def _read(setting: Setting, text: str) -> object:
    """The value as somebody types it in English. Raises Invalid."""
    try:
        return setting.field.type.parse(text, setting.field.properties, Locale("en"))
    except BadValue as error:
        raise Invalid([settings_of.problem(error)]) from None
