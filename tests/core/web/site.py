"""The sample addon as a live system with people who sign in, and a browser without scripts to drive it."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from types import MappingProxyType
from typing import Any

from argon2 import PasswordHasher
from argon2.profiles import CHEAPEST
from sqlalchemy import Engine, event
from werkzeug.test import Client, TestResponse

from core.bm import service
from core.bm.follow import Systems
from core.bm.versions import live
from core.database import engine as engines
from core.ed.accounts import create_user
from core.ed.records import Records
from core.ed.session import Session
from core.plugins import Plugins
from core.settings import Settings
from core.web.application import Application
from tests.first_version import copied, users_of
from tests.unchanged import digests

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"
PASSWORD = "correct horse battery"
HASH = PasswordHasher.from_parameters(CHEAPEST).hash(PASSWORD)
PEOPLE = {
    "ada": ("Ada Admin", ["administrator"]),
    "sam": ("Sam Seller", ["salesperson"]),
    "sue": ("Sue Seller", ["salesperson"]),
    "max": ("Max Manager", ["manager"]),
    "nil": ("Nil Nobody", []),
}


@dataclass
class Site:
    """A live system in front of which the application stands."""

    settings: Settings
    owner: Engine
    engine: Engine
    systems: Systems
    application: Application
    users: dict[str, int] = field(default_factory=dict)
    plugins: Plugins = field(default_factory=Plugins)

    @contextmanager
    def records(self) -> Iterator[Records]:
        """The record service as core itself, in a transaction."""
        with engines.transaction(self.owner) as connection:
            system = live.system(connection, live.current(connection)[0], self.plugins)
            yield Records(Session.system_session(system, connection))

    def create(self, table: str, **values: Any) -> int:
        with self.records() as records:
            return int(records.create(table, [values])[0])

    def read(self, table: str, identity: int) -> dict[str, Any]:
        with self.records() as records:
            found = records.read(table, [identity]) or records.read(table, [identity], trash=True)
            return dict(found[0])

    def update(self, table: str, identity: int, **values: Any) -> None:
        with self.records() as records:
            version = records.read(table, [identity], ["id"])[0]["_version"]
            records.update(table, [{"id": identity, "_version": version, **values}])

    def browser(self, login: str | None = None) -> Browser:
        browser = Browser(self)
        if login is not None:
            browser.sign_in(login)
        return browser


@contextmanager
def sample_site(database: Settings, folder: Path, more: Mapping[str, str] = MappingProxyType({}),
                addons: tuple[Path, ...] = ()) -> Iterator[Site]:
    """Promote the sample into a fresh database, with its people; `more` are files of the site's own layer.

    `addons` are folders of further ones, with their plugin.py.
    """
    shutil.copytree(FIXTURES / "site", folder / "site")
    (folder / "site" / "tables").mkdir(exist_ok=True)
    (folder / "site" / "tables" / "user.yaml").write_text("change: table user\nfields: {theme: {type: text}}\n")
    for name, text in more.items():
        (folder / "site" / name).parent.mkdir(exist_ok=True)
        (folder / "site" / name).write_text(text)
    settings = database.model_copy(update={"addons": (FIXTURES / "addons", *addons), "metadata": folder / "site"})
    plugins = Plugins.load(addons)
    copied(settings, "sample", lambda template, engine: _fill(template, engine, plugins))
    owner, engine = engines.open(settings, "owner"), engines.open(settings, "app")
    systems = Systems(engine, plugins)
    try:
        yield Site(settings, owner, engine, systems, Application(settings, engine, systems), users_of(owner), plugins)
    finally:
        engine.dispose()
        owner.dispose()


def _fill(settings: Settings, owner: Engine, plugins: Plugins) -> None:
    service.promote_folder(settings, owner, message="The first version", plugins=plugins)
    with engines.transaction(owner) as connection:
        system = live.system(connection, live.current(connection)[0], plugins)
        for login, (name, roles) in PEOPLE.items():
            create_user(Session.system_session(system, connection), login, name, roles, HASH)


class _Inputs(HTMLParser):
    """The successful controls of the forms of a page, as a browser would send them."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[tuple[str, list[tuple[str, str]]]] = []
        self._select: str | None = None
        self._area: tuple[str, list[str]] | None = None
        self._depth = 0  # inside <template> nothing is sent

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        at = dict(attrs)
        if tag == "template":
            self._depth += 1
        if tag == "form":
            self.forms.append((at.get("action") or "", []))
        if self._depth or not self.forms:
            return
        values = self.forms[-1][1]
        if tag == "input" and at.get("name") and at.get("type") != "file":
            if at.get("type") not in ("checkbox", "radio") or "checked" in at:
                values.append((at["name"] or "", at.get("value") or ""))
        elif tag == "select":
            self._select = at.get("name")
        elif tag == "option" and self._select and "selected" in at:
            values.append((self._select, at.get("value") or ""))
        elif tag == "textarea":
            self._area = (at.get("name") or "", [])

    def handle_data(self, data: str) -> None:
        if self._area:
            self._area[1].append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "template":
            self._depth -= 1
        if tag == "textarea" and self._area:
            self.forms[-1][1].append((self._area[0], "".join(self._area[1]).removeprefix("\n")))
            self._area = None


