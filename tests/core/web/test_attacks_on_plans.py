"""Attacks on the pages of promotion: what plans show, and what answers reach, beyond the rights of who looks."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

import pytest

from core.bm import service
from core.bm.inputs import facts
from core.ed.accounts import create_user
from core.settings import Settings
from tests.core.web.site import HASH, Site, sample_site
from tests.core.web.test_admin_plan import CODE, write
from tests.databases import fresh_database

ROLES = {"roles/reader.yaml": "role: reader\nmay: [plan]\n",
         "roles/seller.yaml": "role: seller\nincludes: [salesperson]\nmay: [plan, promote]\n"}
NUMBER = "change: table deal\nfields:\n  badge: {type: text, max: 12, required: true}\n"
KEY = "fill deal.badge"
SECRET = "the canary sings"                          # longer than a badge may be: such values are told


@pytest.fixture
def site(server: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with fresh_database(server, tmp_path_factory) as database, \
            sample_site(database, tmp_path_factory.mktemp("attacks"), ROLES) as found:
        with found.records() as records:
            for role in ("reader", "seller"):
                found.users[role] = create_user(records.session, role, role.title(), [role], HASH)
        found.create("deal", name="Nightingale", secret=SECRET, owner=found.users["ada"])
        yield found


def test_past_case_1_a_plan_names_no_record_that_its_reader_may_not_read(site: Site) -> None:
    write(site, "tables/company.yaml", CODE)
    site.create("company", name="Acme", owner=site.users["ada"])
    write(site, "tables/deal.yaml", NUMBER)
    ada, reader, seller = (site.browser(login) for login in ("ada", "reader", "seller"))
    ada.get("/admin/plan")
    assert "Nightingale" in ada.words and "Acme" in ada.words
    reader.get("/admin/plan")
    assert "1 record" in reader.words and "Nightingale" not in reader.words and "Acme" not in reader.words
    seller.get("/admin/plan")
    assert "Nightingale" not in seller.words and "Acme" in seller.words     # its owner's alone; everybody's


def test_of_a_shared_value_nobody_sees_more_than_they_may_read(site: Site) -> None:
    for name, owner in (("Robin", "ada"), ("Wren", "seller")):
        site.create("deal", name=name, secret=SECRET, owner=site.users[owner])
    write(site, "tables/deal.yaml", "change: table deal\nunique:\n  once: {fields: [secret]}\n")
    ada, reader, seller = (site.browser(login) for login in ("ada", "reader", "seller"))
    for browser, value, names in ((ada, True, {"Nightingale", "Robin", "Wren"}), (reader, False, set()),
                                  (seller, False, {"Wren"})):
        browser.get("/admin/plan")
        assert "records share a value" in browser.words, browser.words
        assert (SECRET in browser.words) == value
        assert {one for one in ("Nightingale", "Robin", "Wren") if one in browser.words} == names


@pytest.mark.parametrize("answer", ["=secret", "='x' + secret", "=name + name", "=owner.name + owner.name + owner.name"])
def test_past_case_1_an_answer_reads_nothing_that_its_writer_may_not(site: Site, answer: str) -> None:
    write(site, "tables/deal.yaml", NUMBER)
    reader, seller = site.browser("reader"), site.browser("seller")
    for browser in (reader, seller):
        browser.get(f"/admin/plan?t.{KEY}={quote(answer)}", 422)
        assert "canary" not in browser.words and "Nightingale" not in browser.words and "Ada" not in browser.words


def test_an_answer_that_reads_what_its_writer_may_read_is_taken(site: Site) -> None:
    write(site, "tables/deal.yaml", NUMBER)
    ada, seller = site.browser("ada"), site.browser("seller")
    said = "='K-' + text(1)"
    seller.get(f"/admin/plan?t.{KEY}={quote(said)}")
    assert seller.form("/admin/promote")[f"a.{KEY}"] == said
    ada.get(f"/admin/plan?t.{KEY}==secret")
    assert SECRET in ada.words                          # who may read it sees what is too long
    ada.get(f"/admin/plan?t.{KEY}==result")
    assert ada.form("/admin/promote")[f"a.{KEY}"] == "=result"


def test_an_answer_that_takes_long_is_refused_before_anything_is_done(
        site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    write(site, "tables/company.yaml", CODE)
    with site.records() as records:
        records.create("company", [{"name": f"Company {one}", "owner": site.users["ada"]} for one in range(1_000)])
    monkeypatch.setattr(facts, "SECONDS", 0.05)
    ada = site.browser("ada")
    ada.get("/admin/plan?t.fill company.code==text(count(all.company[name < outer.name]))")
    assert "make the expression simpler" in ada.words, ada.words


def test_past_case_20_a_plan_tells_who_has_a_role_that_comes_back(site: Site) -> None:
    ada = site.browser("ada")
    write(site, "roles/reader.yaml", "role: guest\n")
    service.promote_folder(site.settings, site.owner, plugins=site.plugins)
    write(site, "roles/reader.yaml", "role: reader\nall: true\n")
    ada.get("/admin/plan")
    assert "rights are widened: role reader is given already, by 1 record" in ada.words, ada.words
    ada.post("/admin/promote", {**ada.form("/admin/promote"), "consent": "yes"}, 422)
