"""`work`: jobs of the queue, here or on as many machines as wanted."""

from __future__ import annotations

import click
from sqlalchemy import Connection

from core.cli import Invocation
from core.cli.supervisor import die_with
from core.database import engine as engines
from core.database import health
from core.ed.system import System


@click.command("work")
@click.option("--queues", help="Only jobs of these queues, joined by commas.  [default: all]")
@click.option("--parent", type=int, hidden=True, help="The serve process that this one must not outlive.")
@click.pass_obj
def command(invocation: Invocation, queues: str | None, parent: int | None) -> None:
    """Work off jobs until a signal stops it."""
    if parent is not None:
        die_with(parent)
    # Imported here: serving imports this module's neighbours, and needs none of these.
    from core.bm import service
    from core.bm.follow import Systems
    from core.bm.versions import live
    from core.database import silence, worker
    with invocation.database(guard=True) as settings:
        engine = engines.open(settings, "app")
        silence.Watch(engine)
        with engines.transaction(engine) as connection:
            health.require(connection)
        systems = Systems(engine, service.load_plugins(settings), kind="work")
        systems.start()

        def current(connection: Connection) -> System | None:
            return systems.hold(connection, lambda: live.current(connection)[0])

        try:
            worker.work(settings, engine, current, queues.split(",") if queues else None)
        finally:
            systems.stop()
            engine.dispose()
