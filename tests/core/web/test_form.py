"""The form: read first, edit, create, delete and restore; nothing typed is ever lost."""

from __future__ import annotations

import base64
import io
import json
import re
from datetime import UTC, date, datetime
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from werkzeug.test import create_environ

from core.errors import FieldProblem
from core.web import said
from core.web.request import Request
from tests.core.web.site import Browser, Site


@pytest.fixture(scope="module")
def acme(site: Site) -> int:
    return site.create("company", name="Acme", city="Berlin", owner=site.users["sam"])


def deal(site: Site, **values: Any) -> int:
    return site.create(
        "deal",
        **{
            "name": "Big deal",
            "owner": site.users["sam"],
            "amount": Decimal(5000),
            "starts": date(2026, 1, 1),
            **values,
        },
    )


def edit(browser: Browser, path: str) -> dict[str, Any]:
    browser.get(f"{path}?edit=1")
    return browser.form(path)


def test_a_record_is_read_first(site: Site, acme: int) -> None:
    record = deal(site, company=acme)
    browser = site.browser("ada")
    html = browser.get(f"/deals/{record}")
    assert "<h1>Big deal</h1>" in html and "5,000.00" in html and "50\u202f%" in html and "2,500.00" in html
    assert f'href="/companies/{acme}">Acme</a>' in html and "Jan 1, 2026" in html
    assert f'href="/deals/{record}?edit=1"' in html and "<dt>Amount</dt>" in html


def test_saving_writes_what_was_changed_and_nothing_else(site: Site, acme: int) -> None:
    record = deal(site, company=acme)
    browser = site.browser("ada")
    form = edit(browser, f"/deals/{record}")
    browser.post(f"/deals/{record}", {**form, "name": "Bigger deal", "amount": "6,500.5"})
    assert browser.location == f"/deals/{record}"
    found = site.read("deal", record)
    assert (found["name"], found["amount"], found["company"], found["_version"]) == (
        "Bigger deal",
        Decimal("6500.50"),
        acme,
        2,
    )
    browser.get(f"/deals/{record}/history")
    assert "Ada Admin changed" in browser.words and "5,000.00 → became 6,500.50" in browser.words
    assert "Company" not in browser.words.split("Ada Admin changed")[1].split("created this")[0]


def test_saving_without_a_change_makes_no_new_version(site: Site) -> None:
    record = deal(site)
    browser = site.browser("ada")
    browser.post(f"/deals/{record}", edit(browser, f"/deals/{record}"))
    assert site.read("deal", record)["_version"] == 1


@pytest.mark.parametrize(
    ("key", "text", "said"),
    [
        ("amount", "a lot", '"a lot" is not a number.'),
        ("amount", "1.005", "This may have 2 decimals."),
        ("amount", "NaN", "is not a number"),
        ("amount", "10000000000000000", "too large"),
        ("starts", "2026-02-30", "is not a date"),
        ("starts", "3000-01-01", "between 1900 and 2200"),
        ("name", "", "must be filled in"),
        ("name", "x" * 201, "may have 200 characters"),
        ("name", "a\x00b", "cannot hold"),
        ("stage", "nonsense", "not one of the choices"),
        ("company", "99999999", "cannot be chosen"),
        ("company", "1e3", "not the id of a record"),
        ("company", "9" * 30, "not the id of a record"),
        ("probability", "101", "or less"),
        ("ends", "2025-01-01", ""),
    ],
)
def test_a_bad_value_is_told_beside_its_field(site: Site, key: str, text: str, said: str) -> None:
    record = deal(site)
    browser = site.browser("ada")
    form = edit(browser, f"/deals/{record}")
    browser.post(f"/deals/{record}", {**form, key: text, "note": "kept"}, 422)
    if said:
        assert said in browser.problem(key)
        assert f'data-first="{key}"' in browser.text and 'aria-invalid="true"' in browser.text
    else:
        assert "It ends before it begins." in browser.words
    again = browser.form(f"/deals/{record}")
    assert again["note"] == "kept"
    if key not in ("company", "stage") and "\x00" not in text:
        assert again[key] == text
    browser.post(f"/deals/{record}", {**again, key: form.get(key, "")})
    assert site.read("deal", record)["note"] == "kept"