class Browser:
    """Somebody with cookies. A refused request must leave every table as it was: asserted for each."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.client = Client(site.application)
        self.page: TestResponse | None = None
        self.statements: list[str] = []

    def get(self, path: str, status: int = 200, **headers: str) -> str:
        return self._open("GET", path, None, status, headers)

    def post(
        self, path: str, values: Mapping[str, Any] | list[tuple[str, Any]], status: int = 303, **headers: str
    ) -> str:
        return self._open("POST", path, values, status, {"Origin": "http://localhost", **headers})

    def _open(self, method: str, path: str, values: Any, status: int, headers: Mapping[str, str]) -> str:
        refused = status >= 400
        before = digests(self.site.owner, self.site.settings.home / "files") if refused else None
        self.statements = []
        note = lambda conn, cursor, statement, *rest: self.statements.append(statement)  # noqa: E731
        event.listen(self.site.engine, "before_cursor_execute", note)
        try:
            data = _multi(values)
            self.page = self.client.open(
                path, method=method, data=data, headers=dict(headers), environ_overrides={"REMOTE_ADDR": "127.0.0.1"}
            )
        finally:
            event.remove(self.site.engine, "before_cursor_execute", note)
        assert self.page.status_code == status, f"{self.page.status_code}: {self.text[:3000]}"
        if before is not None:
            assert digests(self.site.owner, self.site.settings.home / "files") == before
        return self.text

    @property
    def text(self) -> str:
        assert self.page is not None
        return self.page.get_data(as_text=True)

    @property
    def location(self) -> str:
        assert self.page is not None
        return self.page.headers["Location"]

    def form(self, action: str) -> dict[str, Any]:
        """What a form of the page would send now; keys that come twice have lists."""
        parser = _Inputs()
        parser.feed(self.text)
        found = [values for where, values in parser.forms if where == action]
        assert found, f"no form with action {action}: {[where for where, _ in parser.forms]}"
        form: dict[str, Any] = {}
        for key, value in found[0]:
            if key in form:
                form[key] = [*(form[key] if isinstance(form[key], list) else [form[key]]), value]
            else:
                form[key] = value
        return form

    def sign_in(self, login: str, password: str = PASSWORD, status: int = 303) -> None:
        self.get("/login")
        self.post("/login", {**self.form("/login"), "login": login, "password": password}, status)

    def problem(self, key: str) -> str:
        """The text of the error beside a field."""
        found = re.search(rf'id="f-{re.escape(key)}-problem">(.*?)</div>', self.text, re.DOTALL)
        return unescape(found[1]) if found else ""

    @property
    def words(self) -> str:
        """The text of the page without its tags."""
        body = re.sub(r"<(script|style|template)\b.*?</\1>", " ", self.text, flags=re.DOTALL)
        return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())


def _multi(values: Any) -> Any:
    if not isinstance(values, Mapping):
        return values
    return {key: value for key, value in values.items() if value is not None}
