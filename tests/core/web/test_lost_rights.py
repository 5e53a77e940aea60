"""A promotion that a page began waits for a process; who began it has to be allowed to still when that process comes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import text

from core.bm import parked, parked_purge, service
from core.bm.changes import purging
from core.bm.engine import journal
from core.ed.accounts import create_user
from core.settings import Settings
from tests.core.web.promoting import begun, state_of, work_off, work_process
from tests.core.web.site import HASH, Site, sample_site
from tests.databases import fresh_database

REGION = "change: table company\nfields:\n  region: {type: text, title: Sales region}\n"
ROLES = {f"roles/{name}.yaml": f"role: {name}\nmay: [plan, {name}]\n" for name in ("promote", "roll_back", "purge")}


@pytest.fixture
def site(server: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Somebody for each of the three duties; a second version is live, without a field that has a value."""
    with fresh_database(server, tmp_path_factory) as database, \
            sample_site(database, tmp_path_factory.mktemp("lost"), {**ROLES, "tables/company.yaml": REGION}) as found:
        with found.records() as records:
            for role in ("promote", "roll_back", "purge"):
                found.users[role] = create_user(records.session, role, role.title(), [role], HASH)
        found.create("company", name="North", owner=found.users["ada"], region="N")
        (found.settings.metadata / "tables" / "company.yaml").unlink()
        service.promote_folder(found.settings, found.owner, plugins=found.plugins)
        yield found


def role_goes(site: Site, login: str) -> None:
    with site.records() as records:
        held = records.page("role_assignment", ["id", "role"], f'role == "{login}"').records
        records.delete("role_assignment", [one["id"] for one in held])


def account_ends(site: Site, login: str) -> None:
    with site.owner.begin() as connection:
        connection.execute(text("update sys.account set active = false where login = :login"), {"login": login})


def account_goes(site: Site, login: str) -> None:
    with site.owner.begin() as connection:
        connection.execute(text("delete from sys.account where login = :login"), {"login": login})


def error(site: Site, number: int) -> str:
    with site.owner.connect() as connection:
        return str(journal.progress(connection, number).error)


LOST = [(role_goes, r"none of the roles of (\w+) gives the right to it any more \(may: (\w+)\)"),
        (account_ends, r"(\w+) has no account any more that could ask for it"),
        (account_goes, r"(\w+) has no account any more that could ask for it")]


@pytest.mark.parametrize(("lose", "said"), LOST)
@pytest.mark.parametrize("duty", ["promote", "roll_back"])
def test_who_lost_the_right_meanwhile_changes_nothing(
        site: Site, duty: str, lose: Callable[[Site, str], None], said: str) -> None:
    browser, ada = site.browser(duty), site.browser("ada")
    (site.settings.metadata / "tables" / "company.yaml").write_text(REGION.replace("region", "area"))
    page, action = ("/admin/plan", "/admin/promote") if duty == "promote" else ("/admin/rollback/1", "/admin/rollback/1")
    with work_process(site):
        browser.get(page)
        form = browser.form(action)
        number = begun(browser, action, {**form, "consent": form["plan"][:6]})
        lose(site, duty)
        work_off(site)
    found = re.fullmatch(said, error(site, number))
    assert state_of(site, number) == "abandoned" and found is not None and set(found.groups()) == {duty}
    with site.owner.connect() as connection:
        assert connection.scalar(text("select version from bm.live")) == 2
    ada.get(f"/admin/promotions/{number}")
    assert found[0] in ada.words and "Live is as it was." in ada.words


def test_who_has_it_still_is_served(site: Site) -> None:
    browser = site.browser("roll_back")
    with work_process(site):
        browser.get("/admin/rollback/1")
        form = browser.form("/admin/rollback/1")
        number = begun(browser, "/admin/rollback/1", {**form, "consent": form["plan"][:6]})
        work_off(site)
    assert state_of(site, number) == "done"


def purge_killed(site: Site, monkeypatch: pytest.MonkeyPatch, at: str) -> int:
    """A purge that somebody began whose process was killed at a place."""
    def die(*rest: object, **more: object) -> None:
        raise KeyboardInterrupt
    with site.owner.connect() as connection:
        account = connection.scalar(text("select id from sys.account where login = 'purge'"))
        planned, state = parked_purge.plan(
            connection, site.plugins, parked.parked(connection, site.settings), True)
    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        if at == "between":
            patched.setattr(purging, "_forget", die)
        parked_purge.apply(site.owner, site.plugins, planned, state, "purge", account,
                           say=die if at == "before" else lambda step: None)
    with site.owner.connect() as connection:
        return int(connection.scalar(text("select max(id) from bm.promotion")) or 0)


def test_a_purge_that_was_not_begun_is_not_begun_any_more(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    number = purge_killed(site, monkeypatch, "before")
    role_goes(site, "purge")
    work_off(site)
    assert state_of(site, number) == "abandoned" and error(site, number).endswith("(may: purge)")
    with site.owner.connect() as connection:
        assert [one.name for one in parked.parked(connection, site.settings)] == ["company.region"]


def test_a_purge_that_was_begun_is_ended(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    number = purge_killed(site, monkeypatch, "between")
    role_goes(site, "purge")
    work_off(site)
    assert state_of(site, number) == "done"
