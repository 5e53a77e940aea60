"""What loading and checking definitions costs: `python -m bench.definitions`, a part of `make bench`.

A set of 300 tables of 40 fields, with lists, forms, roles and translations, in a temporary folder. Commands are whole
processes, their start and imports included; the best of some runs is printed, in CPU and in elapsed time.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from bench.definition_set import generate
from core.bm import service
from core.bm.versions import live
from core.database import embedded
from core.ed.accounts import create_user
from core.ed.session import Session
from core.settings import ROOT, Settings
from core.web.accounts import open_session
from tests.work import calls

ROLE = "administrator"


class Cost(NamedTuple):
    """Seconds of CPU, and of waiting."""

    cpu: float
    wall: float


def main() -> None:
    """Generate, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tables", type=int, default=300)
    parser.add_argument("--times", type=int, default=3, help="runs of each command")
    parser.add_argument("--no-worker", action="store_true", help="leave out what needs a database")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tessera-bench-") as name:
        folder = Path(name)
        addons, site = generate(folder / "set", options.tables)
        settings = Settings(home=folder / "home", addons=(addons,), metadata=site)
        print(f"{options.tables} tables of 40 fields\n\n{'':44} {'CPU s':>7} {'wall s':>7} {'aim':>7}")
        commands(settings, options.times)
        errors(settings)
        if not options.no_worker:
            with embedded.ensure(settings):
                worker(settings, options.tables)


def environment(settings: Settings) -> dict[str, str]:
    """Where a child process finds the set."""
    return {**os.environ, "TESSERA_HOME": str(settings.home), "TESSERA_METADATA": str(settings.metadata),
            "TESSERA_ADDONS": os.pathsep.join(map(str, settings.addons)), "PYTHONPATH": str(ROOT)}


def run(settings: Settings, *arguments: str, **more: str) -> tuple[Cost, str]:
    """Run a Python process to its end; what it took and printed."""
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run([sys.executable, *arguments], env=environment(settings) | more, cwd=ROOT,
                          capture_output=True, text=True, check=False)
    wall, after = time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise RuntimeError(f"{arguments}: {done.stdout[-2000:]}{done.stderr[-2000:]}")
    return Cost(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, wall), done.stdout


def best(times: int, before: Callable[[], object], settings: Settings, *arguments: str) -> Cost:
    """The cheapest of some runs, each after `before`."""
    found = []
    for _ in range(times):
        before()
        found.append(run(settings, *arguments)[0])
    return Cost(min(one.cpu for one in found), min(one.wall for one in found))


def commands(settings: Settings, times: int) -> None:
    """`server.py check`, with and without something to remember."""
    table = next(settings.addons[0].rglob("tables/thing_*7.yaml"))

    def forget() -> None:
        for path in (settings.home / "cache").glob("*"):
            path.unlink()

    def change() -> None:
        text = table.read_text(encoding="utf-8")
        longer = re.sub(r"(  subject: +\{type: text, )(?:max: (\d+), )?",
                        lambda match: f"{match[1]}max: {int(match[2] or 80) + 1}, ", text, count=1)
        table.write_text(longer, encoding="utf-8")

    check = ("server.py", "check")
    show("an empty Python process that imports what checks", 0, best(
        times, lambda: None, settings, "-c", "import core.definition.checked"))
    show("check: cold", 5, best(times, forget, settings, *check))
    show("check: nothing changed", 0.5, best(times, lambda: None, settings, *check))
    show("check: one field changed", 0.5, best(times, change, settings, *check))


def show(what: str, aim: float, cost: Cost) -> None:
    """Print a line."""
    print(f"{what:44} {cost.cpu:7.2f} {cost.wall:7.2f} {aim or '':>7}")


def errors(settings: Settings) -> None:
    """A set with 200 errors against the same without, in calls of functions: the same on every machine."""
    from core.definition import Loaded, load
    found: list[Loaded] = []

    def check() -> None:
        found.append(load(settings.addon_folders, settings.metadata))

    clean = calls(check)
    tables = sorted(settings.addons[0].rglob("tables/thing_*.yaml"))[:200]
    for table in tables:
        text = table.read_text(encoding="utf-8")
        table.write_text(text.replace("price * probability", "price * probabilty"), encoding="utf-8")
    broken = calls(check)
    for table in tables:
        text = table.read_text(encoding="utf-8")
        table.write_text(text.replace("price * probabilty", "price * probability"), encoding="utf-8")
    print(f"{len(found[1].problems)} errors against none: {broken / clean:.2f} times the calls")


def worker(settings: Settings, tables: int) -> None:
    """A worker's first list and form page, and what it keeps in memory; then all lists and forms."""
    cookie = promote(settings)
    first = "thing_000s"
    pages = [f"/{first}", f"/{first}/new"]
    pages += [f"/thing_{number:03d}s{page}" for number in range(tables) for page in ("", "/new")]
    found = json.loads(run(settings, "-m", "bench.worker", *pages, BENCH_COOKIE=cookie)[1].splitlines()[-1])
    show("worker: start, up to its first request", 0, Cost(found["start"], 0))
    show("worker: first list page and form page", 1, Cost(found["first_cpu"], found["first_wall"]))
    print(f"worker: memory {found['bare']:.0f} MB bare; {found['first_memory']:.0f} more after those (aim 60); "
          f"{found['all_memory']:.0f} more after the list and form of every table")


def promote(settings: Settings) -> str:
    """Make the set live in a database of its own; the cookie of an administrator."""
    run(settings, "server.py", "init")
    with service.owner(settings) as owner, owner.begin() as connection:
        plugins = service.load_plugins(settings)
        session = Session.system_session(live.system(connection, live.current(connection)[0], plugins), connection)
        create_user(session, "bench", "Bench", [ROLE])
        account = connection.exec_driver_sql("select max(id) from sys.account").scalar_one()
        return open_session(connection, account)


if __name__ == "__main__":
    main()
