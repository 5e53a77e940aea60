"""Systems whose first version is live: the same definitions are promoted once in a run, and copied after that."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256

from sqlalchemy import Engine, text

from core.bm.versions import folder, live
from core.database import engine as engines
from core.definition.overrides import LOCK
from core.settings import Settings
from tests import databases


def copied(settings: Settings, sort: str, make: Callable[[Settings, Engine], object]) -> None:
    """Give a fresh database what `make` puts into one: that is the same for the same definitions and sort of system."""
    name = f"first_{_digest(settings, sort)}"

    def into(template: Settings) -> None:
        pool = engines.open(template, "owner")
        make(template, pool)
        pool.dispose()

    databases.make_template(settings, name, into)
    databases.replace(settings, name)
    _follow(settings)


def users_of(owner: Engine) -> dict[str, int]:
    """The records of those who have an account, by login."""
    with owner.connect() as connection:
        rows = connection.execute(text("select login, user_id from sys.account order by user_id"))
        return {row.login: row.user_id for row in rows}


def _digest(settings: Settings, sort: str) -> str:
    found = sha256(sort.encode())
    for top in (*settings.addons, settings.metadata):
        for path in sorted(top.rglob("[!.]*")):
            if path.is_file() and path.suffix != ".pyc":
                found.update(f"\n{path.relative_to(top)} {sha256(path.read_bytes()).hexdigest()}".encode())
    return found.hexdigest()[:16]


def _follow(settings: Settings) -> None:
    """Note beside the definitions that they are live, as promoting them does."""
    pool = engines.open(settings, "owner")
    with pool.connect() as connection:
        version = live.versions(connection)[0]
        files = live.files(connection, version.id)
    pool.dispose()
    folder.put_lock(settings.metadata, {LOCK: files[LOCK]} if LOCK in files else {})
    folder.write_base(settings.metadata, version.hash)
