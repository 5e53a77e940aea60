"""The list page: what its URL says is what it shows."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal

import pytest

from tests.core.web.site import Browser, Site


@pytest.fixture(scope="module")
def filled(site: Site) -> Site:
    """Twelve deals: six of sam's, six of sue's; two companies."""
    acme = site.create("company", name="Acme", city="Berlin", kinds=["customer"], owner=site.users["sam"])
    site.create("company", name="Zeta <b>&amp;", city="Köln", owner=site.users["sue"])
    for number in range(12):
        site.create(
            "deal",
            name=f"Deal {number:02}",
            company=acme if number % 2 else None,
            owner=site.users["sam" if number < 6 else "sue"],
            amount=Decimal(100 * number) if number else None,
            stage="won" if number == 3 else "open",
            starts=date(2026, 1, 1),
            ends=date(2026, 2, 1 + number),
            secret="hidden from sellers",
        )
    return site


def names(browser: Browser) -> list[str]:
    return re.findall(r'<a class="t-record" href="[^"]+">([^<]+)</a>', browser.text)


def test_rows_open_their_record_and_links_theirs(filled: Site) -> None:
    browser = filled.browser("ada")
    html = browser.get("/deals?f=")
    assert len(names(browser)) == 12 and "12 records" in browser.words
    assert re.search(r'<a class="t-link" href="/companies/\d+">Acme</a>', html)
    assert '<span class="t-badge c-' in html


def test_sorting_by_a_header_and_back(filled: Site) -> None:
    browser = filled.browser("ada")
    html = browser.get("/deals")
    href = re.search(r'<a href="([^"]*sort=amount)">', html)
    assert href is not None
    html = browser.get(href[1])
    assert names(browser)[:2] == ["Deal 01", "Deal 02"] and 'aria-sort="ascending"' in html
    browser.get("/deals?sort=-amount")
    assert names(browser)[0] == "Deal 11" and names(browser)[-1] == "Deal 00"  # empty ones last both ways
    assert 'aria-sort="descending"' in browser.text


def test_search_filters_and_conditions(filled: Site) -> None:
    browser = filled.browser("ada")
    browser.get("/deals?q=Deal+07")
    assert names(browser) == ["Deal 07"]
    browser.get("/deals?where=amount+%3E+900+and+company.city+%3D%3D+'Berlin'&sort=name")
    assert names(browser) == ["Deal 11"]
    assert 'value="amount &gt; 900 and company.city == &#39;Berlin&#39;"' in browser.text


def test_filters_are_switched_by_their_chips(filled: Site) -> None:
    browser = filled.browser("ada")
    html = browser.get("/deals")
    assert "Deal 03" not in names(browser)  # won, and "Open" is on to begin with
    chips = dict(re.findall(r'class="t-filter-chip" href="([^"]+)" role="button" aria-pressed="true">([^<]+)', html))
    assert list(chips.values()) == ["Open"]
    browser.get(next(iter(chips)).replace("&amp;", "&"))
    assert "Deal 03" in names(browser)
    browser.get("/deals?f=mine&f=open")
    assert names(browser) == [] and "No record meets the filters." in browser.words


def test_a_condition_that_cannot_be_understood_says_where(filled: Site) -> None:
    browser = filled.browser("ada")
    browser.get("/deals?where=amont+%3E+900", 400)
    assert "amont" in browser.words and "amount" in browser.words and not names(browser)
    assert 'aria-invalid="true"' in browser.text
    for bad in ("1 +", "name.lower()", "(" * 500, "amount > 'x'", "__import__('os')"):
        browser.get("/deals?" + "where=" + bad.replace("+", "%2B").replace(" ", "+"), 400)


def test_requests_nobody_would_send_are_refused_or_ignored(filled: Site) -> None:
    browser = filled.browser("ada")
    browser.get("/deals?sort=no_such_field", 400)
    browser.get("/deals?sort=lines", 400)
    browser.get("/deals?after=nonsense", 400)
    browser.get("/deals?q=a&q=b", 400)
    for query in (
        "limit=0",
        "limit=99999",
        "start=-1",
        "start=1e9",
        "f=no_such_filter",
        "list=no_such_list",
        "trash=2",
    ):
        browser.get(f"/deals?{query}")


def test_pages_by_keyset_forward_and_back(filled: Site) -> None:
    browser = filled.browser("ada")
    browser.get("/deals?limit=5&sort=name&f=")
    seen = names(browser)
    assert "1–5 of 12" in browser.words
    following = re.search(r'href="([^"]+)" rel="next"', browser.text)
    assert following is not None
    browser.get(following[1].replace("&amp;", "&"))
    assert names(browser) == [f"Deal {n:02}" for n in range(5, 10)] and "6–10 of 12" in browser.words
    back = re.search(r'href="([^"]+)" rel="prev"', browser.text)
    assert back is not None
    browser.get(back[1].replace("&amp;", "&"))
    assert names(browser) == seen


def test_an_object_shows_its_own_records_only(filled: Site) -> None:
    browser = filled.browser("ada")
    filled.create("company", name="Vendor one", kinds=["vendor"])
    browser.get("/vendors")
    assert names(browser) == ["Vendor one"]


def test_an_empty_list_says_why(filled: Site) -> None:
    browser = filled.browser("ada")
    browser.get("/deals?q=nothing+like+this")
    assert "Nothing here holds “nothing like this”." in browser.words and "Clear the filters" in browser.words
    browser.get("/deals?trash=1")
    assert "The trash is empty." in browser.words
    browser.get("/specimens")
    assert "There is nothing here yet" in browser.words and 'href="/specimens/new"' in browser.text


def test_people_see_their_own_records(filled: Site) -> None:
    sam = filled.browser("sam")
    sam.get("/deals?f=")
    assert sorted(names(sam)) == [f"Deal {n:02}" for n in range(6)]
    filled.browser("nil").get("/deals", 404)


def test_a_hidden_field_cannot_be_found_by_sort_filter_or_search(filled: Site) -> None:
    ada, sam = filled.browser("ada"), filled.browser("sue")
    ada.get("/deals?f=&where=secret+is+not+None")
    assert len(names(ada)) == 12
    sam.get("/deals?f=&where=secret+is+not+None")
    with_secret = names(sam)
    sam.get("/deals?f=&where=secret+is+None")
    assert (with_secret, len(names(sam))) == ([], 6)
    sam.get("/deals?q=hidden+from+sellers")
    assert names(sam) == []


def test_titles_are_text_and_never_markup(filled: Site) -> None:
    browser = filled.browser("ada")
    html = browser.get("/companies")
    assert "Zeta &lt;b&gt;&amp;amp;" in html and "Zeta <b>" not in html


def test_a_list_page_needs_at_most_six_statements(filled: Site) -> None:
    browser = filled.browser("sam")
    browser.get("/deals")
    for path in ("/deals", "/deals?limit=2&sort=name", "/deals?q=Deal&where=amount+>+1", "/companies", "/users"):
        browser.get(path)
        assert len(browser.statements) <= 6, browser.statements
    browser.get("/deals?limit=2")
    assert len(browser.statements) == 3, browser.statements  # who and which version, the page, the count
