"""`doctor`: what is wrong with this system, and what to do about each thing."""

from __future__ import annotations

import stat
from pathlib import Path

import click
from sqlalchemy.exc import OperationalError

from core.cli import Invocation
from core.database import engine as engines
from core.database import health
from core.database.jobs import enqueue
from core.errors import Refused, counted
from core.settings import Settings


@click.command("doctor")
@click.option("--formulas", "with_formulas", is_flag=True,
              help="Also compare every stored formula with what it gives; reads all records.")
@click.option("--repair", "repairing", is_flag=True, help="With --formulas: work out anew what differs.")
@click.option("--rebuild-search", "rebuilding", is_flag=True,
              help="Let the `work` processes index every record anew; searches go on meanwhile.")
@click.pass_context
def command(context: click.Context, with_formulas: bool, repairing: bool, rebuilding: bool) -> None:
    """Look at files, database, roles and steps; exits 1 when something is wrong."""
    invocation: Invocation = context.obj
    with invocation.database() as settings:
        found = [*files(settings), *database(settings)]
        if not found:
            found = promotions(settings)
        if with_formulas and not found:
            found = formulas(settings, repairing)
        if rebuilding and not found:
            click.echo(rebuild_search(settings))
    for line in found:
        click.echo(line)
    if not found:
        click.echo("all is well")
    context.exit(1 if found else 0)


def promotions(settings: Settings) -> list[str]:
    """A promotion that broke off and has not ended, and what the last one could not do after its version was live."""
    from core.bm.engine import faults, history
    from core.bm.engine.journal import OPEN
    pool = engines.open(settings, "app")
    try:
        with engines.transaction(pool) as connection:
            last = next(iter(history.entries(connection, limit=1)), None)
            fault = faults.last(connection, last.id) if last is not None else None
    finally:
        pool.dispose()
    if last is None or last.state not in ("done", *OPEN):
        return []
    if last.state == "done":
        return [f"promotion {last.id} could not do all of its steps: {last.error}; see `promotions {last.id}`"] \
            if last.error else []
    return [f"promotion {last.id} has not ended: {fault.sentence()}, tried {fault.tries} times; "
            f"`promotions --continue {last.id}` tries again at once"] if fault is not None else []


def rebuild_search(settings: Settings) -> str:
    """Queue the rebuild of the search index, unless one waits already; a run that is cut off goes on where it was."""
    pool = engines.open(settings, "app")
    try:
        with engines.transaction(pool) as connection:
            queued = enqueue(connection, "rebuild_search", once="rebuild_search")
    finally:
        pool.dispose()
    return "the search index is being built anew by the `work` processes" if queued is not None else \
        "the search index is waiting to be built anew already"


def formulas(settings: Settings, repairing: bool) -> list[str]:
    """Which stored formulas differ from what they give, and in how many records; they are worked out anew if asked."""
    from core.bm import service
    from core.bm.versions import live
    from core.ed import computed_check
    pool = engines.open(settings, "app")
    try:
        with engines.transaction(pool) as connection:
            system = live.system(connection, live.current(connection)[0], service.load_plugins(settings))
        if repairing:
            click.echo(f"worked out anew: {counted(computed_check.repair(pool, system), 'record')}")
        with engines.transaction(pool) as connection:
            return [f"{one.table}.{one.field}: {counted(one.records, 'record')} hold another value than the formula "
                    "gives; do `server.py doctor --formulas --repair`"
                    for one in computed_check.differences(connection, system)]
    finally:
        pool.dispose()


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
