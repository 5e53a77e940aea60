"""A refused request leaves nothing behind: digests of all records, definitions and files, before and after."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from psycopg2 import sql
from sqlalchemy import Engine, text

SCHEMAS = ("ed", "bm")


def digests(engine: Engine, files: Path | None = None) -> dict[str, str]:
    """A digest of each table of ed and bm, and of sys's history, files and numbers, and of the stored files."""
    found: dict[str, str] = {}
    with engine.connect() as connection:
        names = connection.execute(text(
            "select schemaname, tablename from pg_tables where schemaname = any(:schemas) or (schemaname = 'sys'"
            " and tablename in ('history', 'file', 'sequence', 'search_queue', 'seed')) order by 1, 2"),
            {"schemas": list(SCHEMAS)}).all()
        driver = connection.connection.cursor()
        for schema, name in names:
            driver.execute(sql.SQL("select count(*), md5(string_agg(t::text, '|' order by t::text)) from {} t").format(
                sql.Identifier(schema, name)))
            found[f"{schema}.{name}"] = str(driver.fetchone())
    if files is not None and files.is_dir():
        for path in sorted(p for p in files.rglob("*") if p.is_file() and p.name != "lock"):
            found[str(path.relative_to(files))] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


@contextmanager
def unchanged(engine: Engine, files: Path | None = None) -> Iterator[None]:
    """Assert that what happens inside, refused as it should be, changes no table and no stored file."""
    before = digests(engine, files)
    yield
    after = digests(engine, files)
    assert {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)} == set()
