"""The administrator's page: what a promotion would change, promoting it, and going back."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.core.web.promoting import work_off, work_process
from tests.core.web.site import Site

REGION = """
change: table company
fields:
  region: {type: text, max: 50, title: Sales region}
"""
IN_FORM = '<form change="company"><after ref="city"><field name="region"/></after></form>'


@pytest.fixture
def region(site: Site) -> Iterator[None]:
    """A field added in the site's folder."""
    tables, forms = site.settings.metadata / "tables", site.settings.metadata / "forms"
    for folder, name, text in ((tables, "company.yaml", REGION), (forms, "company.xml", IN_FORM)):
        folder.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    yield
    (tables / "company.yaml").unlink()
    (forms / "company.xml").unlink()


def test_the_page_lists_the_versions(site: Site) -> None:
    browser = site.browser("ada")
    browser.get("/admin")
    assert "The first version" in browser.words and "Live" in browser.words
    browser.get("/admin/plan")
    assert "No changes. Live is as the definitions say." in browser.words


def test_promote_and_roll_back(site: Site, region: None) -> None:
    browser = site.browser("ada")
    company = site.create("company", name="Somewhere", owner=site.users["ada"])
    browser.get("/admin/plan")
    for word in ("Added 1", "What records hold", "field region is new Sales region", "site/tables/company.yaml:4",
                 "New columns and tables"):
        assert word in browser.words, word
    form = browser.form("/admin/promote")
    browser.post("/admin/promote", {**form, "plan": "another"}, 409)
    assert "Things changed since you saw this plan." in browser.words
    browser.get(f"/companies/{company}?edit=1")
    before = browser.form(f"/companies/{company}")
    browser.post("/admin/promote", {**form, "message": "Regions"}, 409)
    assert "no work process is running" in browser.words and 'value="Regions"' in browser.text
    with work_process(site):
        browser.post("/admin/promote", {**form, "message": "Regions"})
        assert browser.location == "/admin/promotions/2"
        browser.get(browser.location)
        assert "Waiting for its turn" in browser.words and 'hx-trigger="every 1s"' in browser.text
        work_off(site)
        browser.get("/admin/promotions/2")
        for word in ("Version 2 is live.", "Regions", "From version 1 to 2", "alter table ed.", "field region is new"):
            assert word in browser.words, word
        assert "every 1s" not in browser.text and "/admin/rollback/1" in browser.text

        browser.post(f"/companies/{company}", {**before, "city": "Opened before, saved after"})
        browser.get(f"/companies/{company}?edit=1")
        assert "Sales region" in browser.words and 'data-version="2"' in browser.text
        browser.post(f"/companies/{company}", {**browser.form(f"/companies/{company}"), "region": "North"})
        browser.get(f"/companies/{company}")
        assert "North" in browser.words and "Opened before, saved after" in browser.words

        browser.get("/admin/rollback/1")
        back = browser.form("/admin/rollback/1")
        browser.post("/admin/rollback/1", {**back, "consent": "yes"}, 422)
        assert f"Type these letters: {back['plan'][:6]}" in browser.words
        browser.post("/admin/rollback/1", {**back, "consent": back["plan"][:6].upper()})
        work_off(site)
    browser.get(f"/companies/{company}")
    assert "Sales region" not in browser.words
    browser.get("/admin/rollback/77", 200)
    assert "was never live" in browser.words
    browser.get("/admin")
    for word in ("What is live Version 1", "Back from version 2 to 1", "Regions", "Done"):
        assert word in browser.words, word
    browser.get("/admin/promotions/2")
    assert "Version 2 is live." not in browser.words and "by now version 1 is." in browser.words


def test_broken_definitions_are_shown_with_their_place(site: Site) -> None:
    broken = site.settings.metadata / "tables" / "broken.yaml"
    broken.parent.mkdir(exist_ok=True)
    broken.write_text("table: broken\nfields:\n  a: {type: txt}\n")
    try:
        browser = site.browser("ada")
        browser.get("/admin/plan")
        assert "broken.yaml:3:" in browser.words and "/admin/promote" not in browser.text
        browser.post("/admin/promote", {"_csrf": site_csrf(browser.text), "plan": "x"}, 422)
    finally:
        broken.unlink()


def site_csrf(html: str) -> str:
    return html.split('data-csrf="')[1].split('"')[0]
