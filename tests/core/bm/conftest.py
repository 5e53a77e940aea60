"""A small system over a database: promoted through the same service as the commands use."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from core.bm import service
from core.bm.engine import journal
from core.bm.service import Planned
from core.bm.versions import live
from core.database import engine as engines
from core.ed.records import Records
from core.ed.session import Session
from core.plugins import Plugins
from core.settings import Settings
from tests.core.bm.sites import Site
from tests.databases import fresh_database
from tests.first_version import copied


@dataclass
class Live:
    """A site and its live system."""

    site: Site
    settings: Settings
    engine: Engine
    plugins: Plugins = field(default_factory=Plugins)

    def plan(self, **options: Any) -> Planned:
        return service.plan_folder(self.settings, self.engine, self.plugins, **options)

    def promote(self, answers: Mapping[str, str] | None = None, **options: Any) -> int:
        if answers is not None:
            options["planned"] = self.plan(answers=answers)
        return service.promote_folder(self.settings, self.engine, plugins=self.plugins, **options)

    def rollback(self, version: int | None = None) -> int:
        return service.rollback_to(self.settings, self.engine, version, plugins=self.plugins)

    @property
    def version(self) -> int:
        with self.engine.connect() as connection:
            return live.current(connection)[0]

    def records(self, work: Any) -> Any:
        """Run a function with the record service of the live version."""
        with self.engine.begin() as connection:
            system = live.system(connection, live.current(connection)[0], self.plugins)
            return work(Records(Session.system_session(system, connection)))

    def create(self, table: str, **values: Any) -> int:
        return int(self.records(lambda records: records.create(table, [values]))[0])

    def read(self, table: str, record: int) -> dict[str, Any]:
        return dict(self.records(lambda records: records.read(table, [record]))[0])

    def sql(self, statement: str) -> list[Any]:
        with self.engine.connect() as connection:
            return list(map(tuple, connection.execute(text(statement))))

    def told(self, promotion: int) -> str:
        """What a promotion could not do, or why it failed."""
        with self.engine.connect() as connection:
            return str(journal.progress(connection, promotion).error or "")

    def columns(self) -> set[str]:
        """The columns of the tables of records that are no system columns, as table.column."""
        return {f"{table}.{column}" for table, column in self.sql(
            "select table_name, column_name from information_schema.columns where table_schema = 'ed'")}


@pytest.fixture
def system(database_of_test: Settings, tmp_path: Path) -> Iterator[Live]:
    """A system whose first version is live."""
    site = Site.make(tmp_path / "site")
    settings = database_of_test.model_copy(update={"addons": (site.folder / "addons",), "metadata": site.metadata})
    copied(settings, "site", lambda template, engine: Live(site, template, engine).promote(message="First"))
    pool = engines.open(settings, "owner")
    yield Live(site, settings, pool)
    pool.dispose()


@pytest.fixture
def database_of_test(server: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A database for one test: promotions change it beyond a rollback."""
    with fresh_database(server, tmp_path_factory) as settings:
        yield settings
