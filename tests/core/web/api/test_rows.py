"""GET /api/v1/query/<name>: the rows of a query, as far as the caller may read them."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from tests.core.web.api.conftest import Caller
from tests.small_system import Small, small_system

QUERIES = {
    "by_stage": "query: by_stage\nof: deal\nparameters: {least: {type: money, default: 100}}\n"
                "where: amount >= parameter.least\ncolumns: {stage: {}, deals: count(), worth: {is: sum(amount), "
                "total: sum}}\ngroup: [stage]\norder: [stage]\n",
    "of_company": "query: of_company\nof: deal\nparameters: {company: {type: link, to: company}}\n"
                  "where: company == parameter.company\ncolumns: {name: {}, company: {}}\norder: [name]\n",
    "open_deals": "query: open_deals\nof: deal\nparameters: {least: {type: money, default: 600}}\n"
                  "where: stage == 'open' and amount > parameter.least\n",
    "secrets": "query: secrets\nof: company\nparameters: {least: {type: integer, default: 5}}\nwhere: secret is not None\ncolumns: {name: {}}\n",
}


@pytest.fixture(scope="module")
def small(database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Small]:
    more = {f"queries/{name}.yaml": text for name, text in QUERIES.items()}
    with small_system(database, tmp_path_factory.mktemp("small"), more) as system:
        acme = system.create("company", name="Acme")
        for name, amount, stage, owner in (("Anvils", 500, "won", "ada"), ("Bolts", 1500, "open", "bob"),
                                           ("Cheap", 20, "open", "ada")):
            system.create("deal", name=name, company=acme, amount=Decimal(amount), stage=stage,
                          owner=system.users[owner])
        yield system


def test_rows_have_columns_and_totals(callers: dict[str, Caller]) -> None:
    assert callers["ada"].get("query/by_stage") == {
        "rows": [{"stage": "open", "deals": 1, "worth": "1500.00"}, {"stage": "won", "deals": 1, "worth": "500.00"}],
        "more": False, "totals": {"worth": "2000.00"},
        "columns": [{"name": "stage", "type": "choice", "title": "Stage"},
                    {"name": "deals", "type": "integer", "title": "Deals"},
                    {"name": "worth", "type": "money", "title": "Worth"}]}


def test_parameters_and_pages(callers: dict[str, Caller], small: Small) -> None:
    ada = callers["ada"]
    assert ada.get("query/by_stage", least="1000")["totals"] == {"worth": "1500.00"}
    acme = small.all("company", "name == 'Acme'")[0]["id"]
    page = ada.get("query/of_company", company=str(acme), limit="2", offset="1")
    assert [row["name"] for row in page["rows"]] == ["Bolts", "Cheap"] and page["more"] is False
    assert page["rows"][0]["company_title"] == "Acme" and page["rows"][0]["_table"] == "deal"
    assert ada.get("query/of_company", company=str(acme), limit="1")["more"] is True


@pytest.mark.parametrize(("path", "query", "status", "said"), [
    ("query/of_company", {}, 422, ("company", "required")), ("query/of_company", {"company": "x"}, 422, ("company", "id")),
    ("query/by_stage", {"town": "Ulm"}, 400, 'There is no parameter "town"'),
    ("query/none", {}, 404, 'There is no query "none"'),
    ("query/by_stage", {"limit": "0"}, 400, '"limit" is a whole number from 1 to 200.'),
    ("query/by_stage", {"offset": "-1"}, 400, '"offset" is a whole number')])
def test_what_is_wrong_is_told(callers: dict[str, Caller], path: str, query: dict[str, str], status: int,
                               said: str | tuple[str, str]) -> None:
    answer = callers["ada"].ask("GET", path, query=query)
    assert answer.status_code == status and answer.json is not None
    if isinstance(said, str):
        assert said in answer.json["detail"]
    else:
        assert [(one["field"], one["code"]) for one in answer.json["errors"]] == [said]


def test_everyone_gets_what_they_may_read(callers: dict[str, Caller]) -> None:
    assert [row["stage"] for row in callers["bob"].get("query/by_stage")["rows"]] == ["open"]
    for asked in ({}, {"least": "5"}, {"town": "Ulm"}):      # a hidden query is as unknown as none, parameters and all
        hidden, none = (callers["bob"].ask("GET", f"query/{name}", query=asked) for name in ("secrets", "nothing"))
        assert hidden.status_code == none.status_code == 404
        assert hidden.json["detail"].replace("secrets", "nothing") == none.json["detail"]  # type: ignore[index]
    assert callers["ada"].get("query/secrets")["rows"] == []
    assert callers["nobody"].ask("GET", "query/by_stage").status_code == 401


def test_a_query_is_a_set_in_conditions_of_lists(callers: dict[str, Caller]) -> None:
    def names(where: str) -> list[Any]:
        return [record["name"] for record in callers["ada"].get("deal", where=where, fields="name")["records"]]
    assert names("id in query.open_deals()") == ["Bolts"]
    assert names("id in query.open_deals(least=0)") == ["Bolts", "Cheap"]
    refused = callers["ada"].ask("GET", "deal", query={"where": "id in query.by_stage()"})
    assert refused.status_code == 400 and '\\"group\\"' in refused.text


def test_a_query_in_a_condition_opens_no_hidden_field(callers: dict[str, Caller]) -> None:
    asked = {"where": "id in query.secrets()", "fields": "name"}
    assert callers["ada"].ask("GET", "company", query=asked).status_code == 200
    refused = callers["bob"].ask("GET", "company", query=asked)
    assert refused.status_code == 400 and '"secret\\" is not on table' in refused.text


def test_openapi_describes_the_queries(callers: dict[str, Caller]) -> None:
    document = callers["ada"].get("openapi.json")
    asked = document["paths"]["/api/v1/query/of_company"]["get"]["parameters"]
    assert [(one["name"], one.get("required", False)) for one in asked] == [
        ("company", True), ("limit", False), ("offset", False)]
    assert "/api/v1/query/secrets" not in callers["bob"].get("openapi.json")["paths"]
