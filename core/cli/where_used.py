"""`where-used`: who names a table, a field, a choice, a form... and where."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import click

from core.cli import Invocation
from core.definition import references
from core.definition.past_names import past_references
from core.definition.users import Target, User, target, users
from core.errors import counted

if TYPE_CHECKING:
    from core.bm.inputs.stored import StoredUser
    from core.plugins import Plugins


@click.command("where-used")
@click.argument("kind")
@click.argument("name", metavar="NAME[.PART]")
@click.option("--all", "every", is_flag=True, help="Also who stands on those: what would break with it.")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@click.option("--live", is_flag=True, help="Also expressions that people stored in records of the live system.")
@click.pass_obj
def command(invocation: Invocation, kind: str, name: str, every: bool, as_json: bool, live: bool) -> None:
    """Print who uses a definition or a part of it, such as `where-used table company.city`."""
    sources = invocation.sources()
    plugins, model = sources.plugins, sources.load().must()
    aim = target(model, kind, name)
    found = users(model, (*references(model, plugins), *past_references(model)), aim, every)
    stored = _stored(invocation, plugins, aim) if live else []
    if as_json:
        click.echo(json.dumps([{**asdict(user), "source": source(user)} for user in found]
                              + [asdict(one) for one in stored], ensure_ascii=False, indent=2))
        return
    show(found)
    for one in stored:
        click.echo(f"live records\n  {one}" if one is stored[0] else f"  {one}")
    number = len(found) + len(stored)
    click.echo(f"{aim[0]} {aim[1]}: {counted(number, 'use')}" if number else f"nothing uses {aim[0]} {aim[1]}")


def _stored(invocation: Invocation, plugins: Plugins, aim: Target) -> Sequence[StoredUser]:
    from core.bm import service
    from core.bm.inputs.stored import users_in_records
    with invocation.database() as settings, service.owner(settings) as engine:
        return users_in_records(engine, plugins, aim)


def show(found: Iterable[User]) -> None:
    """Print users grouped by layer, each with the line of its file; what is further away stands further in."""
    for layer, group in groupby(found, key=lambda user: (user.level, user.layer)):
        click.echo(f"{layer[1]}:" if layer[0] == 1 else f"{layer[1]}, {layer[0]} steps away:")
        for user in group:
            click.echo(f"  {user.kind} {user.name} {user.path}".rstrip()
                       + f"  {user.file}:{user.line}:{user.column}")
            line = source(user)
            if line:
                click.echo(f"      {line}")


def source(user: User) -> str:
    """The line of the file where a user names the thing; empty if it cannot be read any more."""
    try:
        lines = Path(user.file).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return ""
    return lines[user.line - 1].strip() if 0 < user.line <= len(lines) else ""
