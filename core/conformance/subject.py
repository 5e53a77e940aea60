"""What is checked: definitions on disk, and the system they make, promoted into a scratch database on first use."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import TracebackType

from sqlalchemy import Engine, text

from core.bm import service
from core.bm.demo import Demo, demo_folders
from core.bm.follow import Systems
from core.bm.versions import live
from core.database import embedded, setup
from core.database import engine as engines
from core.definition import Loaded, Model, load
from core.definition.files import Reading
from core.definition.layers import addon_folders, find_addons
from core.ed.accounts import create_user
from core.ed.records import Records
from core.ed.session import Principals, Session
from core.errors import Refused
from core.plugins import Plugins
from core.settings import ROOT, Settings
from core.web.accounts import open_session
from core.web.application import Application


@dataclass(frozen=True)
class Scratch:
    """A promoted system with one user for each role, and what loading the demo records said."""

    settings: Settings
    owner: Engine
    application: Application
    cookies: dict[str, str]                 # by role: the session of its user
    demo: int                               # how many demo records there are
    problem: str                            # why the demo records could not be loaded

    @contextmanager
    def records(self, role: str | None = None) -> Iterator[Records]:
        """The record service as core itself or as the user of a role; nothing that is done there is kept."""
        with self.owner.connect() as connection, connection.begin() as transaction:
            version, epoch = live.current(connection)
            system = self.application.systems.get(version)
            session = Session.system_session(system, connection)
            if role is not None:
                user = Records(session).page("user", ["id"], filters={"name": role}, limit=1).records[0]["id"]
                session = Session.open(system, connection, Principals.load(connection, system, user, epoch))
            yield Records(session)
            transaction.rollback()


class Subject:
    """Addons in folders and, perhaps, a site's layer; a context manager, for it may hold a scratch database.

    `addon` names the one that is looked at: problems of others are not its own. `previous` is a folder that holds an
    earlier release of it, or of the whole set.
    """

    def __init__(self, folders: Sequence[Path], site: Path | None = None, addon: str | None = None,
                 languages: tuple[str, ...] = ("en",), previous: Path | None = None) -> None:
        self.folders = tuple(folders)
        self.addon = addon
        self.languages = languages
        self.previous = previous
        self._stack = ExitStack()
        self._site = site

    def __enter__(self) -> Subject:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self._stack.close()
        self.__dict__.pop("scratch", None)

    @cached_property
    def plugins(self) -> Plugins:
        """What the addons add in Python."""
        return Plugins.load(self.folders)

    @cached_property
    def site(self) -> Path:
        """The site's layer; one that installs just the addon, where none is given."""
        if self._site is not None:
            return self._site
        return self._made_site(f"addons: [{self.addon}]")

    def _made_site(self, installs: str) -> Path:
        folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="tessera-")))
        (folder / "system.yaml").write_text(f"system: main\n{installs}\nlanguages: [{', '.join(self.languages)}]\n")
        return folder

    @cached_property
    def loaded(self) -> Loaded:
        """The definitions, or their problems."""
        return load(self.folders, self.site, self.plugins)

    @property
    def model(self) -> Model:
        """The Model; raises DefinitionError."""
        return self.loaded.must()

    def is_own(self, layer: str) -> bool:
        """Whether a layer is what is looked at."""
        return self.addon is None or layer == self.addon

    @cached_property
    def earlier(self) -> Loaded | None:
        """The earlier release on top of the same other addons; None if there is none."""
        if self.previous is None:
            return None
        names = find_addons([self.previous], self.previous, Reading(self.plugins.kinds))
        others = tuple(folder for folder in addon_folders(self.folders) if folder.name not in names)
        return load((self.previous, *others), self.site, self.plugins)

    @cached_property
    def scratch(self) -> Scratch:
        """The definitions live in a database of their own, with the demo; raises DefinitionError, Refused."""
        home = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="tessera-")))
        site = home / "site"                 # a copy: promoting writes into the folder it promotes
        shutil.copytree(self.site, site, ignore=shutil.ignore_patterns(".*"))
        settings = Settings(home=home / "var", metadata=site, addons=tuple(
            folder for folder in self.folders if folder != ROOT / "addons"))
        self._stack.enter_context(embedded.ensure(settings))
        setup.upgrade(settings)
        owner = self._stack.enter_context(service.owner(settings))
        service.promote_folder(settings, owner, message="Conformance", plugins=self.plugins)
        engine = engines.open(settings, "app")
        self._stack.callback(engine.dispose)
        application = Application(settings, engine, Systems(engine, self.plugins))
        cookies = self._people(owner, self.model)
        number, problem = self._demo(owner)
        return Scratch(settings, owner, application, cookies, number, problem)

    def _people(self, owner: Engine, model: Model) -> dict[str, str]:
        with owner.begin() as connection:
            session = Session.system_session(live.system(connection, live.current(connection)[0], self.plugins),
                                             connection)
            cookies = {}
            for role in model.roles:
                user = create_user(session, f"role.{role}".replace("_", "-"), role, [role])
                account = connection.execute(text("select id from sys.account where user_id = :user"),
                                             {"user": user}).scalar_one()
                cookies[role] = open_session(connection, account)
        return cookies

    def _demo(self, owner: Engine) -> tuple[int, str]:
        try:
            with owner.begin() as connection:
                system = live.system(connection, live.current(connection)[0], self.plugins)
                return Demo(Session.system_session(system, connection)).load(
                    demo_folders(self.model, self.folders)), ""
        except Exception as error:           # whatever the author's records bring about is his to read
            return 0, f"{type(error).__name__}: {error}" if not isinstance(error, Refused) else str(error)
