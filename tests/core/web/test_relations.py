"""Relations on pages: links to several tables, to any, through a table; trees in the crumbs; names of tables."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from core.settings import Settings
from tests.core.web.site import Browser, Site, sample_site

FILES = {
    "tables/place.yaml": """
table: place
title: Place
plural: Places
display: "{name}"
keeps: [history]
fields:
  name: {type: text, required: true}
  into: {type: link, to: place, tree: true}
""",
    "tables/stay.yaml": """
table: stay
title: Stay
plural: Stays
fields:
  visit: {type: link, to: visit, required: true, on_delete: cascade}
  place: {type: link, to: place, required: true, on_delete: cascade}
""",
    "tables/visit.yaml": """
table: visit
title: Visit
plural: Visits
display: "{name}"
keeps: [history]
fields:
  name:    {type: text, required: true}
  host:    {type: link, to: [company, place], show: "name != 'bare'"}
  subject: {type: any_link}
  places:  {type: links, to: place, through: stay}
  about:   {type: table}
  column:  {type: field, table: about}
""",
    "objects/visits.yaml": "object: visits\nof: visit\ntitle: Visits\nlists: []\nforms: []\n",
    "objects/places.yaml": "object: places\nof: place\ntitle: Places\nlists: []\nforms: []\n",
}


@pytest.fixture(scope="module")
def site(database: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The sample with visits and places; the company Acme, the place Ulm within Land."""
    with sample_site(database, tmp_path_factory.mktemp("relations"), FILES) as found:
        found.users["acme"] = found.create("company", name="Acme")
        found.users["land"] = found.create("place", name="Land")
        found.users["ulm"] = found.create("place", name="Ulm", into=found.users["land"])
        yield found


def edit(browser: Browser, path: str) -> dict[str, Any]:
    browser.get(f"{path}?edit=1")
    return browser.form(path)


def test_each_link_opens_what_it_leads_to(site: Site) -> None:
    ids = site.users
    one = site.create("visit", name="V", host=ids["acme"], subject=ids["ulm"], places=[ids["ulm"], ids["land"]])
    html = site.browser("ada").get(f"/visits/{one}")
    assert f'href="/companies/{ids["acme"]}">Acme</a>' in html
    assert f'<a class="t-link" href="/places/{ids["ulm"]}">Ulm</a>' in html
    assert f'<a class="t-chip" href="/places/{ids["land"]}">Land</a>' in html
    listed = site.browser("ada").get("/visits")
    assert ">Acme</a>" in listed and ">Land</a>" in listed


def test_links_are_changed_by_a_form(site: Site) -> None:
    ids, browser = site.users, site.browser("ada")
    one = site.create("visit", name="W", host=ids["acme"], places=[ids["ulm"]])
    form = edit(browser, f"/visits/{one}")
    assert (form["host"], form["places"]) == (str(ids["acme"]), str(ids["ulm"]))
    browser.post(f"/visits/{one}", {**form, "host": str(ids["land"]), "subject": str(ids["acme"]),
                                    "places": [str(ids["ulm"]), str(ids["land"])]})
    assert browser.location == f"/visits/{one}"
    found = site.read("visit", one)
    assert (found["host"], found["host_table"], found["subject_table"]) == (ids["land"], "place", "company")
    assert found["places"] == [ids["land"], ids["ulm"]]
    form = edit(browser, f"/visits/{one}")
    browser.post(f"/visits/{one}", {key: value for key, value in form.items() if key not in ("places", "subject")})
    found = site.read("visit", one)
    assert (found["places"], found["subject"], found["host"]) == (None, None, ids["land"])


def test_what_is_refused_stands_in_the_form_again_by_its_title(site: Site) -> None:
    ids, browser = site.users, site.browser("ada")
    one = site.create("visit", name="X", host=ids["acme"])
    form = edit(browser, f"/visits/{one}")
    html = browser.post(f"/visits/{one}", {**form, "name": "", "host": str(ids["ulm"]), "subject": str(ids["acme"])},
                        422)
    assert f'data-id="{ids["ulm"]}"' in html and '<span class="t-chosen-title">Ulm</span>' in html
    assert '<span class="t-chosen-title">Acme</span>' in html


def test_the_look_up_asks_all_tables_and_says_which_kind(site: Site) -> None:
    ids, browser = site.users, site.browser("ada")
    found = json.loads(browser.get("/-/lookup/visit/host?q="))
    assert {(one["title"], one["kind"], one["home"]) for one in found} >= {
        ("Acme", "Company", "/companies"), ("Ulm", "Place", "/places")}
    assert [one["id"] for one in json.loads(browser.get("/-/lookup/visit/host?q=ul"))] == [ids["ulm"]]
    assert [one["title"] for one in json.loads(browser.get("/-/lookup/visit/places?q=la"))] == ["Land"]


def test_a_record_of_an_unknown_table_is_opened(site: Site) -> None:
    ids, browser = site.users, site.browser("ada")
    browser.get(f"/-/open/-/{ids['ulm']}", 303)
    assert browser.location == f"/places/{ids['ulm']}"
    browser.get("/-/open/-/99999999", 404)
    site.browser("nil").get(f"/-/open/-/{ids['ulm']}", 404)


def test_the_way_up_stands_in_the_crumbs(site: Site) -> None:
    ids = site.users
    html = site.browser("ada").get(f"/places/{ids['ulm']}")
    crumbs = html[html.index("t-crumbs"):html.index("</nav>", html.index("t-crumbs"))]
    assert crumbs.index("Places") < crumbs.index(f'href="/places/{ids["land"]}"') < crumbs.index("Land")


def test_names_of_tables_and_fields_are_chosen_by_title(site: Site) -> None:
    browser = site.browser("ada")
    tables = json.loads(browser.get("/-/names/visit/about?q=comp"))
    assert {"id": "company", "title": "Company", "kind": "company"} in tables
    fields = json.loads(browser.get("/-/names/visit/column?q=city&beside=company"))
    assert [one["id"] for one in fields] == ["city"]
    assert json.loads(browser.get("/-/names/visit/column?q=city")) == []
    one = site.create("visit", name="Y", about="company", column="city")
    html = browser.get(f"/visits/{one}")
    assert "Company" in html and "City" in html
    form = edit(browser, f"/visits/{one}")
    html = browser.post(f"/visits/{one}", {**form, "column": "nix"}, 422)
    assert "There is no nix here" in html
    site.browser("nil").get("/-/names/visit/about?q=", 404)


def test_history_shows_titles(site: Site) -> None:
    ids = site.users
    one = site.create("visit", name="Z", host=ids["acme"])
    site.update("visit", one, host=ids["ulm"], subject=ids["land"])
    html = site.browser("ada").get(f"/visits/{one}/history")
    assert all(title in html for title in ("Acme", "Ulm", "Land"))
