"""Search over everything, look-ups of link fields, and files: each within the user's rights."""

from __future__ import annotations

import io

from tests.core.web.site import Site


def test_search_finds_by_type_what_may_be_read(site: Site) -> None:
    company = site.create("company", name="Findable Ltd", owner=site.users["sam"])
    site.create("deal", name="Findable deal of Sue", owner=site.users["sue"])
    ada, sam = site.browser("ada"), site.browser("sam")
    html = ada.get("/search?q=findable")
    assert f'href="/companies/{company}"' in html and "deal of Sue" in html
    html = sam.get("/search?q=findable")
    assert " Ltd" in html and "deal of Sue" not in html
    sam.get("/search?q=no+such+words")
    assert "Nothing that you may see holds" in sam.words
    for words in ("'", '"', "%", "\\", "a" * 300, "()&|!:*", "北京"):
        sam.get("/search?q=" + words.replace("%", "%25").replace("&", "%26"))
    sam.get("/search?q=%00", 400)


def test_search_marks_what_was_looked_for_and_leads_to_all_of_a_table(site: Site) -> None:
    for number in range(10):
        site.create("company", name=f"Quaggaland {number}", owner=site.users["sam"])
    browser = site.browser("ada")
    html = browser.get("/search?q=quagga")
    assert html.count("<mark>Quagga</mark>") == 8 and 'href="/companies?q=quagga&amp;f="' in html
    assert '<span class="t-hits-count">10</span>' in html
    assert browser.get("/companies?q=quagga&f=").count("<mark>") == 0 and "10 records" in browser.words
    html = browser.get("/search?q=quagga", **{"HX-Request": "true"})
    assert html.count("<mark>") == 4 and "10 results" in html


def test_the_box_in_the_header_gets_a_part_of_a_page(site: Site) -> None:
    html = site.browser("ada").get("/search?q=findable", **{"HX-Request": "true"})
    assert "<html" not in html and "Findable" in html


def test_a_link_field_offers_what_it_may_lead_to(site: Site) -> None:
    site.create("company", name="Offered", owner=site.users["sam"])
    site.create("company", name="Offered no more", archived=True, owner=site.users["sam"])
    browser = site.browser("sam")
    browser.get("/-/lookup/work/company?q=offer")
    assert browser.page is not None and [one["title"] for one in browser.page.json] == ["Offered"]
    browser.get("/-/lookup/specimen/a_link?q=offer", 404)


def test_a_record_is_opened_by_table_and_number(site: Site) -> None:
    deal = site.create("deal", name="Behind a base", owner=site.users["sam"])
    browser = site.browser("ada")
    browser.get(f"/-/open/work/{deal}", 303)
    assert browser.location == f"/deals/{deal}"
    browser.get("/-/open/no_table/1", 404)


def test_files_come_as_attachments_under_the_rights_of_their_record(site: Site) -> None:
    browser = site.browser("max")
    browser.get("/specimens/new")
    form = {**browser.form("/specimens/new"), "a_text": "With a file"}
    evil = b"<html><script>alert(1)</script>"
    browser.post("/specimens/new", {**form, "a_file": (io.BytesIO(evil), '../../a"b\r\nX: y.html')})
    record = browser.location.rpartition("/")[2]
    assert browser.client.get(f"/-/file/specimen/{record}/a_file").get_data() == evil
    answer = browser.client.get(f"/-/file/specimen/{record}/a_file")
    assert (
        answer.headers["Content-Disposition"].startswith("attachment;")
        and "\n" not in answer.headers["Content-Disposition"]
    )
    assert answer.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Type"] == "application/octet-stream"
    site.browser("sam").get(f"/-/file/specimen/{record}/a_file", 404)
    browser.get(f"/-/file/specimen/{record}/a_text", 404)


def test_a_file_that_is_empty_or_too_large_is_told_beside_its_field(site: Site) -> None:
    browser = site.browser("max")
    browser.get("/specimens/new")
    form = {**browser.form("/specimens/new"), "a_text": "x"}
    browser.post("/specimens/new", {**form, "a_file": (io.BytesIO(b""), "empty.txt")}, 422)
    assert browser.problem("a_file") == "This file is empty."
    browser.post("/specimens/new", {**form, "a_file": (io.BytesIO(b"x" * 20_000_001), "large.bin")}, 422)
    assert "This file is larger than" in browser.problem("a_file")
