"""Addresses of our own pages stand under /offline/, in whatever form they leave; everything else stays as it is."""

from __future__ import annotations

import json

import pytest
from werkzeug.wrappers import Response

from core.web.offline_prefix import data, html, located, put_under


@pytest.mark.parametrize(("written", "expected"), [
    ('<a href="/">', '<a href="/offline/">'),
    ('<a class="x" href="/companies/7#history">', '<a class="x" href="/offline/companies/7#history">'),
    ('<form action="/-/be" method="post">', '<form action="/offline/-/be" method="post">'),
    ('<input hx-get="/search" name="q">', '<input hx-get="/offline/search" name="q">'),
    ('<use href="/static/x/icons.svg#a"/>', '<use href="/offline/static/x/icons.svg#a"/>'),
    ('<tr data-href="/companies/7">', '<tr data-href="/offline/companies/7">'),
    ('<a href="//elsewhere/x">', '<a href="//elsewhere/x">'),
    ('<a href="https://elsewhere/x">', '<a href="https://elsewhere/x">'),
    ('<a href="?page=2">', '<a href="?page=2">'),
    ('<input name="next" value="/companies">', '<input name="next" value="/companies">'),
    ("<p>href=&#34;/x&#34; and href=/x</p>", "<p>href=&#34;/x&#34; and href=/x</p>"),
])
def test_attributes_with_addresses(written: str, expected: str) -> None:
    assert html(written) == expected


@pytest.mark.parametrize(("written", "expected"), [
    ("/", "/offline/"),
    ("/companies?view=3#x", "/offline/companies?view=3#x"),
    ("http://crm.example/companies/", "/offline/companies/"),
    ("https://elsewhere.example/x", "https://elsewhere.example/x"),
    ("?page=2", "?page=2"),
])
def test_redirects(written: str, expected: str) -> None:
    assert located(written, "crm.example") == expected


def test_what_scripts_read_has_addresses_and_html() -> None:
    asked = [{"id": 7, "title": "/not an address", "home": "/companies"}]
    assert data(asked) == [{"id": 7, "title": "/not an address", "home": "/offline/companies"}]
    assert data({"partner": {"value": '<a href="/companies/7">x</a>', "show": True}}) == {
        "partner": {"value": '<a href="/offline/companies/7">x</a>', "show": True}}


def test_records_of_the_api_and_files_stay_as_they_are() -> None:
    record = json.dumps({"url": "/x", "home": "/y"})
    answer = Response(record, content_type="application/json", headers={"Location": "/api/v1/company/7"})
    put_under(answer, "/api/v1/company", "crm.example")
    assert answer.get_data(as_text=True) == record
    assert answer.headers["Location"] == "/offline/api/v1/company/7"
    file = Response('<a href="/x">', content_type="text/html", headers={"Content-Disposition": "attachment"})
    put_under(file, "/-/file/company/7/file", "crm.example")
    assert file.get_data(as_text=True) == '<a href="/x">'
    described = Response(json.dumps({"servers": [{"url": "/api/v1"}], "url": "/x"}), content_type="application/json")
    put_under(described, "/api/v1/openapi.json", "crm.example")
    assert described.json == {"servers": [{"url": "/offline/api/v1"}], "url": "/x"}
