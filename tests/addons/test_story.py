"""The demo story: it loads, it hangs together, and its people see what their roles say."""

from __future__ import annotations

import pytest

from core.ed.records import Records
from core.errors import BadRequest, Denied, Invalid, NotFound
from tests.addons.conftest import As


def names(records: Records, table: str, where: str | None = None) -> list[str]:
    return [record["name"] for record in records.page(table, ["name"], where, order=["name"], limit=200).records]


def test_the_story_is_complete(acting: As) -> None:
    admin = acting("admin")
    counts = {table: admin.count(table)[0] for table in
              ("user", "team", "company", "contact", "affiliation", "product", "opportunity", "opportunity_line")}
    assert counts == {"user": 7, "team": 2, "company": 14, "contact": 16, "affiliation": 5, "product": 9,
                      "opportunity": 15, "opportunity_line": 15}
    assert names(admin, "company", "parent.name == '华信国际贸易有限公司'") == ["华信（深圳）供应链有限公司"]


def test_a_deal_adds_up(acting: As) -> None:
    deal = acting("admin").page("opportunity", ["name", "amount", "weighted", "line_total", "big_lines"],
                                "external_key == 'DEMO-008'").records[0]
    assert (str(deal["weighted"]), str(deal["line_total"])) == ("67600.00", "83720.00")
    assert deal["big_lines"] == 3


def test_a_salesperson_sees_own_deals_and_the_manager_those_of_all_below(acting: As) -> None:
    jonas, marta = acting("jonas"), acting("marta")
    assert len(names(jonas, "opportunity")) == 5
    assert jonas.count("opportunity", "owner.name != 'Jonas Weber'")[0] == 0
    assert len(names(marta, "opportunity")) == 15


def test_a_salesperson_cannot_find_the_margin_that_managers_plan_with(acting: As) -> None:
    jonas, marta = acting("jonas"), acting("marta")
    assert marta.count("opportunity", "target_margin > 30")[0] == 2
    with pytest.raises(BadRequest, match="target_margin"):
        jonas.count("opportunity", "target_margin > 30")
    with pytest.raises(BadRequest):
        jonas.page("opportunity", ["name"], order=["target_margin"])
    assert "target_margin" not in jonas.read("opportunity", [1], None)


def test_a_reader_reads_companies_and_changes_none(acting: As) -> None:
    noor = acting("noor")
    company = noor.page("company", ["name"], "name == 'Z Company'").records[0]
    with pytest.raises(Denied):
        noor.update("company", [{"id": company["id"], "_version": company["_version"], "city": "Paris"}])
    with pytest.raises(NotFound):
        noor.page("opportunity", ["name"])


def test_nobody_but_an_administrator_gives_roles(acting: As) -> None:
    marta = acting("marta")
    with pytest.raises((Denied, NotFound)):
        marta.create("role_assignment", [{"user": marta.session.user.user_id, "role": "administrator"}])


def test_people_change_their_own_preferences_and_nobody_elses(acting: As) -> None:
    jonas, admin = acting("jonas"), acting("admin")
    users = {user["name"]: user for user in admin.page("user", ["name"], limit=50).records}
    own, other = users["Jonas Weber"], users["Noor Haddad"]
    jonas.update("user", [{"id": own["id"], "_version": own["_version"], "theme": "dark"}])
    with pytest.raises((Denied, Invalid)):
        jonas.update("user", [{"id": other["id"], "_version": other["_version"], "theme": "dark"}])
    with pytest.raises((Denied, Invalid)):
        jonas.update("user", [{"id": own["id"], "_version": own["_version"] + 1, "manager": None}])


@pytest.mark.parametrize(("table", "values"), [
    ("company", {"name": "A", "founded": 999}),
    ("company", {"name": "A", "employees": -1}),
    ("contact", {"name": "A", "birthday": "2199-01-01"}),
    ("product", {"name": "A", "tax": "101"}),
    ("opportunity", {"name": "A", "probability": "101"}),
    ("opportunity", {"name": "A", "stage": "won"}),
    ("opportunity", {"name": "A", "engage_date": "2024-02-02", "close_date": "2024-02-01"}),
])
def test_the_rules_of_the_addons_hold(acting: As, table: str, values: dict[str, object]) -> None:
    with pytest.raises(Invalid) as caught:
        acting("admin").create(table, [values])
    assert caught.value.problems


def test_what_may_not_be_read_is_not_written_either(acting: As) -> None:
    jonas = acting("jonas")
    deal = jonas.page("opportunity", ["name"], limit=1).records[0]
    with pytest.raises((Denied, Invalid)):
        jonas.update("opportunity", [{"id": deal["id"], "_version": deal["_version"], "target_margin": "1"}])
    with pytest.raises((Denied, Invalid)):
        acting("jonas").create("opportunity", [{"name": "A", "target_margin": "1"}])
