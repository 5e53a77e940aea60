"""What happened to a record, on its pages: time line, versions, remarks, attachments, each as far as one may see."""

from __future__ import annotations

import io
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from core.settings import Settings
from tests.core.web.site import Site, sample_site

KEEPS = {"tables/deal.yaml": "change: table deal\nkeeps: [history, timeline, attachments]\n",
         "tables/deal_line.yaml": "change: table deal_line\nkeeps: [history]\n"}


@pytest.fixture(scope="module")
def site(database: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with sample_site(database, tmp_path_factory.mktemp("web"), KEEPS) as found:
        yield found


def deal(site: Site, **values: Any) -> int:
    return site.create("deal", **{"name": "Big deal", "owner": site.users["sam"], "amount": Decimal(5000), **values})


def test_the_time_line_has_the_lines_changes_with_their_record(site: Site) -> None:
    id_ = deal(site, lines=[{"product": "Pen", "price": Decimal(10)}])
    [line] = site.read("deal", id_)["lines"]
    site.update("deal", id_, name="Bigger", lines=[{"id": line["id"], "price": Decimal(12)}, {"product": "Ink"}])
    browser = site.browser("sam")
    browser.get(f"/deals/{id_}/history")
    assert "Name : Big deal → became Bigger" in browser.words
    assert f"#{line['id']} changed Price : 10.00 → became 12.00" in browser.words and "added Product : Ink" in browser.words
    assert len(browser.statements) <= 13                     # the last for the title, when it is a page by itself


def test_the_time_line_comes_in_pages(site: Site) -> None:
    id_ = deal(site)
    for number in range(60):
        site.update("deal", id_, note=f"note {number}")
    browser = site.browser("sam")
    browser.get(f"/deals/{id_}/history")
    assert "became note 59" in browser.words and "became note 9" not in browser.words.replace("note 59", "")
    older = browser.text.split('/history?before=')[1].split('"')[0]
    browser.get(f"/deals/{id_}/history?before={older}")
    assert "became note 0" in browser.words and "created this" in browser.words and "Show older" not in browser.words
    browser.get(f"/deals/{id_}/history?before=x")
    browser.get(f"/deals/{id_}/history?after=1", 400)


def test_a_record_is_seen_as_it_was_and_a_value_is_set_back(site: Site) -> None:
    id_ = deal(site, note="first")
    site.update("deal", id_, note="second", amount=Decimal(6000))
    site.update("deal", id_, note="third")
    browser = site.browser("sam")
    browser.get(f"/deals/{id_}/version?at=1")
    assert "first third Set back" in browser.words and "5,000.00 6,000.00 Set back" in browser.words
    browser.get(f"/deals/{id_}/version?at=1&with=2")
    assert "first second" in browser.words and "Set back" not in browser.words
    browser.get(f"/deals/{id_}/version?at=9", 404)
    browser.get(f"/deals/{id_}/version?at=1")
    form = {"_csrf": browser.form("/logout")["_csrf"], "at": "1", "field": "note", "_version": "3"}
    browser.post(f"/deals/{id_}/version", form)
    found = site.read("deal", id_)
    assert (found["note"], found["amount"], found["_version"]) == ("first", Decimal("6000.00"), 4)
    browser.post(f"/deals/{id_}/version", form, 409)                    # the page is of before
    assert "Someone else has changed this record meanwhile." in browser.words


def test_a_version_has_the_lines_of_its_time(site: Site) -> None:
    id_ = deal(site, lines=[{"product": "Pen", "price": Decimal(10)}, {"product": "Gone", "price": Decimal(1)}])
    pen, gone = site.read("deal", id_)["lines"]
    site.update("deal", id_, lines=[{"id": pen["id"], "price": Decimal(12)}, {"id": gone["id"], "_delete": True},
                                    {"product": "Ink", "price": Decimal(3)}])
    browser = site.browser("sam")
    browser.get(f"/deals/{id_}/version?at=1")
    assert "Pen 1 10.00 Gone 1 1.00" in browser.words and "Ink" not in browser.words
    browser.get(f"/deals/{id_}/version?at=2")
    assert "Pen 1 12.00 Ink 1 3.00" in browser.words and "Gone" not in browser.words


def test_versions_show_no_hidden_field_and_set_none_back(site: Site) -> None:
    id_ = deal(site, secret="old canary")
    site.update("deal", id_, secret="new canary", note="x")
    browser = site.browser("sam")
    for page in ("version?at=1", "history"):
        browser.get(f"/deals/{id_}/{page}")
        assert "canary" not in browser.text and "secret" not in browser.text.lower()
    browser.get(f"/deals/{id_}/version?at=1")
    form = {"_csrf": browser.form("/logout")["_csrf"], "at": "1", "field": "secret", "_version": "2"}
    browser.post(f"/deals/{id_}/version", form, 400)
    site.browser("ada").get(f"/deals/{id_}/version?at=1")
    site.browser("nil").get(f"/deals/{id_}/version?at=1", 404)


def test_remarks_stand_in_the_time_line_and_are_taken_back_by_who_made_them(site: Site) -> None:
    id_ = deal(site)
    sam, max_ = site.browser("sam"), site.browser("max")
    sam.get(f"/deals/{id_}/history")
    form = sam.form(f"/deals/{id_}/remark")
    sam.post(f"/deals/{id_}/remark", {**form, "remark": "<b>Called</b> twice\nno answer"})
    sam.get(f"/deals/{id_}/history")
    assert "Sam Seller wrote" in sam.words and "&lt;b&gt;Called&lt;/b&gt; twice\nno answer" in sam.text
    max_.get(f"/deals/{id_}/history")
    assert "Called" in max_.text and "Take back" not in max_.words
    removal = f"/deals/{id_}/remark/" + sam.text.split(f"/deals/{id_}/remark/")[1].split('"')[0]
    max_.post(removal, {"_csrf": max_.form(f"/deals/{id_}/remark")["_csrf"]}, 403)
    sam.post(removal, sam.form(removal))
    sam.get(f"/deals/{id_}/history")
    assert "Called" not in sam.text and "took a remark back" in sam.words
    for bad in ("", "  \n", "x" * 10_001, "a\0b"):
        sam.post(f"/deals/{id_}/remark", {**form, "remark": bad}, 422)
    nil = site.browser("nil")
    nil.get("/")
    nil.post(f"/deals/{id_}/remark", {"_csrf": nil.form("/logout")["_csrf"], "remark": "x"}, 404)


def test_past_case_17_attachments_are_as_closed_as_their_record(site: Site) -> None:
    id_ = deal(site)
    sam = site.browser("sam")
    sam.get(f"/deals/{id_}/history")
    form = sam.form(f"/deals/{id_}/attachments")
    sam.post(f"/deals/{id_}/attachments", {**form, "file": (io.BytesIO(b"<script>alert(1)</script>"), "../offer.html")})
    sam.get(f"/deals/{id_}/history")
    assert "attached offer.html" in sam.words
    address = f"/deals/{id_}/attachments/" + sam.text.split(f'href="/deals/{id_}/attachments/')[1].split('"')[0]
    sam.get(address)
    assert sam.page.headers["Content-Disposition"].startswith("attachment;")
    assert sam.page.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
    other = deal(site)
    for login, path in (("nil", address), ("ada", address.replace(str(id_), str(other), 1))):
        site.browser(login).get(path, 404)
    sam.post(f"/deals/{id_}/attachments", {**form, "file": (io.BytesIO(b""), "empty")}, 422)
    sam.post(f"/deals/{id_}/attachments", form, 400)
    sam.post(f"{address}/remove", form)
    sam.get(address, 404)
    sam.get(f"/deals/{id_}/history")
    assert "took offer.html away" in sam.words


def test_nothing_is_added_where_nothing_is_kept_or_by_who_only_reads(site: Site) -> None:
    company = site.create("company", name="Acme", owner=site.users["sam"])
    ada = site.browser("ada")
    ada.get(f"/companies/{company}")
    token = ada.form("/logout")["_csrf"]
    ada.post(f"/companies/{company}/remark", {"_csrf": token, "remark": "x"}, 403)
    ada.post(f"/companies/{company}/attachments", {"_csrf": token, "file": (io.BytesIO(b"x"), "x")}, 403)


def test_nothing_is_added_to_a_record_in_the_trash(site: Site) -> None:
    id_ = deal(site)
    sam = site.browser("sam")
    sam.get(f"/deals/{id_}/history")
    form = sam.form(f"/deals/{id_}/attachments")
    with site.records() as records:
        records.delete("deal", [id_])
    sam.get(f"/deals/{id_}/history")
    assert f"/deals/{id_}/remark" not in sam.text and f"/deals/{id_}/attachments" not in sam.text
    sam.post(f"/deals/{id_}/remark", {**form, "remark": "x"}, 404)
    sam.post(f"/deals/{id_}/attachments", {**form, "file": (io.BytesIO(b"x"), "x.txt")}, 404)


def test_history_by_itself_is_a_page_with_the_way_back(site: Site) -> None:
    made = deal(site, name="Told alone")
    browser = site.browser("sam")
    browser.get(f"/deals/{made}/history")
    assert "<h1>History</h1>" in browser.text and f'href="/deals/{made}"' in browser.text and "Told alone" in browser.words
