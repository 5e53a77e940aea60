"""`make run`: a demo system on first use, then the server."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from sqlalchemy import text  # noqa: E402  # the project is importable only from here on

from core.cli import main as command  # noqa: E402
from core.database import embedded, steps  # noqa: E402
from core.database import engine as engines  # noqa: E402
from core.settings import Settings  # noqa: E402


def empty(settings: Settings) -> bool:
    """Whether the system has no account yet: `init` was never run, or was cut off."""
    pool = engines.open(settings, "owner")
    try:
        with pool.connect() as connection:
            return not steps.applied(connection) or not connection.scalar(
                text("select exists(select from sys.account)"))
    finally:
        pool.dispose()


def main() -> int:
    """Make a demo when there is nothing yet; then serve until stopped."""
    settings = Settings.load()
    with embedded.ensure(settings):                  # held over `init`, so that the database starts once
        if empty(settings) and (code := command(["init", "--demo"])):
            return code
    return command(["serve", *sys.argv[1:]])


if __name__ == "__main__":
    sys.exit(main())
