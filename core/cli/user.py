"""`user`: people who may sign in."""

from __future__ import annotations

import secrets

import click

from core.bm import live, service
from core.cli import Invocation
from core.ed.accounts import create_user
from core.ed.session import Session
from core.web import passwords


@click.group("user")
def command() -> None:
    """Add users."""


@command.command("add")
@click.argument("name")
@click.option("--role", "roles", multiple=True, help="A role; may be given several times.")
@click.option("--name", "person", default="", help="The person's name.  [default: NAME]")
@click.option("--for", "existing", default="", help="Somebody who has a record already, by name.")
@click.pass_obj
def add(invocation: Invocation, name: str, roles: tuple[str, ...], person: str, existing: str) -> None:
    """Add a user with the login NAME; prints the password, once."""
    password = secrets.token_urlsafe(12)
    with invocation.database() as settings, service.owner(settings) as engine, engine.begin() as connection:
        system = live.system(connection, live.current(connection)[0], service.load_plugins(settings))
        session = Session.system_session(system, connection)
        create_user(session, name, existing or person or name, roles, passwords.hash_password(password),
                    existing=bool(existing))
        live.raise_epoch(connection)
    click.echo(f"{name}: {password}")
