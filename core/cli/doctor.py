"""`doctor`: what is wrong with this system, and what to do about each thing."""

from __future__ import annotations

import stat
from pathlib import Path

import click
from sqlalchemy.exc import OperationalError

from core.cli import Invocation
from core.database import engine as engines
from core.database import health
from core.errors import Refused
from core.settings import Settings


@click.command("doctor")
@click.pass_context
def command(context: click.Context) -> None:
    """Look at files, database, roles and steps; exits 1 when something is wrong."""
    invocation: Invocation = context.obj
    with invocation.database() as settings:
        found = [*files(settings), *database(settings)]
    for line in found:
        click.echo(line)
    if not found:
        click.echo("all is well")
    context.exit(1 if found else 0)


def files(settings: Settings) -> list[str]:
    """What is wrong with the folders and files of the settings."""
    wrong = [f"{folder}: there is no such folder (TESSERA_ADDONS)" for folder in settings.addons
             if not folder.is_dir()]
    if not settings.metadata.is_dir():
        wrong.append(f"{settings.metadata}: there is no such folder (TESSERA_METADATA)")
    return wrong + [f"{path}: others may read it; do `chmod 600 {path}`" for path in _private(settings.home)
                    if path.exists() and stat.S_IMODE(path.stat().st_mode) & 0o077]


def _private(home: Path) -> list[Path]:
    return [home / "secrets.yaml"]


def database(settings: Settings) -> list[str]:
    """What is wrong with the database."""
    pool = engines.open(settings, "app")
    try:
        with engines.transaction(pool) as connection:
            return health.problems(connection)
    except OperationalError as error:
        return [f"the database does not answer: {str(error.orig).strip()}"]
    except Refused as error:
        return [str(error)]
    finally:
        pool.dispose()
