"""Forms of people who may change some of a record: what they may not is shown, and not sent."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from core.settings import Settings
from tests.core.web.site import Site, sample_site

CLOSED = {"roles/salesperson.yaml": "change: role salesperson\ngrants: {deal.lines: {read: true, change: false}}\n"}


@pytest.fixture(scope="module")
def closed(server: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    from tests.databases import fresh_database
    with fresh_database(server, tmp_path_factory) as database, \
            sample_site(database, tmp_path_factory.mktemp("closed"), CLOSED) as made:
        yield made


def test_lines_that_may_not_be_changed_are_shown_and_the_rest_is_saved(closed: Site) -> None:
    company = closed.create("company", name="Closed Ltd", owner=closed.users["sam"])
    deal = closed.create("deal", name="First", company=company, owner=closed.users["sam"],
                         lines=[{"product": "Crane", "quantity": 3}])
    [line] = closed.read("deal", deal)["lines"]
    browser = closed.browser("sam")
    browser.get(f"/deals/{deal}?edit=1")
    form = browser.form(f"/deals/{deal}")
    assert not [name for name in form if name.startswith("lines.")]
    browser.post(f"/deals/{deal}", {**form, "name": "Second"}, 303)
    assert closed.read("deal", deal)["name"] == "Second"
    browser.get(f"/deals/{deal}?edit=1")
    sent = {"lines.0.id": str(line["id"]), "lines.0.product": "Crane", "lines.0.quantity": "9", "lines.0.price": "0"}
    browser.post(f"/deals/{deal}", {**browser.form(f"/deals/{deal}"), **sent}, 303)        # as if it was not sent
    assert closed.read("deal", deal)["lines"][0]["quantity"] == 3
