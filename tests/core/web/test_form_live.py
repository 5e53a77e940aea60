"""A form while people type: what is worked out and suggested follows, what somebody typed stays; saved as shown."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from core.settings import Settings
from tests.core.web.site import Browser, Site, sample_site

FILES = {
    "tables/ware.yaml": """
table: ware
title: Ware
display: "{name}"
fields:
  name:  {type: text, required: true}
  price: {type: money}
  cost:  {type: money}
""",
    "tables/bill.yaml": """
table: bill
title: Bill
display: "{name}"
fields:
  name:   {type: text, required: true}
  ware:   {type: link, to: ware}
  price:  {type: money, suggest: =ware.price}
  count:  {type: integer, default: 2}
  amount: {type: money, formula: price * count}
  note:   {type: text, show: amount > 100}
  rows:   {type: lines, of: bill_row, by: bill}
  total:  {type: money, stored: true, formula: sum(rows.total)}
  taxed:  {type: money, formula: total * 2}
""",
    "tables/bill_row.yaml": """
table: bill_row
title: Row
display: "{ware.name}"
access: {through: [bill]}
fields:
  bill:   {type: link, to: bill, required: true, on_delete: cascade}
  ware:   {type: link, to: ware}
  count:  {type: integer, default: 1}
  price:  {type: money, suggest: =ware.price}
  total:  {type: money, stored: true, formula: price * count}
""",
    "objects/bills.yaml": "object: bills\ntitle: Bills\nof: bill\n",
    "roles/clerk.yaml": "role: clerk\ntitle: Clerk\ngrants:\n  bill: {create: true, read: true, change: true}\n"
                        "  ware: {read: true}\n  ware.price: {read: false}\n",
}


@pytest.fixture(scope="module")
def site(database: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with sample_site(database, tmp_path_factory.mktemp("web"), FILES) as found:
        found.users["pen"] = found.create("ware", name="Pen", price=3)
        found.users["ink"] = found.create("ware", name="Ink", price=80)
        yield found


def asked(browser: Browser, path: str, form: dict[str, Any], changed: str, typed: str = "") -> dict[str, Any]:
    """What the server says while somebody types; nothing is written."""
    data = {**form, "_changed": changed, "_typed": typed}
    response = browser.client.post(f"{path}/conditions", data=data, headers={"Origin": "http://localhost"})
    assert response.status_code == 200
    return dict(response.json or {})


def new(site: Site, **values: Any) -> tuple[Browser, dict[str, Any]]:
    browser = site.browser("ada")
    browser.get("/bills/new")
    return browser, {**browser.form("/bills/new"), **values}


def test_formulas_follow_what_is_typed(site: Site) -> None:
    browser, form = new(site, name="x", price="60")
    found = asked(browser, "/bills/new", form, "price")
    assert "120" in found["amount"]["value"] and found["note"]["show"] is True
    found = asked(browser, "/bills/new", {**form, "count": "1"}, "count")
    assert "60" in found["amount"]["value"] and found["note"]["show"] is False
    assert "value" in asked(browser, "/bills/new", {**form, "count": "nonsense"}, "count")["amount"]


def test_formulas_of_lines_and_over_them(site: Site) -> None:
    browser, form = new(site, name="x")
    rows = {"rows~": "1", "rows.0.id": "", "rows.0._delete": "", "rows.0.price": "5", "rows.0.count": "4",
            "rows.1.id": "", "rows.1._delete": "", "rows.1.price": "7", "rows.1.count": "",
            "rows.2.id": "", "rows.2._delete": "1", "rows.2.price": "900", "rows.2.count": "1"}
    found = asked(browser, "/bills/new", {**form, **rows}, "rows.0.count")
    assert "20" in found["rows.0.total"]["value"] and "7" in found["rows.1.total"]["value"]
    assert "27" in found["total"]["value"] and "54" in found["taxed"]["value"]


def test_what_is_suggested_comes_with_what_it_reads_until_somebody_types(site: Site) -> None:
    browser, form = new(site, name="x", ware=str(site.users["ink"]))
    found = asked(browser, "/bills/new", form, "ware")
    assert 'value="80' in found["price"]["control"] and "160" in found["amount"]["value"]
    assert "control" not in asked(browser, "/bills/new", form, "name")["price"]
    assert "control" not in asked(browser, "/bills/new", form, "ware", "price")["price"]
    rows = {"rows~": "1", "rows.0.id": "", "rows.0._delete": "", "rows.0.ware": str(site.users["pen"]),
            "rows.0.count": "2", "rows.0.price": ""}
    found = asked(browser, "/bills/new", {**form, **rows}, "rows.0.ware")
    assert 'name="rows.0.price"' in found["rows.0.price"]["control"] and "6" in found["rows.0.total"]["value"]
    assert "rows.0.price" not in asked(browser, "/bills/new", {**form, **rows}, "rows.0.ware", "rows.0.price")


def test_an_existing_record_is_suggested_for_as_long_as_it_holds_the_suggestion(site: Site) -> None:
    held = site.create("bill", name="held", ware=site.users["pen"])
    typed = site.create("bill", name="typed", ware=site.users["pen"], price=9)
    browser = site.browser("ada")
    for identity, suggested in ((held, True), (typed, False)):
        browser.get(f"/bills/{identity}?edit=1")
        form = {**browser.form(f"/bills/{identity}"), "ware": str(site.users["ink"])}
        assert ("control" in asked(browser, f"/bills/{identity}", form, "ware")["price"]) is suggested
        browser.post(f"/bills/{identity}", form)                     # and so without scripts, when it is saved
        assert site.read("bill", identity)["price"] == (80 if suggested else 9)


def test_without_scripts_what_nobody_touched_is_suggested_on_saving(site: Site) -> None:
    browser = site.browser("ada")
    browser.get(f"/bills/new?ware={site.users['pen']}")
    form = {**browser.form("/bills/new"), "name": "no scripts", "ware": str(site.users["ink"])}
    assert form["price"] == "3.00"
    for typed, price in (("", 80), ("price", 3)):
        browser.post("/bills/new", {**form, "_typed": typed})
        identity = int((browser.page.headers["Location"] if browser.page else "").rpartition("/")[2])
        assert site.read("bill", identity)["price"] == price
    browser.post("/bills/new", {**form, "price": ""})
    assert site.read("bill", int((browser.page.headers["Location"] if browser.page else "").rpartition("/")[2]))[
        "price"] is None


def test_a_refused_form_remembers_what_somebody_typed(site: Site) -> None:
    browser, form = new(site, name="", ware=str(site.users["pen"]), price="3", _typed="price")
    browser.post("/bills/new", form, 422)
    again = browser.form("/bills/new")
    assert (again["_typed"], again["_base"]) == ("price", form["_base"])


def test_nothing_is_shown_that_the_user_may_not_read(site: Site) -> None:
    with site.records() as records:
        records.create("role_assignment", [{"user": site.users["nil"], "role": "clerk"}])
    browser = site.browser("nil")
    browser.get("/bills/new")
    form = {**browser.form("/bills/new"), "name": "x", "ware": str(site.users["ink"])}
    found = asked(browser, "/bills/new", form, "ware")
    assert "80" not in str(found)
