"""The offline system in a real browser: save a file, reload, see it; whose page it is cannot be overlooked."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from core.database.offline import FOLDER
from core.settings import Settings
from core.web import offline_server, offline_socket
from core.web.offline_front import Front
from tests.browser.conftest import People, Served, serving
from tests.core.cli.followed import Followed, following
from tests.core.web.site import sample_site

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def followed(database: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Followed]:
    """An offline system of the project's addons, reached by way of the served site below."""
    folder = tmp_path_factory.mktemp("offline")
    with following(database, folder) as found:
        found.get("/offline/login")
        yield found


@pytest.fixture(scope="module")
def served(database: Settings, followed: Followed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The sample site as live, with the offline system behind it."""
    with (sample_site(database, tmp_path_factory.mktemp("live")) as site, serving(site) as found,
          offline_socket.listen(database.home / FOLDER) as listener):
        server = offline_server.server(listener, Front(followed.system))
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield found
        server.shutdown()
        thread.join()


def enter(page: Any, login: str = "admin", path: str = "/offline/") -> None:
    page.goto(path)
    page.click(f".t-person[value={login}]", timeout=60_000)
    page.wait_for_load_state("networkidle")


def test_a_saved_file_is_seen_after_a_reload(people: People, followed: Followed) -> None:
    page = people.open()
    enter(page, path="/offline/login?next=/companies")
    assert page.locator("th", has_text="Motto of the house").count() == 0
    followed.write("tables/company.yaml",
                   "change: table company\nfields: {motto: {type: text, title: Motto of the house}}\n")
    followed.write("lists/company.yaml", "change: list company\ncolumns: {motto: {}}\n")
    page.reload()
    assert page.locator(".t-offline-problems").count() == 0, page.locator(".t-offline").inner_text()
    assert page.locator("th", has_text="Motto of the house").count() == 1
    followed.write("lists/company.yaml", "change: list company\ncolumns: {moto: {}}\n")
    page.reload()
    assert "lists/company.yaml:2:" in page.locator(".t-offline-problems").inner_text()
    assert page.locator("th", has_text="Motto of the house").count() == 1, "the last good version goes on"
    followed.remove("lists/company.yaml")
    page.reload()
    assert page.locator(".t-offline-problems").count() == 0


@pytest.mark.parametrize(("login", "width", "options", "words"), [
    ("marta", 1280, {}, "Offline system: nothing here is live"),
    ("marta", 360, {"color_scheme": "dark"}, "Offline system: nothing here is live"),
    ("lixin", 360, {"locale": "zh-CN"}, "离线系统：这里的一切都不是正式数据"),
])
def test_the_banner_is_on_every_page_and_does_not_widen_it(people: People, login: str, width: int,
                                                           options: dict[str, Any], words: str) -> None:
    page = people.open(width=width, **options)
    enter(page, login, "/offline/login")
    for path in ("/offline/", "/offline/companies", "/offline/contacts/new", "/offline/nowhere", "/offline/login"):
        page.goto(path)
        band = page.locator(".t-offline")
        assert band.locator(".t-offline-word").is_visible() and words in band.inner_text()
        assert band.bounding_box()["y"] == 0 and band.bounding_box()["width"] == width
        assert page.title().startswith("\u26a0 ")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        main = page.locator("#main").bounding_box()
        assert main["y"] >= band.bounding_box()["height"], "the band covers nothing"
    page.emulate_media(media="print")
    assert page.locator(".t-offline-word").is_visible()
    assert page.evaluate("getComputedStyle(document.querySelector('.t-offline')).printColorAdjust") == "exact"


def test_links_forms_and_scripts_stay_inside(people: People) -> None:
    page = people.open()
    left: list[str] = []
    enter(page, path="/offline/login")
    page.on("request", lambda one: left.append(one.url) if "/offline/" not in one.url else None)
    page.click(".t-side a[href='/offline/companies']")
    page.wait_for_url("**/offline/companies")
    assert page.locator(".t-offline").count() == 1, "one band, however the page came"
    page.click("a.t-record >> nth=0")
    page.wait_for_url("**/offline/companies/*")
    page.goto("/offline/contacts/new")
    page.fill("[data-lookup] [role=combobox] >> nth=0", "a")
    page.wait_for_selector(".t-options")
    page.fill("#search", "Keller")
    page.wait_for_selector("#found a, #found .t-none")
    assert left == []


def test_promote_leads_to_the_plan_of_live_and_the_bands_are_gone_there(people: People) -> None:
    page = people.open()
    enter(page, "jonas", "/offline/login")
    page.click(".t-offline >> text=Promote")
    page.wait_for_url("**/admin/plan")
    assert page.locator(".t-offline").count() == 0
    page.goto("/admin")
    page.click("text=Offline system")
    page.wait_for_url("**/admin/offline")
    page.click("text=Open it")
    page.wait_for_url("**/offline/")
    assert page.locator(".t-offline-word").is_visible()


def test_starting_over_is_confirmed_in_live_and_ends_in_the_new_one(people: People, followed: Followed) -> None:
    page = people.open()
    enter(page, path="/offline/login")
    before = followed.scalar("select created_on from bm.version where id = 1")
    page.click(".t-offline >> text=Start over with fresh demo data")
    page.wait_for_url("**/admin/offline")
    page.click("button:has-text('Start over')")
    page.wait_for_selector(".t-person", timeout=60_000)
    assert followed.scalar("select created_on from bm.version where id = 1") > before
    # While it is made anew, the page that waits for it is a 503.
    people.complaints = [one for one in people.complaints if "status of 503" not in one]
