"""The shipped addons as a system with their demo story."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from core.bm import service
from core.bm.versions import live
from core.cli.init import initialise
from core.definition import Model, load
from core.ed.records import Records
from core.ed.session import Principals, Session
from core.plugins import Plugins
from core.settings import ROOT, Settings
from tests.first_version import copied

As = Callable[[str], Records]


@pytest.fixture(scope="session")
def model() -> Model:
    """The Model of the shipped addons under the starter's site layer."""
    return load([ROOT / "addons"], ROOT / "metadata", Plugins.load([ROOT / "addons"])).must()


@pytest.fixture(scope="module")
def demo(database: Settings) -> Iterator[tuple[Engine, Plugins]]:
    """A demo system."""
    settings = database.model_copy(update={"metadata": Path(ROOT / "metadata")})
    copied(settings, "demo", lambda template, engine: initialise(template, engine, demo=True))
    with service.owner(settings) as engine:
        yield engine, service.load_plugins(settings)


@pytest.fixture
def acting(demo: tuple[Engine, Plugins]) -> Iterator[As]:
    """The record service as seen by a login; nothing that a test does there is kept."""
    engine, plugins = demo
    with engine.connect() as connection, connection.begin() as transaction:
        version, epoch = live.current(connection)
        system = live.system(connection, version, plugins)

        def records(login: str) -> Records:
            user = connection.execute(text("select user_id from sys.account where login = :login"),
                                      {"login": login}).scalar_one()
            return Records(Session.open(system, connection, Principals.load(connection, system, user, epoch)))
        yield records
        transaction.rollback()
