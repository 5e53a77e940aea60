"""Locked records as people and programs meet them: the sign, the reason, unlocking, what a refused save shows."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from decimal import Decimal

import pytest
from sqlalchemy import text

from core.settings import Settings
from core.web.accounts import digest
from tests.core.web.site import Browser, Site, sample_site
from tests.unchanged import unchanged

MORE = {
    "tables/deal_lock.yaml": "change: table deal\nlock: {if: stage == 'won', except: [probability], message: \"{name} is "
                             "won.\"}\n",
    "roles/manager_unlocks.yaml": "change: role manager\ngrants: {deal: {unlock: true}}\n",
}


NUMBERS = itertools.count(1)


@pytest.fixture(scope="module")
def site(database: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with sample_site(database, tmp_path_factory.mktemp("locks"), MORE) as found:
        with found.owner.begin() as connection:
            for login in ("ada", "sam", "max"):
                connection.execute(text("insert into sys.token (hash, account_id, name) select :hash, id, 'test' "
                                        "from sys.account where login = :login"),
                                   {"hash": digest(f"token-{login}"), "login": login})
        yield found


@pytest.fixture
def deal(site: Site) -> int:
    company = site.create("company", name=f"Acme {next(NUMBERS)}", owner=site.users["sam"])
    return site.create("deal", name="Big one", stage="won", amount=Decimal(10), company=company, owner=site.users["sam"])


def ask(site: Site, login: str, method: str, path: str, body: object = None):
    client = site.browser().client
    return client.open(f"/api/v1/{path}", method=method, json=body, headers={"Authorization": f"Bearer token-{login}"})


def open_(site: Site, login: str, deal: int, query: str = "") -> Browser:
    browser = site.browser(login)
    browser.get(f"/deals/{deal}{query}")
    return browser


def test_a_form_shows_the_lock_with_its_reason(site: Site, deal: int) -> None:
    sam = open_(site, "sam", deal)
    assert "Locked" in sam.words and "This record is locked: Big one is won." in sam.words
    assert f'action="/deals/{deal}/unlock"' not in sam.text and f'action="/deals/{deal}/delete"' not in sam.text
    sam.get(f"/deals/{deal}?edit=1")                    # only what is excepted can be typed into
    assert 'name="probability"' in sam.text and 'name="name"' not in sam.text


def test_whoever_has_the_right_unlocks_it_with_a_reason(site: Site, deal: int) -> None:
    max_ = open_(site, "max", deal)
    form = max_.form(f"/deals/{deal}/unlock")
    max_.post(f"/deals/{deal}/unlock", {**form, "reason": " "}, 422)
    assert "Say why it has to be changed." in max_.words
    max_.post(f"/deals/{deal}/unlock", {**form, "reason": "A typing <error>"})
    max_.get(f"/deals/{deal}")
    assert "You have unlocked this record" in max_.words and "A typing &lt;error&gt;" in max_.text
    sam = open_(site, "sam", deal)
    assert "This record is locked" in sam.words          # for others it is as before
    max_.get(f"/deals/{deal}?edit=1")
    max_.post(f"/deals/{deal}", {**max_.form(f"/deals/{deal}"), "name": "Bigger one"})
    max_.get(f"/deals/{deal}")
    assert "This record is locked: Bigger one is won." in max_.words
    max_.get(f"/deals/{deal}/history")
    assert "unlocked this" in max_.words and "A typing <error>" in max_.words


def test_locking_again(site: Site, deal: int) -> None:
    max_ = open_(site, "max", deal)
    max_.post(f"/deals/{deal}/unlock", {**max_.form(f"/deals/{deal}/unlock"), "reason": "x"})
    max_.get(f"/deals/{deal}")
    max_.post(f"/deals/{deal}/lock", max_.form(f"/deals/{deal}/lock"))
    max_.get(f"/deals/{deal}")
    assert "This record is locked" in max_.words
    max_.get(f"/deals/{deal}/history")
    assert "locked this again" in max_.words


def test_without_the_right_nobody_unlocks(site: Site, deal: int) -> None:
    sam = open_(site, "sam", deal, "?edit=1")
    token = sam.form(f"/deals/{deal}")["_csrf"]
    sam.post(f"/deals/{deal}/unlock", {"_csrf": token, "reason": "please"}, 403)
    sam.post(f"/deals/{deal}/delete", {"_csrf": token, "_version": "1"}, 409)


def test_row_44_a_form_opened_before_it_was_locked_keeps_what_was_typed(site: Site, deal: int) -> None:
    draft = site.create("deal", name="Draft", owner=site.users["sam"])
    sam = open_(site, "sam", draft, "?edit=1")
    form = sam.form(f"/deals/{draft}")
    site.update("deal", draft, stage="won", amount=Decimal(5), company=site.read("deal", deal)["company"])
    version = str(site.read("deal", draft)["_version"])
    sam.post(f"/deals/{draft}", {**form, "_version": version, "name": "Typed"}, 409)
    assert "This record is locked: Draft is won." in sam.words and 'value="Typed"' in sam.text


def test_the_api_says_locked_and_unlocks(site: Site, deal: int) -> None:
    with unchanged(site.owner):
        answer = ask(site, "max", "PATCH", f"deal/{deal}", {"_version": 1, "name": "x"})
        assert (answer.status_code, answer.json["title"]) == (409, "This record is locked")
        assert [error["code"] for error in answer.json["errors"]] == ["locked"]
        assert ask(site, "max", "DELETE", f"deal/{deal}").status_code in (403, 409)
        assert ask(site, "sam", "POST", f"deal/{deal}/unlock", {"reason": "x"}).status_code == 403
        for body, status in (({}, 422), ({"reason": ""}, 422), ({"reason": 1}, 400), ({"reason": "x", "y": 1}, 400),
                             ([], 400), ("x", 400)):
            assert ask(site, "max", "POST", f"deal/{deal}/unlock", body).status_code == status, body
        assert ask(site, "max", "POST", "deal/999999/unlock", {"reason": "x"}).status_code == 404
        assert ask(site, "max", "POST", "nothing/1/unlock", {"reason": "x"}).status_code == 404
    opened = ask(site, "max", "POST", f"deal/{deal}/unlock", {"reason": "A new name"})
    assert opened.status_code == 200 and opened.json["id"] == deal and opened.json["until"] > "2026"
    assert ask(site, "max", "PATCH", f"deal/{deal}", {"_version": 1, "name": "New name"}).status_code == 200
    assert ask(site, "max", "PATCH", f"deal/{deal}", {"_version": 2, "name": "Newer"}).status_code == 409
    assert ask(site, "max", "POST", f"deal/{deal}/unlock", {"reason": "x"}).status_code == 200
    assert ask(site, "max", "POST", f"deal/{deal}/lock").status_code == 204
    assert ask(site, "max", "PATCH", f"deal/{deal}", {"_version": 2, "name": "Newer"}).status_code == 409


def test_unlocking_needs_no_scripts(site: Site, deal: int) -> None:
    max_ = site.browser("max")
    max_.get(f"/deals/{deal}")
    assert 'href="#unlock"' in max_.text and '<dialog id="unlock"' in max_.text      # shown as the link's target
