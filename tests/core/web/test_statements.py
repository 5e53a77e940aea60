"""What a request costs in statements, once the process and its connection are warm."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.core.web.site import Browser, Site
from tests.core.web.test_form import deal, edit

WARM = 4                    # a statement that comes again is first run as it is, then prepared


@pytest.fixture(scope="module")
def record(site: Site) -> int:
    return deal(site, lines=[{"product": "One", "price": Decimal(10)}])


def get(browser: Browser, path: str) -> int:
    for _ in range(WARM):
        browser.get(path)
    return len(browser.statements)


@pytest.mark.parametrize("login", ["ada", "sam"])
def test_a_page_reads_once(site: Site, record: int, login: str) -> None:
    browser = site.browser(login)
    assert get(browser, "/deals?sort=name") <= 3            # who asks and which version, the page, the count
    own = 0 if login == "ada" else 1                        # rights that depend on the record
    assert get(browser, f"/deals/{record}") <= 3 + own      # who, the record, its lines
    assert get(browser, f"/deals/{record}?edit=1") <= 3 + 2 * own


@pytest.mark.parametrize("login", ["ada", "sam"])
def test_creating_takes_six_statements(site: Site, login: str) -> None:
    browser = site.browser(login)
    for number in range(WARM):
        browser.get("/deals/new")
        browser.post("/deals/new", {**browser.form("/deals/new"), "name": f"counted {number}"})
    assert len(browser.statements) <= 6, browser.statements     # who, links, number, insert, rules, history


@pytest.mark.parametrize("login", ["ada", "sam"])
def test_changing_takes_five_statements(site: Site, record: int, login: str) -> None:
    browser = site.browser(login)
    for number in range(WARM):
        form = edit(browser, f"/deals/{record}")
        browser.post(f"/deals/{record}", {**form, "note": f"{login} counted {number}"})
    assert len(browser.statements) <= 6, browser.statements     # who, lock, lines, update, rules, history