def test_all_problems_are_told_at_once_and_the_first_is_focused(site: Site) -> None:
    record = deal(site)
    browser = site.browser("ada")
    form = edit(browser, f"/deals/{record}")
    browser.post(f"/deals/{record}", {**form, "amount": "x", "probability": "y", "starts": "z"}, 422)
    assert [bool(browser.problem(key)) for key in ("amount", "probability", "starts")] == [True] * 3
    assert 'data-first="amount"' in browser.text and "3 values are not right" in browser.words


def test_keys_that_come_twice_or_from_nowhere(site: Site) -> None:
    record = deal(site)
    browser = site.browser("ada")
    form = edit(browser, f"/deals/{record}")
    browser.post(f"/deals/{record}", {**form, "name": ["a", "b"]}, 400)
    browser.post(f"/deals/{record}", {**form, "_version": "x"}, 400)
    for key in ("weighted", "code", "created_by", "id", "no_such_field", "lines.0.no", "__class__"):
        browser.post(f"/deals/{record}", {**form, key: "1"}, 422)
    assert site.read("deal", record)["_version"] == 1


def test_creating_begins_with_defaults_and_ends_on_the_record(site: Site, acme: int) -> None:
    browser = site.browser("sam")
    browser.get(f"/deals/new?company={acme}&name=From+a+link")
    form = browser.form("/deals/new")
    assert (form["name"], form["company"], form["stage"], form["probability"]) == (
        "From a link",
        str(acme),
        "open",
        "50",
    )
    assert form["owner"] == str(site.users["sam"]) and 'value="Sam Seller"' in browser.text
    browser.post("/deals/new", {**form, "amount": "not yet"}, 422)
    form = browser.form("/deals/new")
    assert form["amount"] == "not yet" and form["company"] == str(acme) and 'value="Acme"' in browser.text
    browser.post("/deals/new", {**form, "amount": ""})
    record = int(browser.location.rpartition("/")[2])
    found = site.read("deal", record)
    assert (found["name"], found["owner"], found["amount"]) == ("From a link", site.users["sam"], None)


def test_what_an_object_gives_its_records(site: Site) -> None:
    browser = site.browser("ada")
    browser.get("/vendors/new")
    browser.post("/vendors/new", {**browser.form("/vendors/new"), "name": "A vendor"})
    assert site.read("company", int(browser.location.rpartition("/")[2]))["kinds"] == ["vendor"]


def test_two_people_on_one_record_lose_nothing(site: Site) -> None:
    record = deal(site, note="first")
    mine, theirs = site.browser("ada"), site.browser("max")
    path = f"/deals/{record}"
    form = edit(mine, path)
    theirs.post(path, {**edit(theirs, path), "amount": "7000", "note": "theirs"})
    mine.post(path, {**form, "amount": "8000", "name": "Renamed by me"}, 409)
    again = mine.form(path)
    assert (again["amount"], again["name"], again["note"], again["_version"]) == (
        "8000",
        "Renamed by me",
        "theirs",
        "2",
    )
    assert "Somebody else saved this record" in mine.words
    assert "Yours 8,000.00 Theirs 7,000.00 Original 5,000.00" in mine.words
    assert site.read("deal", record)["amount"] == Decimal("7000.00")
    mine.post(path, again)
    found = site.read("deal", record)
    assert (found["amount"], found["name"], found["note"]) == (Decimal("8000.00"), "Renamed by me", "theirs")


@pytest.mark.parametrize(("choice", "amount"), [("yours", 8000), ("theirs", 7000), ("original", 5000)])
def test_row_43_a_conflict_is_decided_by_choosing_one_of_three_values(site: Site, choice: str, amount: int) -> None:
    record = deal(site, note="first")
    mine, theirs = site.browser("ada"), site.browser("max")
    path = f"/deals/{record}"
    form = edit(mine, path)
    theirs.post(path, {**edit(theirs, path), "amount": "7000"})
    mine.post(path, {**form, "amount": "8000", "note": "mine"}, 409)
    again = mine.form(path)
    assert again["_choice.amount"] == "yours" and "_choice.note" not in again
    mine.post(path, {**again, "_choice.amount": choice})
    found = site.read("deal", record)
    assert (found["amount"], found["note"]) == (Decimal(amount), "mine")


