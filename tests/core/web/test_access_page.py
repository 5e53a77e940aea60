"""The administrator's page that says why somebody can or cannot do a thing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from core.settings import Settings
from tests.core.web.site import Site, sample_site


@pytest.fixture(scope="module")
def site(database: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with sample_site(database, tmp_path_factory.mktemp("access")) as found:
        yield found


def test_it_is_asked_and_answered(site: Site) -> None:
    deal = site.create("deal", name="Mine", owner=site.users["sam"])
    ada = site.browser("ada")
    ada.get("/admin/access")
    assert "Why can somebody do this?" in ada.words
    where = f"/admin/access?user={site.users['sue']}&action=change&table=deal&id={deal}"
    ada.get(where)
    for word in ("No, this is not allowed.", "Holds the role Salesperson", "Is not owner of this record: owner is Sam",
                 "roles/salesperson.yaml:", "What is needed"):
        assert word in ada.words, word
    ada.get(where.replace(f"user={site.users['sue']}", f"user={site.users['sam']}"))
    assert "Yes, this is allowed." in ada.words
    ada.get(where + "&field=secret")
    assert "The role Salesperson denies change on deal.secret." in ada.words


def test_a_record_leads_there(site: Site) -> None:
    deal = site.create("deal", name="Other", owner=site.users["sam"])
    for login, shown in (("ada", True), ("sam", False)):
        browser = site.browser(login)
        browser.get(f"/deals/{deal}")
        assert (f"/admin/access?table=deal&amp;id={deal}" in browser.text) is shown


@pytest.mark.parametrize("query", ["user=x&table=deal", "user=1&table=nothing", "user=0&table=deal", "table=deal",
                                   "user=1&table=deal&id=-1", "user=1&table=deal&id=99999999999999999999",
                                   "user=1&table=deal&action=fly", "user=1&table=deal&field=__class__"])
def test_what_cannot_be_asked_is_said(site: Site, query: str) -> None:
    site.browser("ada").get(f"/admin/access?{query}", 422)


def test_nobody_else_may_ask(site: Site) -> None:
    site.browser("max").get("/admin/access", 403)


def test_past_case_23_no_header_nor_parameter_changes_what_may_be_seen(site: Site) -> None:
    """What a client says of itself beside its session is nothing: the answer is the same, or a refusal."""
    deal = site.create("deal", name="Kept", owner=site.users["sam"])
    sue = site.browser("sue")
    sue.get(f"/deals/{deal}", 404)
    sue.get("/deals")
    before = sue.words
    for name in ("X-User", "X-Remote-User", "X-Forwarded-User", "X-Role", "X-Sudo", "X-Context", "X-HTTP-Method-Override",
                 "X-Original-URL", "X-Rewrite-URL", "Authorization"):
        for value in ("administrator", "ada", "1", '{"sudo": true}', "Bearer x"):
            sue.get(f"/deals/{deal}", 404, **{name: value})
    for query in ("sudo=1", "context=all", "user=1", "_all=1", "role=administrator", "trash=1&sudo=1"):
        sue.get(f"/deals/{deal}?{query}", 404)
    sue.get("/deals?sudo=1&role=administrator")
    assert sue.words == before


def test_caches_are_told(site: Site) -> None:
    ada = site.browser("ada")
    ada.get("/admin/caches")
    assert ada.page is not None and ada.page.json is not None
    found = ada.page.json["caches"]
    assert set(found) == {"statements", "principals", "gates", "decisions"}
    assert 0 < found["statements"]["entries"] <= found["statements"]["limit"]
