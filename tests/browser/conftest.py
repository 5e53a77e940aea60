"""The sample site served to a real browser; a page that complains on its console fails its test."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from werkzeug.serving import make_server

from core.settings import Settings
from tests.core.web.site import PASSWORD, Site, sample_site

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
]


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """Debian's chromium under playwright; without either, browser tests are skipped and say so."""
    playwright = pytest.importorskip("playwright.sync_api", reason="browser tests need playwright")
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        pytest.skip("browser tests need chromium: apt-get install chromium")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=found, args=ARGUMENTS)
        yield browser
        browser.close()


SETTINGS = {
    "tables/user_office.yaml": "change: table user\nfields: {office: {type: link, to: organisation}}\n",
    "settings/limit.yaml": "setting: limit\ntitle: Most discount that a salesperson may give without asking\n"
                           "help: More than this is refused, whatever the reason may be.\ntype: percent\nmax: 90\n"
                           "default: 20\nrequired: true\nper: office\n",
    "settings/greeting.yaml": "setting: greeting\ntype: memo\ndefault: Dear\n",
    "settings/strict.yaml": "setting: strict\ntype: boolean\ndefault: true\n",
}


@dataclass
class Served:
    """A site with its address."""

    site: Site
    address: str


@pytest.fixture(scope="module")
def served(database: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The sample site behind a threaded server."""
    with sample_site(database, tmp_path_factory.mktemp("browser"), SETTINGS) as site, serving(site) as found:
        yield found


@contextmanager
def serving(site: Site) -> Iterator[Served]:
    """A site behind a threaded server."""
    server = make_server("127.0.0.1", 0, site.application, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield Served(site, f"http://127.0.0.1:{server.port}")
    server.shutdown()
    thread.join()


class People:
    """Opens browser windows for people and gathers what the pages complain about."""

    def __init__(self, chromium: Any, served: Served) -> None:
        self.chromium, self.served = chromium, served
        self.complaints: list[str] = []
        self.contexts: list[Any] = []

    def open(self, login: str | None = "ada", width: int = 1280, height: int = 800, **options: Any) -> Any:
        context = self.chromium.new_context(
            viewport={"width": width, "height": height},
            base_url=self.served.address,
            locale=options.pop("locale", "en-GB"),
            **options,
        )
        context.set_default_timeout(60_000)
        self.contexts.append(context)
        page = context.new_page()
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        if login is not None:
            page.goto("/login")
            page.fill("#login", login)
            page.fill("#password", PASSWORD)
            page.click("form button")
            page.wait_for_url("**/")
        return page

    def _heard(self, message: Any) -> None:
        # A refused save answers with 4xx on purpose, and the browser notes it.
        if message.type in ("error", "warning") and "status of 4" not in message.text:
            self.complaints.append(message.text)


@pytest.fixture
def people(chromium: Any, served: Served) -> Iterator[People]:
    found = People(chromium, served)
    yield found
    for context in found.contexts:
        context.close()
    assert found.complaints == []