def test_a_choice_for_what_is_no_field_of_the_form_is_refused(site: Site) -> None:
    record = deal(site)
    browser = site.browser("ada")
    form = edit(browser, f"/deals/{record}")
    browser.post(f"/deals/{record}", {**form, "_choice.password": "theirs"}, 422)
    browser.post(f"/deals/{record}", {**form, "_choice.amount": "original", "_original": "[" * 5000})


def test_lines_are_added_changed_and_removed(site: Site) -> None:
    record = deal(site, lines=[{"product": "Kept", "price": Decimal(10)}, {"product": "Gone", "price": Decimal(20)}])
    browser = site.browser("ada")
    path = f"/deals/{record}"
    form = edit(browser, path)
    assert form["lines.0.product"] == "Kept" and form["lines.1.product"] == "Gone"
    sent = {
        **form,
        "lines.0.quantity": "3",
        "lines.1._delete": "1",
        "lines.7.product": "New",
        "lines.7.price": "x",
        "lines.7.id": "",
        "lines.7.quantity": "2",
    }
    browser.post(path, sent, 422)
    assert '"x" is not a number.' in browser.words
    again = browser.form(path)
    assert again["lines.7.price"] == "x" and again["lines.1._delete"] == "1"
    browser.post(path, {**again, "lines.7.price": "5"})
    lines = site.read("deal", record)["lines"]
    assert sorted((line["product"], line["quantity"]) for line in lines) == [("Kept", Decimal(3)), ("New", Decimal(2))]
    assert site.read("deal", record)["line_total"] == Decimal(40)


def test_a_line_the_service_refuses_is_told_in_its_row(site: Site) -> None:
    record = deal(site, lines=[{"product": "One", "price": Decimal(10)}])
    browser = site.browser("ada")
    path = f"/deals/{record}"
    form = edit(browser, path)
    browser.post(
        path, {**form, "lines.0.quantity": "", "lines.5.id": "", "lines.5.product": "ok", "lines.5.price": "1"}, 422
    )
    assert re.search(r'id="f-lines-0-quantity-problem">[^<]*filled in', browser.text)


