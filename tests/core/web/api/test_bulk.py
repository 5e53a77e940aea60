"""Many records in one request: all are written or none, and what is wrong is told by its place in the list."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from tests.core.web.api.conftest import Caller
from tests.unchanged import unchanged

NUMBERS = itertools.count(1)


def companies(ada: Caller, count: int, **values: Any) -> list[dict[str, Any]]:
    """New companies of a city of their own."""
    city = f"City {next(NUMBERS)}"
    made: list[dict[str, Any]] = ada.post("company", [{"name": f"{city} {n}", "city": city, **values}
                                                      for n in range(count)])
    return made


def change(record: dict[str, Any], **values: Any) -> dict[str, Any]:
    return {"id": record["id"], "_version": record["_version"], **values}


def test_a_list_of_changes_is_made_as_a_whole(ada: Caller) -> None:
    made = companies(ada, 3)
    answer = ada.ask("PATCH", "company", [change(one, size=n) for n, one in enumerate(made)])
    assert answer.status_code == 200, answer.text
    assert [(one["id"], one["size"], one["_version"]) for one in answer.json] == [
        (one["id"], n, 2) for n, one in enumerate(made)]  # type: ignore[union-attr]


@pytest.mark.parametrize(("spoil", "status", "found"), [
    ({"size": -1}, 422, [(1, "size", "too_small")]), ({"size": "5"}, 422, [(1, "size", "type")]),
    ({"nothing": 1}, 422, [(1, "nothing", "unknown")]), ({"_version": None}, 428, [(1, "_version", "missing")]),
    ({"_version": "2"}, 422, [(1, "_version", "integer")]), ({"id": "x"}, 422, [(1, "id", "integer")]),
    ({"id": None}, 422, [(1, "id", "missing")]), ({"id": 999_999_999}, 404, []), ({"_version": 7}, 409, [])])
def test_one_wrong_change_among_good_ones_changes_nothing(ada: Caller, spoil: dict[str, Any], status: int,
                                                          found: list[Any]) -> None:
    made = companies(ada, 3)
    for place in (1, 0, 2):                  # wherever it stands
        bodies = [change(one, city="New") for one in made]
        bodies[place] |= spoil
        with unchanged(ada.small.owner):
            answer = ada.ask("PATCH", "company", bodies)
        assert answer.status_code == status, answer.text
        assert answer.json is not None
        told = [(error.get("row"), error["field"], error["code"]) for error in answer.json.get("errors", ())]
        assert told == [(place, field, code) for _, field, code in found]
        if status == 409:
            assert (answer.json["row"], answer.json["current"]["id"]) == (place, made[place]["id"])


def test_past_case_9_one_forbidden_record_among_allowed_ones_stops_all(ada: Caller, bob: Caller) -> None:
    mine, theirs = bob.post("deal", {"name": "mine"}), ada.post("deal", {"name": "theirs"})
    seen = ada.post("deal", {"name": "seen", "owner": ada.small.users["bob"]})
    bodies = [change(mine, name="x"), change(theirs, name="x")]
    with unchanged(ada.small.owner):
        for order in (bodies, bodies[::-1]):
            assert bob.ask("PATCH", "deal", order).status_code == 404
        for ids in (f"{mine['id']},{theirs['id']}", f"{theirs['id']},{mine['id']}"):
            assert bob.ask("DELETE", "deal", query={"ids": ids}).status_code == 404
    assert bob.ask("PATCH", "deal", [change(mine, name="y"), change(seen, name="y")]).status_code == 200


def test_a_record_named_twice_is_refused(ada: Caller) -> None:
    one = companies(ada, 1)[0]
    with unchanged(ada.small.owner):
        assert ada.ask("PATCH", "company", [change(one, size=1), change(one, size=2)]).status_code == 422
        assert ada.ask("DELETE", "company", query={"ids": f"{one['id']},{one['id']}"}).status_code == 400


@pytest.mark.parametrize("body", [[], {}, "x", 5, [[]], [5], [None]])
def test_a_body_that_is_no_list_of_changes_is_refused(ada: Caller, body: object) -> None:
    with unchanged(ada.small.owner):
        assert ada.ask("PATCH", "company", body).status_code in (400, 422)


def test_too_many_at_once_are_refused(ada: Caller) -> None:
    with unchanged(ada.small.owner):
        assert ada.ask("POST", "company", [{"name": "x"}] * 1_001).status_code == 400
        assert ada.ask("PATCH", "company", [{"id": 1, "_version": 1}] * 1_001).status_code == 400
        ids = ",".join(map(str, range(1, 1_002)))
        assert ada.ask("DELETE", "company", query={"ids": ids}).status_code == 400


def test_all_that_meet_a_condition_are_changed_if_they_are_as_many_as_expected(ada: Caller) -> None:
    made = companies(ada, 3, size=1)
    where = f"city == '{made[0]['city']}'"
    with unchanged(ada.small.owner):
        refused = ada.ask("PATCH", "company", {"size": 2}, query={"where": where, "count": "2"})
        assert refused.status_code == 409 and "3" in refused.json["detail"]  # type: ignore[index]
        for query in ({"where": where}, {"count": "3"}, {"where": where, "count": "0"}, {"where": "", "count": "1"},
                      {"where": "((", "count": "1"}, {"where": where, "count": "3", "limit": "1"}):
            assert ada.ask("PATCH", "company", {"size": 2}, query=query).status_code == 400, query
        for body in ({}, {"id": 1, "size": 2}, {"_version": 1, "size": 2}, [{"size": 2}]):
            assert ada.ask("PATCH", "company", body, query={"where": where, "count": "3"}).status_code == 400
    answer = ada.ask("PATCH", "company", {"size": 2}, query={"where": where, "count": "3"})
    assert answer.json == {"count": 3, "ids": [one["id"] for one in made]}
    assert [one["size"] for one in ada.get("company", where=where)["records"]] == [2, 2, 2]


def test_a_condition_over_a_hidden_field_changes_nothing(ada: Caller, bob: Caller) -> None:
    ada.post("company", {"name": f"Secret {next(NUMBERS)}", "secret": "41"})
    with unchanged(ada.small.owner):
        for method, body in (("PATCH", {"city": "x"}), ("DELETE", None)):
            answer = bob.ask(method, "company", body, query={"where": "secret == '41'", "count": "1"})
            assert answer.status_code == 400 and answer.json["at"] == "where"  # type: ignore[index]


def test_several_are_deleted_by_id_with_versions_or_by_condition(ada: Caller) -> None:
    made = companies(ada, 4)
    ids = [one["id"] for one in made]
    with unchanged(ada.small.owner):
        for query in ({"ids": f"{ids[0]}@7,{ids[1]}"}, {"ids": f"{ids[0]},999999999"}):
            assert ada.ask("DELETE", "company", query=query).status_code in (404, 409)
        for query in ({}, {"ids": "x"}, {"ids": ""}, {"ids": "1,"}, {"ids": "1@0"}, {"ids": "1", "count": "1"},
                      {"ids": "1", "where": "size > 0"}, {"where": "size > 0"}):
            assert ada.ask("DELETE", "company", query=query).status_code == 400, query
    assert ada.ask("DELETE", "company", query={"ids": f"{ids[0]}@1,{ids[1]}"}).json == {"count": 2, "ids": ids[:2]}
    where = f"city == '{made[0]['city']}'"
    with unchanged(ada.small.owner):
        assert ada.ask("DELETE", "company", query={"where": where, "count": "4"}).status_code == 409
    assert ada.ask("DELETE", "company", query={"where": where, "count": "2"}).json == {"count": 2, "ids": ids[2:]}
    assert ada.get("company", where=where)["records"] == []


def test_a_thousand_are_created_changed_and_deleted_at_once(ada: Caller) -> None:
    made = companies(ada, 1_000)
    answer = ada.ask("PATCH", "company", [change(one, size=5) for one in made])
    assert answer.status_code == 200 and len(answer.json) == 1_000  # type: ignore[arg-type]
    ids = ",".join(f"{one['id']}@2" for one in made)
    assert ada.ask("DELETE", "company", query={"ids": ids}).json["count"] == 1_000  # type: ignore[index]


@pytest.mark.parametrize("way", ["one", "list", "where", "delete", "delete one"])
def test_fault_3_a_request_sent_again_gets_the_first_answer(ada: Caller, way: str) -> None:
    made = companies(ada, 1)
    one, key = made[0], f"again-{next(NUMBERS)}"
    where = {"where": f"city == '{one['city']}'", "count": "1"}
    method, path, body, query = {
        "one": ("PATCH", f"company/{one['id']}", change(one, size=3), {}),
        "list": ("PATCH", "company", [change(one, size=3)], {}), "where": ("PATCH", "company", {"size": 3}, where),
        "delete": ("DELETE", "company", None, where), "delete one": ("DELETE", f"company/{one['id']}", None, {})}[way]
    first = ada.ask(method, path, body, query=query, Idempotency_Key=key)
    with unchanged(ada.small.owner):
        again = ada.ask(method, path, body, query=query, Idempotency_Key=key)
        other = ada.ask(method, path, {"size": 4} if body else None, query={**query, "count": "1"} if body else query,
                        Idempotency_Key=key, If_Match='"9"')
    assert first.status_code in (200, 204), first.text
    assert (again.status_code, again.data, again.headers.get("ETag")) == (
        first.status_code, first.data, first.headers.get("ETag"))
    assert again.headers["Idempotency-Replayed"] == "true" and "Idempotency-Replayed" not in first.headers
    assert other.status_code in (400, 422)
    bare = ada.ask(method, path, body, query=query)
    assert bare.status_code in (404, 409) if way != "where" else bare.status_code == 200


def test_fault_4_a_request_that_failed_leaves_its_key(ada: Caller) -> None:
    one, key = companies(ada, 1)[0], f"again-{next(NUMBERS)}"
    with unchanged(ada.small.owner):
        stale = ada.ask("PATCH", f"company/{one['id']}", {"_version": 9, "size": 1}, Idempotency_Key=key)
    assert stale.status_code == 409
    assert ada.ask("PATCH", f"company/{one['id']}", change(one, size=1), Idempotency_Key=key).status_code == 200


def test_what_a_rule_warns_of_comes_with_the_record(ada: Caller) -> None:
    answer = ada.ask("POST", "company", [{"name": f"W {next(NUMBERS)}"},
                                         {"name": f"W {next(NUMBERS)}", "size": 1_000_001}])
    assert answer.status_code == 201
    first, second = answer.json  # type: ignore[misc]
    assert "_warnings" not in first
    assert [(one["code"], one["message"]) for one in second["_warnings"]] == [("warning", "So large?")]
    changed = ada.ask("PATCH", f"company/{first['id']}", change(first, size=1_000_002)).json
    assert changed["_warnings"][0]["message"] == "So large?"  # type: ignore[index]
