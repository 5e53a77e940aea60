"""The two sides of the bench, served: Tessera and the raw floor, on one PostgreSQL."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg2

from bench.measure import Client
from core.database import address
from core.settings import Settings
from tests.scenarios.client import ROOT, Site


@dataclass(frozen=True)
class Floor:
    """The raw application: where it listens, and its process."""

    port: int
    pid: int


@contextlib.contextmanager
def system(folder: Path) -> Iterator[Site]:
    """A served system of its own with the bench's layer, without its work process: jobs are not part of a request."""
    site = Site.make(folder)
    shutil.copytree(Path(__file__).parent / "layer", site.metadata, dirs_exist_ok=True)
    site.run("init")
    site.password = site.add_user("bench", "--role", "administrator")
    site.serve(workers=2, work=False)
    try:
        yield site
    finally:
        site.stop()


@contextlib.contextmanager
def floor(site: Site) -> Iterator[Floor]:
    """The raw application under the same server with as many workers."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "granian", "--interface", "wsgi", "--workers", "2", "--blocking-threads", "8",
         "--port", str(port), "--no-ws", "--log-level", "warning", "bench.raw_floor:application"],
        cwd=ROOT, env={**os.environ, "RAW_FLOOR": dsn(site)})
    try:
        _wait_for(port)
        yield Floor(port, process.pid)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)


def _wait_for(port: int) -> None:
    end = time.monotonic() + 30
    while True:
        try:
            Client(port).connection.connect()
            return
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)


def settle(site: Site) -> None:
    """Let PostgreSQL know its tables, as it does by itself after a minute; both sides gain."""
    connection = psycopg2.connect(dsn(site))
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("vacuum analyze")
    connection.close()


def dsn(site: Site) -> str:
    settings = Settings.load(site.environment)
    return address.url(settings, "owner").set(drivername="postgresql").render_as_string(hide_password=False)


def postgres_pid(site: Site) -> int:
    return int((site.home / "postgres" / "postmaster.pid").read_text().split()[0])
