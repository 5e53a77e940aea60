"""A promotion from its plan to its way back: question, consent, progress, history, by mouse and keyboard."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from core.settings import Settings
from tests.browser.conftest import People, Served, serving
from tests.core.web.promoting import work_off, work_process
from tests.core.web.site import Site, sample_site

CHANGES = {
    "tables/company.yaml": "change: table company\nfields:\n"
                           "  code: {type: text, max: 20, required: true, title: Customer code}\n",
    "forms/company.xml": '<form change="company"><after ref="city"><field name="code"/></after></form>\n',
}


@pytest.fixture(scope="module")
def served(database: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The sample site with two companies, whose folder wants a field that they lack."""
    with sample_site(database, tmp_path_factory.mktemp("promotion")) as site, serving(site) as found:
        for name in ("North", "South"):
            site.create("company", name=name, owner=site.users["ada"])
        for name, text in CHANGES.items():
            (site.settings.metadata / name).parent.mkdir(exist_ok=True)
            (site.settings.metadata / name).write_text(text)
        yield found


@contextmanager
def working(site: Site) -> Iterator[None]:
    """A `work` process that does what pages begin."""
    ended = threading.Event()

    def work() -> None:
        while not ended.wait(0.2):
            work_off(site)
    with work_process(site):
        thread = threading.Thread(target=work)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()


def test_from_the_plan_to_the_way_back(people: People, served: Served) -> None:
    page = people.open("ada")
    page.goto("/admin")
    page.click("text=Plan a promotion")
    page.wait_for_selector("#questions")
    assert "1 question is open" in page.inner_text("main") and page.locator("#consent").count() == 0
    page.focus("#questions input.form-control")
    page.keyboard.type("K-1")
    page.keyboard.press("Enter")                        # an answer that is typed needs no click beside it
    page.wait_for_selector("#consent")
    assert page.input_value("#questions input.form-control") == "K-1"
    page.click("summary:has-text('with locks, time and SQL')")
    assert "alter table" in page.inner_text("main")
    page.fill("#message", "Codes of customers")
    if page.locator("#letters").count():
        page.fill("#letters", page.inner_text(".t-letters"))
    page.focus("#consent button")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=no work process is running")
    assert page.input_value("#message") == "Codes of customers"

    with working(served.site):
        if page.locator("#letters").count():
            page.fill("#letters", page.inner_text(".t-letters"))
        page.click("#consent button")
        page.wait_for_url("**/admin/promotions/2")
        page.evaluate("window.stayed = true")
        page.wait_for_selector("#p-done")               # followed without loading the page again
        assert page.evaluate("window.stayed") is True
        page.click("details summary:has-text('statement')")
        assert "alter table" in page.inner_text("#p-steps")

        page.click("#p-asks a:has-text('Roll back')")
        page.wait_for_selector("#consent")
        page.fill("#letters", "nothing"[:6])
        page.keyboard.press("Enter")
        page.wait_for_selector("#letters-problem")
        assert page.evaluate("document.activeElement.id") == "letters"
        page.fill("#letters", page.inner_text(".t-letters"))
        page.keyboard.press("Enter")
        page.wait_for_url("**/admin/promotions/3")
        page.wait_for_selector("#p-done")
    page.goto("/admin/promotions")
    rows = page.locator("tbody tr")
    assert rows.count() == 3
    assert "Back from version 2 to 1" in rows.nth(0).inner_text() and "Codes of customers" in rows.nth(1).inner_text()
    page.goto("/admin/parked")
    assert "company.code" in page.inner_text("main")


@pytest.mark.parametrize("path", ["/admin", "/admin/plan", "/admin/promotions", "/admin/promotions/1", "/admin/drift",
                                  "/admin/parked", "/admin/access"])
@pytest.mark.parametrize("locale", ["en-GB", "zh-CN"])
def test_no_page_is_wider_than_a_phone(people: People, path: str, locale: str) -> None:
    page = people.open("ada", 360, 780, locale=locale)
    page.goto(path)
    page.wait_for_load_state("networkidle")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
