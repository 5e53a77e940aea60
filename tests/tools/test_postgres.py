"""A backup by PostgreSQL's own programs, and the way back into a fresh home."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from core.database import embedded, setup, steps
from core.database import engine as engines
from core.settings import ROOT, Settings


def postgres(home: Path, *command: str, read: bytes = b"") -> bytes:
    environ = {**os.environ, "TESSERA_HOME": str(home), "TESSERA_DATABASE": ""}
    return subprocess.run([sys.executable, "tools/postgres.py", *command], cwd=ROOT, env=environ, input=read,
                          stdout=subprocess.PIPE, check=True, timeout=120).stdout


def test_a_dump_comes_back_in_another_home_with_its_rights(tmp_path: Path) -> None:
    old = Settings(home=tmp_path / "old", postgres={"fsync": "off"})
    with embedded.ensure(old):
        setup.upgrade(old)
    assert postgres(old.home, "psql", "-Atqc", "insert into sys.setting values ('a', '7') returning value") == b"7\n"
    dump = postgres(old.home, "pg_dump", "-Fc")

    new = Settings(home=tmp_path / "new", postgres={"fsync": "off"})
    new.home.mkdir()
    shutil.copy2(old.home / "secrets.yaml", new.home)
    with embedded.ensure(new):
        postgres(new.home, "pg_restore", "-d", "tessera", read=dump)
        pool = engines.open(new, "app")
        with engines.transaction(pool) as connection:
            assert steps.missing(connection) == ()
            assert connection.exec_driver_sql("select value from sys.setting where key = 'a'").scalar() == 7
            assert connection.exec_driver_sql("select nextval('ed.record_id')").scalar() == 1
        pool.dispose()