def test_of_very_many_lines_the_first_are_shown(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("core.web.widgets.lines", "core.web.pages.form"):
        monkeypatch.setattr(f"{module}.MOST_READ", 2)
    record = deal(site, lines=[{"product": f"Line {number}", "price": Decimal(10)} for number in range(4)])
    text = site.browser("ada").get(f"/deals/{record}")
    assert '<span class="t-count">2+</span>' in text and "Line 0" in text and "Line 3" not in text


def test_lines_of_others_cannot_be_reached(site: Site) -> None:
    other = site.read("deal", deal(site, lines=[{"product": "Theirs", "price": Decimal(10)}]))["lines"][0]["id"]
    record = deal(site, lines=[{"product": "Mine", "price": Decimal(10)}])
    browser = site.browser("ada")
    form = edit(browser, f"/deals/{record}")
    browser.post(f"/deals/{record}", {**form, "lines.3.id": str(other), "lines.3.product": "stolen"}, 422)


def test_delete_and_restore(site: Site) -> None:
    record = deal(site, name="To be deleted")
    browser = site.browser("ada")
    path = f"/deals/{record}"
    browser.get(path)
    browser.post(f"{path}/delete", browser.form(f"{path}/delete"))
    browser.get(browser.location)
    assert "Moved to the trash." in browser.words
    browser.get("/deals?trash=1")
    assert "To be deleted" in browser.words
    browser.get(path)
    assert "In the trash" in browser.words and "?edit=1" not in browser.text
    browser.post(f"{path}/restore", browser.form(f"{path}/restore"))
    browser.get("/deals?q=To+be+deleted")
    assert "1 record" in browser.words


def test_deleting_what_somebody_just_changed_asks_to_look_again(site: Site) -> None:
    record = deal(site)
    browser = site.browser("ada")
    browser.get(f"/deals/{record}")
    form = browser.form(f"/deals/{record}/delete")
    site.update("deal", record, note="meanwhile")
    browser.post(f"/deals/{record}/delete", form, 409)
    assert "Somebody changed this record meanwhile" in browser.words


def test_what_others_hold_on_to_cannot_be_deleted(site: Site) -> None:
    company = site.create("company", name="Needed", owner=site.users["sam"])
    deal(site, company=company)
    browser = site.browser("ada")
    browser.get(f"/companies/{company}")
    browser.post(f"/companies/{company}/delete", browser.form(f"/companies/{company}/delete"), 422)
    assert 'role="alert"' in browser.text


def test_rights_decide_what_is_shown_and_offered(site: Site) -> None:
    own, foreign = deal(site, secret="for bosses"), deal(site, owner=site.users["sue"], name="Of Sue")
    sam = site.browser("sam")
    html = sam.get(f"/deals/{own}")
    assert "?edit=1" in html and "for bosses" not in html
    sam.get(f"/deals/{foreign}", 404)
    sam.get(f"/deals/{foreign}/history", 404)
    form = edit(sam, f"/deals/{own}")
    assert "secret" not in form
    sam.post(f"/deals/{foreign}", {**form, "name": "Mine now"}, 404)
    sam.post(f"/deals/{foreign}/delete", form, 404)
    peek = site.create("company", name="Of Sue too", owner=site.users["sue"])
    html = sam.get(f"/companies/{peek}?edit=1")
    assert "data-save" not in html and "data-edit" not in html and f'action="/companies/{peek}/delete"' not in html
    mine = site.create("company", name="Of Sam", owner=site.users["sam"])
    sam.post(f"/companies/{peek}", {**edit(sam, f"/companies/{mine}"), "name": "Mine now"}, 403)
    assert "name" in sam.form(f"/companies/{peek}")


def test_conditions_are_worked_out_for_what_is_typed(site: Site) -> None:
    record = deal(site)
    browser = site.browser("ada")
    path = f"/deals/{record}"
    form = edit(browser, path)
    found = browser.client.post(
        f"{path}/conditions", data={**form, "stage": "won"}, headers={"Origin": "http://localhost"}
    ).json
    assert found["amount"] == {"show": True, "required": True, "fixed": False}
    assert (
        browser.client.post(f"{path}/conditions", data=form, headers={"Origin": "http://localhost"}).json["amount"][
            "required"
        ]
        is False
    )
    browser.post(path, {**form, "stage": "won", "amount": ""}, 422)
    assert "must be filled in" in browser.problem("amount") or "must be filled in" in browser.problem("company")


def test_a_wrong_expression_is_told_beside_its_field(site: Site) -> None:
    browser = site.browser("ada")
    browser.get("/specimens/new")
    form = {**browser.form("/specimens/new"), "a_text": "A", "an_expression": "a_nmber > 3"}
    browser.post("/specimens/new", form, 422)
    assert "Column 1" in browser.problem("an_expression") and "a_number" in browser.problem("an_expression")


SPECIMEN = {
    "a_text": "Straße 北京",
    "a_memo": "one\ntwo",
    "a_number": "-1,234",
    "a_decimal": "1.25",
    "a_money": "9.99",
    "a_percent": "12.5",
    "a_date": "2026-11-20",
    "a_datetime": "2026-07-01T14:30",
    "a_choice": "won",
    "choices": ["customer", "vendor"],
    "an_email": "a@example.org",
    "a_phone": "+49 30 123456",
    "a_url": "https://example.org/x?a=b",
    "an_expression": "a_number > 3 and\na_choice == 'won'",
}


def test_every_type_makes_the_round_trip(site: Site, acme: int) -> None:
    browser = site.browser("ada")
    browser.get("/specimens/new")
    form = {**browser.form("/specimens/new"), **SPECIMEN, "a_link": str(acme), "links": [str(acme)], "a_boolean": None}
    browser.post("/specimens/new", {**form, "a_file": (io.BytesIO(b"hello"), "grüße.txt")})
    path = browser.location
    found = site.read("specimen", int(path.rpartition("/")[2]))
    assert found["a_text"] == "Straße 北京" and found["a_memo"] == "one\ntwo" and found["a_number"] == -1234
    assert (found["a_decimal"], found["a_money"], found["a_percent"]) == (
        Decimal("1.25"),
        Decimal("9.99"),
        Decimal("12.5"),
    )
    assert found["a_boolean"] is False and found["a_date"] == date(2026, 11, 20)
    assert found["a_datetime"] == datetime(2026, 7, 1, 12, 30, tzinfo=UTC)
    assert (found["a_choice"], found["choices"], found["a_link"], found["links"]) == (
        "won",
        ["customer", "vendor"],
        acme,
        [acme],
    )
    assert found["a_file"].name == "grüße.txt"
    assert found["an_expression"] == "a_number > 3 and\na_choice == 'won'"
    browser.get(path)
    assert "Jul 1, 2026 14:30" in browser.words and "grüße.txt" in browser.words
    assert 'href="mailto:a@example.org"' in browser.text and 'href="tel:+4930123456"' in browser.text
    again = edit(browser, path)
    assert {key: again[key] for key in ("a_memo", "a_date", "a_datetime", "a_choice", "an_email", "an_expression")} == {
        key: SPECIMEN[key] for key in ("a_memo", "a_date", "a_datetime", "a_choice", "an_email", "an_expression")
    }
    browser.post(path, again)
    assert site.read("specimen", int(path.rpartition("/")[2]))["_version"] == 1
    browser.post(
        path,
        {**again, "a_link~": "1", "a_link": None, "links": None, "choices": None, "a_file-": "1", "a_boolean": "true"},
    )
    emptied = site.read("specimen", int(path.rpartition("/")[2]))
    assert [emptied[key] for key in ("a_link", "links", "choices", "a_file", "a_boolean")] == [
        None,
        None,
        None,
        None,
        True,
    ]


@pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,x", "//evil.example"])
def test_addresses_that_would_run_are_refused(site: Site, url: str) -> None:
    browser = site.browser("ada")
    browser.get("/specimens/new")
    browser.post("/specimens/new", {**browser.form("/specimens/new"), "a_text": "x", "a_url": url}, 422)
    assert "is not a web address" in browser.problem("a_url")


def test_a_form_page_needs_at_most_twelve_statements(site: Site, acme: int) -> None:
    record = deal(site, company=acme, lines=[{"product": "One", "price": Decimal(10)}])
    browser = site.browser("sam")
    for path in (f"/deals/{record}", f"/deals/{record}?edit=1", "/deals/new", f"/companies/{acme}"):
        browser.get(path)
        browser.get(path)
        assert len(browser.statements) <= 12, browser.statements
    form = edit(browser, f"/deals/{record}")
    browser.post(f"/deals/{record}", {**form, "note": "counted"})
    assert len(browser.statements) <= 12, browser.statements


def test_what_a_rule_warns_of_is_saved_and_said_once(site: Site) -> None:
    record = deal(site)
    browser = site.browser("ada")
    form = edit(browser, f"/deals/{record}")
    browser.post(f"/deals/{record}", {**form, "amount": "-1"})
    warning = "The lines add up to"
    assert warning in browser.get(f"/deals/{record}")
    assert warning not in browser.get(f"/deals/{record}")
    assert site.read("deal", record)["amount"] == Decimal(-1)


def test_long_warnings_in_chinese_fit_into_what_browsers_keep() -> None:
    context = SimpleNamespace(request=Request(create_environ("/")), text=lambda message, **_: message)
    answer = said.saved(context, "/deals/1", [FieldProblem("", "warning", "警告" * 3000)])
    cookie = answer.headers["Set-Cookie"]
    assert len(cookie) < 4096
    context.request = Request(create_environ("/", headers={"Cookie": cookie.partition(";")[0]}))
    assert said.left(context, "/deals/1").startswith("警告警告")


def test_what_is_left_to_be_said_is_for_its_page_only_and_never_markup(site: Site) -> None:
    one, other = deal(site), deal(site)
    browser = site.browser("ada")
    place = f"/deals/{one}"
    for left in (b"\xff", b"[]", b"{}", b'["/deals", 1]', json.dumps([place, 7]).encode(),
                 b"[" * 100_000):
        browser.client.set_cookie("said", base64.urlsafe_b64encode(left).decode())
        assert 't-alert is-warn"' not in browser.get(place)
    browser.client.set_cookie("said", base64.urlsafe_b64encode(json.dumps([place, "<b>bold</b>"]).encode()).decode())
    assert "bold" not in browser.get(f"/deals/{other}")
    assert "&lt;b&gt;bold&lt;/b&gt;" in browser.get(place)
