"""`user`: people who may sign in."""

from __future__ import annotations

import secrets

import click

from core.bm import service
from core.bm.versions import live
from core.cli import Invocation
from core.ed import accounts
from core.ed.session import Session
from core.web import passwords


@click.group("user")
def command() -> None:
    """Add users."""


@command.command("add")
@click.argument("login", metavar="NAME")
@click.option("--role", "roles", multiple=True, help="A role; may be given several times.")
@click.option("--name", default="", help="The person's name.  [default: NAME]")
@click.option("--for", "existing", default="", help="The name of a user who is in the records already.")
@click.pass_obj
def add(invocation: Invocation, login: str, roles: tuple[str, ...], name: str, existing: str) -> None:
    """Add a user with the login NAME; prints the password, once."""
    password = secrets.token_urlsafe(12)
    hashed = passwords.hash_password(password)
    with invocation.database() as settings, service.owner(settings) as engine, engine.begin() as connection:
        system = live.system(connection, live.current(connection)[0], service.load_plugins(settings))
        session = Session.system_session(system, connection)
        if existing:
            user = accounts.find_user(session, existing)
            accounts.assign_roles(session, user, roles)
            accounts.create_account(session, user, login, hashed)
        else:
            accounts.create_user(session, login, name or login, roles, hashed)
        live.raise_epoch(connection)
    click.echo(f"{login}: {password}")
