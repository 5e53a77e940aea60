"""What administrators do is a right of its own each: `may:` of roles, at every way in."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from core.definition.model import DUTIES
from core.ed.accounts import create_user
from core.settings import Settings
from core.web.routes import ROUTES
from tests.core.web.site import HASH, Site, sample_site
from tests.core.web.test_routes import path_of

ROLES = {
    "reader": "[plan]", "promoter": "[promote]", "returner": "[roll_back]", "purger": "[purge]",
    "customiser": "[customise]"}
MEANT = {"reader": {"plan"}, "promoter": {"plan", "promote"}, "returner": {"plan", "roll_back"},
         "purger": {"plan", "purge"}, "customiser": {"customise"}, "chief": {"plan", "promote", "roll_back"},
         "salesperson": set(), "administrator": set(DUTIES)}


@pytest.fixture(scope="module")
def site(database: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    files = {f"roles/{name}.yaml": f"role: {name}\nmay: {may}\n" for name, may in ROLES.items()}
    files["roles/chief.yaml"] = "role: chief\nincludes: [promoter, returner]\n"
    with sample_site(database, tmp_path_factory.mktemp("duties"), files) as found:
        with found.records() as records:
            for role in MEANT:
                found.users[role] = create_user(records.session, role, role.title(), [role], HASH)
        yield found


@pytest.mark.parametrize("role", MEANT)
def test_each_way_in_asks_for_its_own_right(site: Site, role: str) -> None:
    browser = site.browser(role)
    browser.get("/my-account")
    csrf = browser.form("/my-account/settings")["_csrf"]
    for route in ROUTES:
        if route.right not in DUTIES or route.right in MEANT[role]:
            continue
        if route.methods[0] == "GET":
            browser.get(path_of(route), 403)
        else:
            browser.post(path_of(route), {"_csrf": csrf}, 403)
        assert f"(may: {route.right})" in browser.words


@pytest.mark.parametrize("role", MEANT)
def test_nobody_is_refused_what_a_role_gives(site: Site, role: str) -> None:
    browser = site.browser(role)
    for route in ROUTES:
        if route.right in MEANT[role] and route.methods[0] == "GET":
            answer = browser.client.get(path_of(route))
            assert answer.status_code in (200, 303, 404, 409, 503), f"{route.rule}: {answer.status_code}"


@pytest.mark.parametrize("role", MEANT)
def test_the_menu_leads_there_only_who_may_go(site: Site, role: str) -> None:
    browser = site.browser(role)
    browser.get("/my-account")
    assert ('href="/admin"' in browser.text) is ("plan" in MEANT[role])


def test_the_page_of_rights_says_why(site: Site) -> None:
    ada = site.browser("ada")
    ada.get(f"/admin/access?user={site.users['chief']}&action=roll_back")
    for word in ("Yes, this is allowed.", "The role Chief includes the role Returner.",
                 "The role Returner gives the right to roll back.", "roles/returner.yaml:2",
                 "The role Promoter does not give the right to roll back."):
        assert word in ada.words, word
    ada.get(f"/admin/access?user={site.users['reader']}&action=purge")
    assert "No, this is not allowed." in ada.words and "A role that grants it: Administrator, Purger." in ada.words
    ada.get(f"/admin/access?user={site.users['ada']}&action=customise")
    assert "The role Administrator may do everything." in ada.words
    ada.get(f"/admin/access?user={site.users['ada']}&action=read", 422)
    assert "Say which records it is about." in ada.words


@pytest.mark.parametrize(("back", "may"), [(False, {"promoter", "chief"}), (True, {"promoter", "returner", "chief"})])
def test_a_way_back_is_paused_and_cancelled_by_those_too_who_may_go_back(site: Site, back: bool, may: set[str]) -> None:
    with site.owner.begin() as connection:
        number = connection.exec_driver_sql(
            "insert into bm.promotion (base, target, plan, plan_hash, state) select base, target, plan || %(back)s,"
            " plan_hash, 'running' from bm.promotion where id = 1 returning id",
            {"back": json.dumps({"back": back})}).scalar_one()
    try:
        for role in ("reader", "promoter", "returner", "chief", "purger"):
            browser = site.browser(role)
            browser.get(f"/admin/promotions/{number}")
            assert (f"/admin/promotions/{number}/cancel" in browser.text) is (role in may), role
            browser.get("/my-account")
            csrf = browser.form("/my-account/settings")["_csrf"]
            for wish in ("pause", "continue", "cancel"):
                browser.post(f"/admin/promotions/{number}/{wish}", {"_csrf": csrf}, 303 if role in may else 403)
            with site.owner.begin() as connection:
                connection.exec_driver_sql("delete from bm.wish where promotion_id = %(id)s", {"id": number})
    finally:
        with site.owner.begin() as connection:
            connection.exec_driver_sql("delete from bm.promotion where id = %(id)s", {"id": number})
