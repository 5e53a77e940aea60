"""Where values stand is told apart from what they are of: identities stay, storage ids change with what is stored."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.bm.versions import live
from core.bm.versions.state import Parked, State
from core.ed.schema import name_all
from tests.core.bm.changes.test_retype import retype
from tests.core.bm.conftest import Live
from tests.core.bm.sites import Site


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site.make(tmp_path / "site")


@pytest.fixture
def base(site: Site) -> State:
    return site.state(first_new=1)


def company(site: Site, before: str, after: str) -> None:
    text = (site.folder / "addons/shop/company.yaml").read_text()
    assert before in text
    site.addon("company.yaml", text.replace(before, after))


def test_values_stand_under_the_identity_until_something_else_is_said(base: State) -> None:
    assert not base.storages
    assert base.storage("company.size") == base.identities["company.size"]
    assert base.paths == base.names


@pytest.mark.parametrize(("before", "after"), [
    ("size: {type: integer}", "size: {type: text}"),
    ("name: {type: text, max: 100}", "name: {type: memo}"),
    ("of: company_kind", "of: company_kind, many: true"),
])
def test_another_type_keeps_the_identity_and_gets_other_columns(
        site: Site, base: State, before: str, after: str) -> None:
    company(site, before, after)
    target = site.state(base)
    assert target.identities == base.identities
    [(path, storage)] = target.storages.items()
    assert storage not in base.identities.values()
    names = name_all(target.model, target.identities, {}, target.storages)
    assert (storage, "") in names and (base.identities[path], "") not in names
    assert site.state(target).storages == target.storages           # nothing else changed since


@pytest.mark.parametrize(("before", "after"), [
    ("max: 100", "max: 90"), ("size: {type: integer}", "size: {type: integer, min: 1}"),
    ("size: {type: integer}", "staff: {type: integer, was: size}"),
])
def test_what_keeps_its_meaning_keeps_its_columns(site: Site, base: State, before: str, after: str) -> None:
    company(site, before, after)
    assert not site.state(base).storages


def test_values_that_are_called_otherwise_need_other_columns_and_new_ones_do_not(site: Site, base: State) -> None:
    site.addon("kinds.yaml", "choices: company_kind\nvalues: {customer: {}, partner: {}, other: {}}\n")
    assert not site.state(base).storages
    site.addon("kinds.yaml", "choices: company_kind\nvalues: {client: {was: customer}, partner: {}}\n")
    assert set(site.state(base).storages) == {"company.kind"}


def test_what_was_parked_returns_with_the_columns_it_had_last(site: Site, base: State) -> None:
    company(site, "size: {type: integer}", "size: {type: text}")
    retyped = site.state(base)
    text = (site.folder / "addons/shop/company.yaml").read_text()
    site.addon("company.yaml", text.replace("  size: {type: text}\n", ""))
    without = site.state(retyped)
    site.addon("company.yaml", text)
    identity = retyped.identities["company.size"]
    again = site.state(without, [Parked("company.size", identity, "text", storage=retyped.storages["company.size"])])
    assert (again.identities["company.size"], again.storages) == (identity, retyped.storages)


def test_a_version_remembers_where_its_values_stand_and_a_member_where_its_last_stood(system: Live) -> None:
    retype(system, "size: {type: integer}", "size: {type: text}")
    system.promote()
    with system.engine.connect() as connection:
        first, second = (live.storages(connection, version) for version in (1, 2))
        assert not first and set(second) == {"company.size"}
        assert live.system(connection, 2, system.plugins).storage("company.size") == second["company.size"]
    member = "select storage from bm.member where path = 'company.size'"
    assert system.sql(member) == [(second["company.size"],)]
    system.rollback()
    assert system.sql(member) == [(None,)]
    assert system.sql(f"select state from sys.physical where id = {second['company.size']} and part = ''") == [
        ("parked",)]


def test_a_field_of_another_type_is_removed_and_returns_with_its_values(system: Live) -> None:
    record = system.create("company", name="Acme", size=3)
    retype(system, "size: {type: integer}", "size: {type: text}")
    system.promote()
    retype(system, "  size: {type: text}\n", "")
    system.promote()
    retype(system, "  kind:", "  size: {type: text}\n  kind:")
    system.promote()
    assert system.read("company", record)["size"] == "3"
