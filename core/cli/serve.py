"""`serve`: pages and API by granian's workers, jobs by one `work` child, one server for each system."""

from __future__ import annotations

import os

import click
from sqlalchemy import text

from core.cli import DEMO_PASSWORD, Invocation, supervisor
from core.database import engine as engines
from core.database import health
from core.database.jobs import enqueue
from core.database.offline import FOLDER
from core.settings import Settings
from core.web import offline_socket
from core.web.offline_prefix import PREFIX


@click.command("serve")
@click.option("--host", help="Listen on this address.  [default: 127.0.0.1]")
@click.option("--port", type=click.IntRange(1, 65535), help="Listen on this port.  [default: 8000]")
@click.option("--workers", type=click.IntRange(1, 64), help="Processes that answer requests.  [default: 2]")
@click.option("--work/--no-work", "with_work", default=True, help="Run jobs here too, or leave them to others.")
@click.option("--offline/--no-offline", "offline", default=None, help="Have an offline system under /offline/.")
@click.option("--workers-kill-timeout", type=click.IntRange(1, 600), help="Seconds that a stopping worker gets.")
@click.pass_obj
def command(invocation: Invocation, host: str | None, port: int | None, workers: int | None, with_work: bool,
            offline: bool | None, workers_kill_timeout: int | None) -> None:
    """Serve pages and the API, and work off jobs, until a signal stops it."""
    given = {"host": host, "port": port, "workers": workers, "kill_timeout": workers_kill_timeout,
             "offline": offline}
    settings = invocation.settings.model_copy(update={k: v for k, v in given.items() if v is not None})
    settings.home.mkdir(parents=True, exist_ok=True)
    with supervisor.serve_lock(settings.home, f"http://{settings.host}:{settings.port}"):
        with invocation.database(guard=True):
            settings, lines = _prepare(settings, host_given=host is not None)
            supervisor.check_port(settings.host, settings.port)
            os.environ["PORT"] = str(settings.port)  # the workers read their settings from the environment
            os.environ["TESSERA_HOST"] = settings.host
            os.environ["TESSERA_OFFLINE"] = str(settings.offline).lower()
            for line in lines:
                click.echo(line)
            _run(settings, with_work)


def _run(settings: Settings, with_work: bool) -> None:
    children: list[supervisor.Child] = []
    if with_work:
        children.append(supervisor.WorkChild(supervisor.work_command(), settings.kill_timeout))
    if settings.offline:
        children.append(supervisor.OfflineChild(settings, offline_socket.listen(settings.home / FOLDER)))

    def start() -> None:
        for child in children:
            child.start()

    try:
        supervisor.serve(settings, on_start=start)
    finally:
        for child in children:
            child.stop()


def _prepare(settings: Settings, host_given: bool) -> tuple[Settings, list[str]]:
    """Check the database; the settings, loopback only for a demo, and what to tell the administrator."""
    pool = engines.open(settings, "app")
    try:
        with engines.transaction(pool) as connection:
            health.require(connection)
            demo = connection.scalar(text("select value from sys.setting where key = 'demo'")) is True
            accounts = list(connection.scalars(text(
                "select login from sys.account where demo and active order by id"))) if demo else []
            broken_off = connection.scalar(text(
                "select id from bm.promotion where state not in ('done', 'failed', 'cancelled', 'abandoned')"))
            if broken_off is not None:               # the work process goes on with it before it is time to look
                enqueue(connection, "run_promotion", promotion=broken_off)
    finally:
        pool.dispose()
    if demo and not host_given:
        settings = settings.model_copy(update={"host": "127.0.0.1"})
    lines = [f"Tessera: http://{settings.host}:{settings.port}/"]
    if settings.offline:
        lines.append(f"Offline system, to try the files of {settings.metadata}: "
                     f"http://{settings.host}:{settings.port}{PREFIX}/")
    if accounts:
        lines.append(f"This is a demo. Accounts: {', '.join(accounts)}; password of each, unless changed: "
                     f"{DEMO_PASSWORD}")
    return settings, lines
