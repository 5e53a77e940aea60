"""One worker as the server starts it, asked for two pages; prints what it took as JSON. A process of its own.

`python -m bench.worker PATH...` in the environment of the system, with BENCH_COOKIE of somebody who is signed in.
"""

from __future__ import annotations

import json
import os
import sys
import time
from typing import Any


def resident() -> float:
    """Megabytes of this process that are in memory."""
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1_000_000


def main(paths: list[str]) -> None:
    """Import, then answer; the first pages of a process build the system of the live version."""
    from werkzeug.test import Client

    from core.bm.follow import Systems
    from core.database import engine as engines
    from core.plugins import Plugins
    from core.settings import Settings
    from core.web.application import Application
    settings = Settings.load()
    engine = engines.open(settings, "app")
    systems = Systems(engine, Plugins.load(settings.addon_folders))
    client = Client(Application(settings, engine, systems))
    client.set_cookie("sid", os.environ["BENCH_COOKIE"])
    client.get("/-/ready")
    found: dict[str, Any] = {"start": time.process_time(), "bare": resident()}
    for name, group in (("first", paths[:2]), ("all", paths[2:])):
        begun, wall = time.process_time(), time.perf_counter()
        for path in group:
            answer = client.get(path, environ_overrides={"REMOTE_ADDR": "127.0.0.1"})
            if answer.status_code != 200:
                raise RuntimeError(f"{path} answered {answer.status}")
        found |= {f"{name}_cpu": time.process_time() - begun, f"{name}_wall": time.perf_counter() - wall,
                  f"{name}_memory": resident() - found["bare"]}
    print(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1:])
