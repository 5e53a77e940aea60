"""Groups through the API: keys, units of time, aggregates, order, paging; behind the gate like everything."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from core.settings import Settings
from tests.core.web.api.conftest import Caller
from tests.small_system import Small, small_system


@pytest.fixture(scope="module")
def small(database: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Small]:
    """Without what the other tests of the API add: no name that is like a hidden one."""
    with small_system(database, tmp_path_factory.mktemp("small")) as system:
        yield system


@pytest.fixture(scope="module", autouse=True)
def deals(callers: dict[str, Caller]) -> None:
    ada = callers["ada"]
    acme = ada.post("company", {"name": "Acme", "city": "Bonn", "secret": "s"})["id"]
    bobs = ada.small.users["bob"]
    ada.post("deal", [
        {"name": "a", "stage": "won", "amount": "10", "begun": "2024-01-05", "company": acme},
        {"name": "b", "stage": "won", "amount": "20.50", "begun": "2024-01-31", "company": acme},
        {"name": "c", "stage": "open", "amount": "5", "begun": "2024-02-01", "owner": bobs},
        {"name": "d", "stage": "open", "begun": "2024-02-02"}])


def test_groups_by_stage_and_month(ada: Caller) -> None:
    found = ada.get("deal", group="stage,begun:month", aggregate="count(),sum(amount),top:max(amount)")
    assert found == {"more": False, "groups": [
        {"stage": "open", "begun:month": "2024-02-01", "count": 2, "sum_amount": "5.00", "top": "5.00"},
        {"stage": "won", "begun:month": "2024-01-01", "count": 2, "sum_amount": "30.50", "top": "20.50"}]}


def test_links_have_titles_and_paths_are_followed(ada: Caller) -> None:
    by_company = ada.get("deal", group="company", where="company is not None")["groups"]
    assert [(one["company_title"], one["count"]) for one in by_company] == [("Acme", 2)]
    by_city = ada.get("deal", group="company.city", aggregate="sum(amount)", order="-sum_amount")["groups"]
    assert by_city == [{"company.city": "Bonn", "sum_amount": "30.50"}, {"company.city": None, "sum_amount": "5.00"}]


def test_groups_are_chosen_ordered_and_paged(ada: Caller) -> None:
    first = ada.get("deal", group="name", aggregate="sum(amount)", order="-sum_amount", limit="1")
    assert ([one["name"] for one in first["groups"]], first["more"]) == (["b"], True)
    second = ada.get("deal", group="name", aggregate="sum(amount)", order="-sum_amount", limit="1", offset="1")
    assert [one["name"] for one in second["groups"]] == ["a"]
    assert len(ada.get("deal", group="name", having="count>=2")["groups"]) == 0
    many = ada.get("deal", group="name", aggregate="sum(amount)", having="sum_amount>=5,sum_amount<20.50")
    assert [one["name"] for one in many["groups"]] == ["a", "c"]
    assert ada.get("deal", aggregate="count()") == {"groups": [{"count": 4}], "more": False}
    assert ada.get("deal", group="stage", q="zzz")["groups"] == []


@pytest.mark.parametrize(("query", "at"), [
    ({"group": "nothing"}, "group"), ({"group": "begun:century"}, "group"), ({"group": "stage:month"}, "group"),
    ({"group": "lines"}, "group"), ({"group": "stage,stage"}, "group"), ({"group": ",".join("abcdef")}, "group"),
    ({"group": "stage", "aggregate": "sum"}, "aggregate"), ({"group": "stage", "aggregate": "sum(name)"}, "aggregate"),
    ({"group": "stage", "aggregate": "evil(amount)"}, "aggregate"), ({"aggregate": "sum()"}, "aggregate"),
    ({"aggregate": "count(),count()"}, "aggregate"), ({"aggregate": "stage:count()", "group": "stage"}, "aggregate"),
    ({"group": "stage", "having": "count"}, "having"), ({"group": "stage", "having": "count>x"}, "having"),
    ({"group": "stage", "having": "nothing>1"}, "having"), ({"group": "stage", "order": "amount"}, "order"),
    ({"group": "stage", "limit": "0"}, "limit"), ({"group": "stage", "limit": "1001"}, "limit"),
    ({"group": "stage", "offset": "-1"}, "offset"), ({"group": "stage", "fields": "name"}, "fields"),
    ({"group": "stage", "after": "x"}, "after"), ({"group": "stage", "where": "(("}, "where"),
    ({"group": "stage", "q": "a\x00"}, "q"), ({"group": "stage) --"}, "group"),
    ({"aggregate": "count();drop table"}, "aggregate")])
def test_what_is_not_understood_names_its_parameter(ada: Caller, query: dict[str, str], at: str) -> None:
    answer = ada.ask("GET", "deal", query=query)
    assert (answer.status_code, answer.json and answer.json["at"]) == (400, at)


def test_past_case_1_a_hidden_field_makes_no_groups(ada: Caller, bob: Caller) -> None:
    assert ada.get("company", group="secret")["groups"] == [{"secret": "s", "count": 1}]
    for query in ({"group": "secret"}, {"group": "city", "aggregate": "max(secret)"},
                  {"group": "city", "aggregate": "count(secret)"}, {"group": "city", "order": "secret"}):
        hidden = bob.ask("GET", "company", query=query)
        none = bob.ask("GET", "company", query={key: text.replace("secret", "nothing") for key, text in query.items()})
        assert hidden.status_code == none.status_code == 400
        assert hidden.json["detail"].replace("secret", "nothing") == none.json["detail"]  # type: ignore[index]
    assert bob.get("deal", aggregate="count(),sum(amount)") == {
        "groups": [{"count": 1, "sum_amount": "5.00"}], "more": False}
    assert bob.ask("GET", "team", query={"group": "name"}).status_code == 404
