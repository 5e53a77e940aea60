"""`init`: the database, the first version, and who may come in."""

from __future__ import annotations

import click
from sqlalchemy import Engine, text

from core.bm import service
from core.bm.demo import Demo, demo_folders
from core.bm.engine.lock import starting
from core.bm.versions import live
from core.cli import DEMO_PASSWORD, Invocation
from core.database import setup
from core.ed.accounts import create_account, create_user, mark_demo
from core.ed.session import Session
from core.errors import Refused
from core.plugins import Plugins
from core.settings import Settings
from core.web import accounts, passwords


@click.command("init")
@click.option("--demo", is_flag=True, help="With demo records and accounts; marks this system as a demo for good.")
@click.pass_obj
def command(invocation: Invocation, demo: bool) -> None:
    """Create the database and promote the first version."""
    with invocation.database() as settings:
        setup.upgrade(settings)
        with service.owner(settings) as engine:
            for line in initialise(settings, engine, demo):
                click.echo(line)


def initialise(settings: Settings, engine: Engine, demo: bool) -> list[str]:
    """Promote the first version, make the first user, load a demo; what to tell the administrator. Raises Refused."""
    plugins = service.load_plugins(settings)
    with starting(engine):
        service.finish_earlier(engine, plugins, "init")
        with engine.connect() as connection:
            there, _ = live.current(connection)
        if not there:
            service.promote_folder(settings, engine, author="admin", plugins=plugins)
        users = _first_users(settings, engine, plugins, demo)
    return ["The first version is live.", *users]


def _first_users(settings: Settings, engine: Engine, plugins: Plugins, demo: bool) -> list[str]:
    """All in one transaction: an init that was killed here begins here again."""
    with engine.begin() as connection:
        if connection.scalar(text("select 1 from sys.account limit 1")) is not None:
            raise Refused("this system is there already; nothing was done")
        system = live.system(connection, live.current(connection)[0], plugins)
        session = Session.system_session(system, connection)
        if not demo:
            create_user(session, "admin", "Administrator", ["administrator"])
            return ["Open this link within a day to choose the password of admin: "
                    f"http://{settings.host}:{settings.port}{accounts.create_setup_link(connection)}"]
        mark_demo(session)
        password = passwords.hash_password(DEMO_PASSWORD)
        create_user(session, "admin", "Administrator", ["administrator"], password, demo=True)
        made = Demo(session)
        number = made.load(demo_folders(system.model, settings.addon_folders))
        logins = ["admin"]
        for (table, handle), record in made.made.items():
            if table == "user":
                create_account(session, record, handle, password, demo=True)
                logins.append(handle)
        return [f"{number} demo records.", f"Accounts: {', '.join(logins)}; password of each: {DEMO_PASSWORD}"]
