"""Lists in other ways: totals, groups, chosen columns, saved views, cards, and many records changed at once."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from html import unescape
from urllib.parse import parse_qs, quote, urlsplit

import pytest

from core.ed import budget
from tests.core.web.site import Browser, Site
from tests.core.web.test_list import names

GROUPED = "/deals?f=&group=stage&group=ends:month"


@pytest.fixture(scope="module")
def filled(site: Site) -> Site:
    """Twelve deals: six of sam's, six of sue's; every third is won."""
    acme = site.create("company", name="Acme", city="Berlin", owner=site.users["sam"])
    for number in range(12):
        site.create("deal", name=f"Deal {number:02}", company=acme,
                    owner=site.users["sam" if number < 6 else "sue"], amount=Decimal(100 * (number + 1)),
                    stage="open" if number % 3 else "won" if number % 2 else "lost", starts=date(2026, 1, 1),
                    ends=date(2026, 2 + number % 2, 1 + number), secret="hidden from sellers")
    return site


@pytest.fixture
def fresh(filled: Site) -> Iterator[Site]:
    """Views that a test saves are gone after it."""
    yield filled
    with filled.owner.begin() as connection:
        connection.exec_driver_sql("delete from sys.saved_view")
        connection.exec_driver_sql("update bm.live set epoch = epoch + 1")


def footer(browser: Browser) -> str:
    found = re.search(r"<tfoot>(.*?)</tfoot>", browser.text, re.DOTALL)
    return re.sub(r"<[^>]+>", " ", found[1]) if found else ""


def token(browser: Browser) -> str:
    found = re.search(r'data-csrf="([^"]+)"', browser.text)
    assert found is not None
    return found[1]


# Totals and counts


def test_totals_are_of_the_filter_and_not_of_the_page(filled: Site) -> None:
    browser = filled.browser("ada")
    browser.get("/deals?f=&limit=3")
    assert "7,800" in footer(browser) and len(names(browser)) == 3 and "1–3 of 12" in browser.words
    browser.get("/deals?f=&where=" + quote("stage == 'open'"))
    assert "5,600" in footer(browser)
    browser.get("/deals?f=&q=Deal+07")
    assert "800" in footer(browser)


def test_totals_hold_only_what_may_be_read(filled: Site) -> None:
    sam = filled.browser("sam")
    sam.get("/deals?f=")
    assert "2,100" in footer(sam) and len(names(sam)) == 6


def test_many_are_counted_and_added_up_only_if_asked(filled: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.web.pages.list.CAP", 5)
    browser = filled.browser("ada")
    html = browser.get("/deals?f=&limit=3")
    assert footer(browser) == "" and "of 5+" in browser.words
    href = re.search(r'href="([^"]*exact=1[^"]*)"', html)
    assert href is not None
    browser.get(href[1].replace("&amp;", "&"))
    assert "7,800" in footer(browser) and "of 12" in browser.words


def test_pages_lead_back_however_deep(filled: Site) -> None:
    browser = filled.browser("ada")
    browser.get("/deals?f=&limit=2&sort=-amount")
    seen = [names(browser)]
    for way in ("next", "next", "next", "prev", "prev", "prev"):
        href = re.search(rf'href="([^"]*)" rel="{way}"', browser.text)
        assert href is not None
        browser.get(href[1].replace("&amp;", "&"))
        seen.append(names(browser))
    assert seen[:4] == seen[3:][::-1] and seen[3] == ["Deal 05", "Deal 04"]


# Groups


def test_a_list_in_groups_has_counts_and_sums_and_opens_them(filled: Site) -> None:
    browser = filled.browser("ada")
    html = browser.get(GROUPED)
    found = re.findall(r'data-group>.*?</a> <span class="t-group-count">(\d+)</span>', html, re.DOTALL)
    assert found == ["8", "2", "2"] and names(browser) == [] and "3 groups · 12 records" in browser.words
    assert "Amount <strong>" in html and "7,800" in footer(browser)
    inside = [href.replace("&amp;", "&") for href in re.findall(r'href="([^"]*)" aria-expanded', html)]
    part = browser.get(inside[0], **{"HX-Request": "true"})
    assert "<html" not in part and "2026-02" in part and "2026-03" in part and part.count('data-depth="1"') == 2
    deeper = [href.replace("&amp;", "&") for href in re.findall(r'href="([^"]*)" aria-expanded', part)]
    part = browser.get(deeper[0], **{"HX-Request": "true"})
    assert part.count('<tr data-depth="2" data-href="/deals/') == 4
    browser.get(deeper[0])
    assert len(names(browser)) == 4 and "All groups" in browser.words


def test_groups_of_what_may_not_be_read_are_not_there(filled: Site) -> None:
    sam = filled.browser("sam")
    sam.get(GROUPED)
    assert "3 groups · 6 records" in sam.words
    for query in ("group=sekret", "columns=name,sekret", "group=sekret:month"):
        sam.get(f"/deals?f=&{query}")
        assert len(names(sam)) == 6 and "is left out: sekret" in sam.words, query
    sam.get("/deals?f=&group=secret")                       # of the deals of those below, and there is nobody
    assert "(empty)" in sam.words and "hidden from" not in sam.text and "1 group · 6 records" in sam.words


@pytest.mark.parametrize("query", [
    "group=lines", "group=ends:hour", "group=name:month", "group=stage&in=%5B1%5D", "group=stage&in=%7B%7D", "in=%5B%22a%22%5D",
    "group=ends&in=%5B%22x%22%5D", "group=stage&in=" + "%5B" * 3000, "before=x", "columns=" + "a," * 500, "mode=nonsense",
    "view=99999999999", "view=-1", "group=stage,stage,stage,name", "limit=0&group=stage", "in=[[]]", "group=%00",
    "columns=%00", "columns=lines", "columns=id,created_on"])
def test_addresses_nobody_would_send_are_no_error_of_ours(filled: Site, query: str) -> None:
    browser = filled.browser("ada")
    browser.client.get(f"/deals?{query}")
    assert browser.client.get(f"/deals?{query}").status_code in (200, 400)


def test_columns_are_chosen(filled: Site) -> None:
    browser = filled.browser("ada")
    html = browser.get("/deals?f=&columns=amount&columns=company.city&columns=name")
    heads = re.findall(r'<th scope="col" class="[^"]*"[^>]*>(?:<a [^>]*>)?([^<]+)', html)
    assert heads == ["Amount", "City", "Name"]


@pytest.mark.parametrize("query", ["f=", "f=&group=stage,company", "f=&q=deal&where=amount%20%3E%200&sort=company&limit=3",
                                   "f=&mode=kanban", "f=&group=stage&in=%5B%22open%22%5D", "f=&view=1"])
@pytest.mark.parametrize("login", ["ada", "sam"])
def test_a_list_takes_six_statements_whatever_it_shows(filled: Site, login: str, query: str) -> None:
    browser = filled.browser(login)
    for _ in range(3):
        browser.client.get(f"/deals?{query}")
        browser.get(f"/deals?{query}")
    assert len(browser.statements) <= 6, browser.statements


def test_row_48_a_search_that_takes_too_long_says_what_to_do(filled: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget, "LIMIT", "set local statement_timeout = 1; select pg_sleep(0.2)")
    browser = filled.browser("ada")
    browser.get("/deals?f=&q=deal", 400)
    assert "Look for a longer word" in browser.words
    browser.get("/search?q=deal", 400)
    assert "Look for a longer word" in browser.words


# Conditions by rows


@pytest.mark.parametrize(("field", "comparison", "value", "where", "found"), [
    ("name", "contains", "DEAL 0", "contains(name, 'DEAL 0')", 10), ("name", "starts", "deal 11", "starts_with(name, 'deal 11')", 1),
    ("name", "is", "it's \\", "name == 'it\\'s \\\\'", 0), ("company.name", "contains", "acm", "contains(company.name, 'acm')", 12),
    ("amount", "more", "1,000", "amount > 1000.00", 2), ("amount", "most", "300", "amount <= 300.00", 3),
    ("ends", "less", "2026-03-01", "ends < '2026-03-01'", 6), ("stage", "is", "Won", "stage == 'won'", 2),
    ("stage", "not", "open", "stage != 'open'", 4), ("secret", "filled", "", "secret is not None", 12),
    ("result", "empty", "x", "result is None", 12), ("created_on", "least", "2026-01-01", None, None)])
def test_conditions_are_added_row_by_row(filled: Site, field: str, comparison: str, value: str, where: str | None,
                                         found: int | None) -> None:
    browser = filled.browser("ada")
    ask = f"/deals?f=&q=&w.field={field}&w.op={comparison}&w.value={quote(value)}"
    if where is None:
        browser.get(ask, 400)
        return
    browser.get(ask, 303)
    assert parse_qs(urlsplit(browser.location).query)["where"] == [where]
    browser.get(browser.location)
    assert len([name for name in names(browser) if name.startswith("Deal ")]) == found


def test_a_row_stands_beside_what_was_written_and_is_removed(filled: Site) -> None:
    browser = filled.browser("ada")
    written = "stage == 'won' or amount > 1000"
    browser.get(f"/deals?f=&where={quote(written)}&w.field=name&w.op=contains&w.value=1", 303)
    whole = parse_qs(urlsplit(browser.location).query)["where"][0]
    assert whole == f"({written}) and contains(name, '1')"
    html = browser.get(browser.location)
    kept = [parse_qs(urlsplit(unescape(href)).query).get("where") for href in re.findall(
        r'<li><code>.*?</code> <a href="([^"]*)"', html)]
    assert kept == [["contains(name, '1')"], [f"({written})"]]


@pytest.mark.parametrize("row", [
    ("name", "nope", "x"), ("nope", "is", "x"), ("amount", "contains", "1"), ("amount", "is", "many"), ("name", "is", ""),
    ("stage", "less", "won"), ("stage", "is", "nope"), ("ends", "is", "yesterday")])
def test_a_row_that_says_nothing_is_told_beside_the_box(filled: Site, row: tuple[str, str, str]) -> None:
    browser = filled.browser("ada")
    browser.get("/deals?f=&w.field={}&w.op={}&w.value={}".format(*row), 400)
    assert '<details class="t-where" open>' in browser.text and 'id="where-problem"' in browser.text
    assert 'id="where-problem"' in browser.text


# Saved views


def saved(browser: Browser, query: str = "f=won&sort=-amount&columns=name,amount&group=", title: str = "Wins",
          **more: str) -> int:
    """Save a view by the form; gives its number."""
    browser.get(f"/-/views/deals/new?{query}")
    action = re.search(r'action="(/-/views/deals\?[^"]*)"', browser.text)
    assert action is not None
    browser.post(action[1].replace("&amp;", "&"), {**browser.form(action[1].replace("&amp;", "&")), "title": title, **more})
    return int(browser.location.rpartition("=")[2])


def test_a_view_is_saved_opened_changed_and_removed(fresh: Site) -> None:
    browser = fresh.browser("sam")
    view = saved(browser, "f=open&sort=-amount&columns=amount,name&where=amount+%3E+200")
    browser.get(f"/deals?view={view}")
    assert names(browser) == ["Deal 05", "Deal 04", "Deal 02"] or "600" in browser.text
    assert re.findall(r'<th scope="col" class="[^"]*"[^>]*>(?:<a [^>]*>)?([^<]+)', browser.text) == ["Amount", "Name"]
    browser.get("/deals?f=")
    assert ">Wins</a>" in browser.text.replace("\n", "") or "Wins" in browser.words
    browser.get(f"/deals?view={view}&now=1&f=&sort=amount")
    keep = f"/-/views/deals/{view}/keep?sort=amount&f=&view={view}&now=1"
    action = re.search(rf'action="(/-/views/deals/{view}/keep[^"]*)"', browser.text)
    assert action is not None, keep
    form = browser.form(action[1].replace("&amp;", "&"))
    browser.post(action[1].replace("&amp;", "&"), form)
    browser.get(f"/deals?view={view}")
    assert names(browser)[0] == "Deal 00" and len(names(browser)) == 6
    browser.post(action[1].replace("&amp;", "&"), form, 409)                 # that was the version before
    browser.get(f"/-/views/deals/{view}")
    browser.post(f"/-/views/deals/{view}/remove", browser.form(f"/-/views/deals/{view}/remove"))
    browser.get(f"/-/views/deals/{view}", 404)


def test_a_list_opens_with_the_view_that_its_user_chose(fresh: Site) -> None:
    sam, ada = fresh.browser("sam"), fresh.browser("ada")
    saved(sam, "f=&sort=-amount", first="1")
    sam.get("/deals")
    assert names(sam)[0] == "Deal 05" and len(names(sam)) == 6
    sam.get("/deals?view=0")
    assert len(names(sam)) == 4                             # open ones, as it was shipped
    ada.get("/deals")
    assert len(names(ada)) == 8


def test_views_for_others_need_a_right_and_reach_them_only(fresh: Site) -> None:
    sam, ada, sue, nil = (fresh.browser(login) for login in ("sam", "ada", "sue", "max"))
    sam.get("/-/views/deals/new?f=")
    assert 'name="for"' not in sam.text
    form = sam.form("/-/views/deals?f=")
    for audience in ("all", "role:salesperson", f"people:{fresh.users['sam']}"):
        sam.post("/-/views/deals?f=", {**form, "title": "x", "for": audience}, 403)
    everybody = saved(ada, "f=&sort=name", "Of all", **{"for": "all"})
    sellers = saved(ada, "f=&sort=name", "Of sellers", **{"for": "role:salesperson"})
    own = saved(ada, "f=&sort=name", "Of Ada")
    for browser, seen in ((sam, [everybody, sellers]), (sue, [everybody, sellers]), (ada, [everybody, sellers, own])):
        html = browser.get("/deals?f=")
        assert sorted({int(id) for id in re.findall(r'href="/deals\?view=([1-9]\d*)"', html)}) == sorted(seen)
    sam.get(f"/-/views/deals/{own}", 404)
    sam.get(f"/-/views/deals/{everybody}")
    sam.post(f"/-/views/deals/{everybody}/remove", sam.form(f"/-/views/deals/{everybody}/remove"), 403)
    nil.get(f"/deals?view={own}&now=1")
    assert nil.page is not None and nil.page.status_code == 200


def test_a_view_that_names_what_one_may_not_see_shows_the_rest_and_says_so(fresh: Site) -> None:
    ada, sam = fresh.browser("ada"), fresh.browser("sam")
    view = saved(ada, "f=&columns=name,secret,amount&sort=-secret,name&group=", "All", **{"for": "all"})
    ada.get(f"/deals?view={view}")
    assert "hidden from sellers" in ada.text
    sam.get(f"/deals?view={view}")
    assert "hidden from" not in sam.text and names(sam)[0] == "Deal 00" and len(names(sam)) == 6
    with fresh.owner.begin() as connection:
        state = json.dumps({"columns": ["name", "gone"], "group": ["gone:month"], "sort": ["-gone"], "filters": ["gone"],
                            "limit": "x", "where": "amount > 0", "list": 3, "more": 1})
        connection.exec_driver_sql("update sys.saved_view set state = %(state)s", {"state": state})
        connection.exec_driver_sql("update bm.live set epoch = epoch + 1")
    ada.get(f"/deals?view={view}")
    assert "is left out: gone" in ada.words and len(names(ada)) == 12


def test_a_view_does_not_tell_the_condition_of_somebody_else_that_one_may_not_read(fresh: Site) -> None:
    ada, sam = fresh.browser("ada"), fresh.browser("sam")
    view = saved(ada, "f=&where=not+exists(all.organisation[name+==+'a+merger'])", "Secret", **{"for": "all"})
    ada.get(f"/deals?view={view}")
    assert "a merger" in ada.text
    sam.get(f"/deals?view={view}")
    assert "merger" not in sam.text and len(names(sam)) == 6
    assert "is left out: Show records where" in sam.words


@pytest.mark.parametrize("title", ["", "  ", "x" * 81, "a\x00b", "a\x07"])
def test_a_view_without_a_proper_name_is_refused(fresh: Site, title: str) -> None:
    browser = fresh.browser("sam")
    browser.get("/-/views/deals/new?f=")
    browser.post("/-/views/deals?f=", {**browser.form("/-/views/deals?f="), "title": title}, 400)


# Many records


def test_many_are_deleted_after_the_exact_number_was_shown(fresh: Site) -> None:
    ids = [fresh.create("deal", name=f"Doomed {n}", owner=fresh.users[owner], starts=date(2026, 1, 1))
           for n, owner in enumerate(["sam", "sam", "sue"])]
    ada = fresh.browser("ada")
    ada.get("/deals?f=&q=Doomed")
    form = ada.form("/-/many/deals?q=Doomed&f=")
    page = ada.post("/-/many/deals?q=Doomed&f=", {**form, "id": [str(id) for id in ids], "action": "delete"}, 200)
    assert "3 records are meant." in ada.words and "Move 3 records to the trash" in page
    sure = ada.form("/-/many/deals?q=Doomed&f=")
    fresh.update("deal", ids[0], name="Doomed still")
    ada.post("/-/many/deals?q=Doomed&f=", {**sure, "count": "2"}, 422)
    ada.post("/-/many/deals?q=Doomed&f=", sure)
    assert ada.location == "/deals?q=Doomed&f="
    ada.get(ada.location)
    assert names(ada) == []


def test_rights_leave_out_some_of_many_and_the_page_says_so(fresh: Site) -> None:
    team = [fresh.create("deal", name=f"Shared {n}", owner=fresh.users[owner], starts=date(2026, 1, 1),
                         operators=[fresh.users["sam"]]) for n, owner in enumerate(["sam", "sue"])]
    sam = fresh.browser("sam")
    sam.get("/deals?f=&q=Shared")
    action = "/-/many/deals?q=Shared&f="
    sam.post(action, {**sam.form(action), "id": [str(id) for id in team], "action": "edit"}, 200)
    assert "1 record is meant. 1 other was chosen too" in sam.words
    sam.post(action, {**sam.form(action), "field": "result"}, 200)
    sam.post(action, {**sam.form(action), "value": "done together"})
    assert [fresh.read("deal", id)["result"] for id in team] == ["done together", None]
    sam.get("/deals?f=")
    sam.post(action, {"_csrf": token(sam), "action": "edit", "id": str(team[0]), "field": "secret"}, 400)


def test_all_that_a_filter_finds_are_changed(fresh: Site) -> None:
    for n in range(3):
        fresh.create("deal", name=f"Everywhere {n}", owner=fresh.users["sam"], starts=date(2026, 1, 1))
    ada, action = fresh.browser("ada"), "/-/many/deals?q=Everywhere&f="
    ada.get("/deals?f=&q=Everywhere")
    ada.post(action, {**ada.form(action), "all": "1", "action": "edit"}, 200)
    ada.post(action, {**ada.form(action), "field": "probability"}, 200)
    ada.post(action, {**ada.form(action), "value": "900"}, 422)                     # a rule says no: nothing is changed
    assert "100 or less" in ada.words
    ada.post(action, {**ada.form(action), "value": "70"})
    ada.get("/deals?f=&q=Everywhere&columns=name,probability")
    assert ada.text.count(">70") == 3


@pytest.mark.parametrize("form", [{}, {"action": "explode"}, {"action": "delete"}, {"action": "delete", "id": "x"},
                                  {"action": "delete", "id": "999999"}, {"action": "edit", "id": "1", "field": "nope"},
                                  {"action": "delete", "more": "1"}])
def test_what_is_no_choice_of_records_is_refused(filled: Site, form: dict[str, str]) -> None:
    ada = filled.browser("ada")
    ada.get("/deals?f=")
    ada.post("/-/many/deals?f=", {"_csrf": token(ada), **form}, 400)


# Cards


def test_cards_stand_in_columns_and_move(fresh: Site) -> None:
    acme = fresh.create("company", name="Mover", owner=fresh.users["sam"])
    deal = fresh.create("deal", name="Movable", owner=fresh.users["sam"], amount=Decimal(10), starts=date(2026, 1, 1),
                        company=acme)
    sam = fresh.browser("sam")
    html = sam.get("/deals?f=&mode=kanban&q=Movable")
    boards = dict(re.findall(r"data-value=\"([^\"]*)\".*?t-group-count\">(\d+)<", html, re.DOTALL))
    assert boards == {"&#34;open&#34;": "1", "&#34;won&#34;": "0", "&#34;lost&#34;": "0"}
    action = re.search(rf'action="(/-/kanban/deals/{deal}[^"]*)"', html)
    assert action is not None
    form = sam.form(action[1].replace("&amp;", "&"))
    sam.post(action[1].replace("&amp;", "&"), {**form, "value": '"won"'})
    assert fresh.read("deal", deal)["stage"] == "won" and "mode=kanban" in sam.location
    sam.post(action[1].replace("&amp;", "&"), {**form, "value": '"open"'}, 409)      # of the version before
    version = str(fresh.read("deal", deal)["_version"])
    for value in ('"nonsense"', "x", "[1]", ""):
        sam.post(action[1].replace("&amp;", "&"), {**form, "version": version, "value": value}, 422 if value == '"nonsense"' else 400)


def test_cards_are_moved_by_those_who_may_change_them(fresh: Site) -> None:
    deal = fresh.create("deal", name="Of Sue", owner=fresh.users["sue"], operators=[fresh.users["sam"]], starts=date(2026, 1, 1))
    sam = fresh.browser("sam")
    sam.get("/deals?f=&mode=kanban")
    sam.post(f"/-/kanban/deals/{deal}", {"_csrf": token(sam), "version": "1", "value": '"lost"'}, 403)
