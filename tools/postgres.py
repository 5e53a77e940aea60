"""Runs a program of PostgreSQL on this system's database: `python tools/postgres.py pg_dump -Fc > FILE`, or psql.

The database is kept running meanwhile; the program connects as the owner, by the variables that libpq reads.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from core.database import address, embedded  # the project is importable only from here on
from core.errors import TesseraError
from core.settings import Settings


def environment(settings: Settings) -> dict[str, str]:
    """The variables by which PostgreSQL's programs find the database, and the path to the embedded ones."""
    url = address.url(settings, "owner")
    found = {"PGHOST": url.host, "PGPORT": str(url.port or 5432), "PGUSER": url.username,
             "PGPASSWORD": str(url.password or ""), "PGDATABASE": url.database}
    programs = embedded.binary("psql").parent
    return {**os.environ, **{name: value for name, value in found.items() if value},
            "PATH": f"{programs}{os.pathsep}{os.environ.get('PATH', '')}"}


def main(command: list[str]) -> int:
    """Run the program; its exit code."""
    if not command:
        print(__doc__, file=sys.stderr)
        return 2
    settings = Settings.load()
    try:
        with embedded.ensure(settings):
            environ = environment(settings)
            return subprocess.run(["/usr/bin/env", *command], env=environ, check=False).returncode
    except TesseraError as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
