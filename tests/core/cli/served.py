"""`server.py` with a small application in place of the pages, sleepers in place of the jobs and the offline system."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from core.cli import main, supervisor


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answer with the worker's process id; /slow takes ten seconds."""
    start_response("200 OK", [("Content-Type", "text/plain")])
    if environ["PATH_INFO"] == "/slow":
        time.sleep(10)
    return [str(os.getpid()).encode()]


def sleeper(notes: str) -> list[str]:
    """A process that notes its number and sleeps, as long as its parent lives."""
    return [
        sys.executable, "-c", "import sys, time; from core.cli.supervisor import die_with; die_with(int(sys.argv[1]));"
        "open(sys.argv[2], 'a').write(f'{__import__(\"os\").getpid()}\\n'); time.sleep(600)",
        str(os.getpid()), os.path.join(os.environ["TESSERA_HOME"], notes)]


if __name__ == "__main__":
    supervisor.serve = partial(supervisor.serve, target="tests.core.cli.served:application")
    supervisor.work_command = lambda: sleeper("work.pids")
    supervisor.offline_command = lambda listener: sleeper("offline.pids")
    sys.exit(main())
