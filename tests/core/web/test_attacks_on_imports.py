"""Importing on pages: what somebody sends to harm the worker or to see what is not theirs."""

from __future__ import annotations

from tests.core.web.site import Site
from tests.core.web.test_importing import send, work


def test_the_longest_name_of_a_file_has_an_error_file(site: Site) -> None:
    browser = site.browser("ada")
    send(browser, b"name;town\n;Ulm\n", name="\u62a5" * 190 + ".csv", path="/companies/import")
    place = browser.location
    browser.get(place)
    browser.post(place, {**browser.form(place), "c0": "name", "c1": "city"}, 303)
    work(site)
    browser.get(place)
    assert "1" in browser.words and f"{place}/errors" in browser.text
    browser.get(f"{place}/errors")
    assert "Ulm" in browser.text
    site.browser("sam").get(f"{place}/errors", 404)
