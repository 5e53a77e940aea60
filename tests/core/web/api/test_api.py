"""The API as scripts use it, and what it answers to what should not be sent."""

from __future__ import annotations

import base64
import itertools
import json
import threading

import pytest

from tests.core.web.api.conftest import Caller, token_for
from tests.unchanged import unchanged

NUMBERS = itertools.count(1)


def name() -> str:
    """A name that no other test uses."""
    return f"N{next(NUMBERS)}"


# Reading

def test_a_list_is_paged_filtered_sorted_and_counted(ada):
    group = name()
    ada.post("company", [{"name": f"{group}-{n}", "city": group, "size": n} for n in range(5)])
    query = {"where": f"city == '{group}' and size > 0", "order": "-size", "limit": "3", "fields": "name,size",
             "count": "1"}
    first = ada.get("company", **query)
    assert [record["size"] for record in first["records"]] == [4, 3, 2]
    assert (first["count"], first["count_more"]) == (4, False)
    second = ada.get("company", **query, after=first["next"])
    assert [record["size"] for record in second["records"]] == [1]
    assert second["next"] is None
    assert set(second["records"][0]) == {"id", "_version", "name", "size"}


def test_values_travel_in_their_wire_forms(ada):
    company = ada.post("company", {"name": name(), "revenue": "12.5", "founded": "1999-12-31", "vip": True})
    assert (company["revenue"], company["founded"], company["vip"]) == ("12.50", "1999-12-31", True)
    deal = ada.post("deal", {"name": "x", "company": company["id"], "amount": "100", "chance": "12.5",
                             "lines": [{"item": "a", "quantity": "1.5"}]})
    assert (deal["company"], deal["company_title"]) == (company["id"], company["name"])
    assert (deal["amount"], deal["chance"], deal["expected"]) == ("100.00", "12.5", "12.50")
    assert deal["lines"][0]["quantity"] == "1.5"
    page = ada.get("deal", fields="company.name,created_on,lines", where=f"id == {deal['id']}")
    record = page["records"][0]
    assert record["company.name"] == company["name"] and record["created_on"].endswith("Z")


def test_one_record_comes_with_its_version_as_etag(ada):
    company = ada.post("company", {"name": name()})
    answer = ada.ask("GET", f"company/{company['id']}")
    assert answer.headers["ETag"] == '"1"' and answer.json["_version"] == 1
    assert ada.get(f"company/{company['id']}", fields="name").keys() == {"id", "_version", "name"}


def test_what_the_caller_has_already_is_not_sent_again(ada):
    company = ada.post("company", {"name": name(), "city": "Bonn"})
    path = f"company/{company['id']}"
    same = ada.ask("GET", path, If_None_Match='"1"')
    assert (same.status_code, same.data, same.headers["ETag"]) == (304, b"", '"1"')
    assert ada.ask("GET", path, If_None_Match='"7", W/"1"').status_code == 304
    assert ada.ask("GET", path, If_None_Match='"2"').status_code == 200
    assert ada.ask("PATCH", path, {"city": "Ulm"}, If_Match='"1"').status_code == 200
    assert ada.ask("GET", path, If_None_Match='"1"').status_code == 200


def test_the_description_is_sent_once(ada, bob):
    first = ada.ask("GET", "openapi.json")
    assert ada.ask("GET", "openapi.json", If_None_Match=first.headers["ETag"]).status_code == 304
    other = bob.ask("GET", "openapi.json", If_None_Match=first.headers["ETag"])
    assert other.status_code == 200 and other.headers["ETag"] != first.headers["ETag"]


@pytest.mark.parametrize("id_", ["0", "-1", "1e3", "１", "007", "9223372036854775808", "999999999", "abc", "1.0"])
def test_an_id_that_is_none_is_not_found(ada, id_):
    for method in ("GET", "PATCH", "DELETE"):
        body = {"_version": 1} if method == "PATCH" else None
        assert ada.ask(method, f"company/{id_}", body).status_code == 404


@pytest.mark.parametrize(("query", "at"), [
    ("where=nmae+==+1", None), ("where=((", None), ("order=nothing", None), ("fields=nothing", None),
    ("limit=0", "limit"), ("limit=500", "limit"), ("limit=5&limit=6", "limit"), ("page=2", "page"),
    ("after=rubbish", None), ("count=yes", "count"), ("where=" + "(" * 3000, None), ("order=%00", None),
    ("where=name+==+'%00'", None), ("fields=company.company.company", None),
    ("where=size+in+[" + ",".join(map(str, range(5000))) + "]", None), ("access_token=x", "access_token"),
])
def test_a_query_that_is_not_understood_is_refused(ada, query, at):
    answer = ada.client.get(f"/api/v1/company?{query}", headers={"Authorization": f"Bearer {ada.token}"})
    if query.startswith("where=name"):
        assert answer.status_code in (200, 400)          # no text holds NUL: nothing is found, or it is refused
        return
    assert answer.status_code == 400, answer.text
    assert answer.content_type == "application/problem+json"
    if at is not None:
        assert answer.json["at"] == at


def test_a_table_that_is_none_is_not_found(ada):
    assert ada.ask("GET", "nothing").status_code == 404
    assert ada.ask("GET", "COMPANY").status_code == 404
    assert ada.ask("POST", "nothing", {}).status_code == 404


# Writing

def test_one_or_many_are_created_all_or_nothing(ada):
    one = ada.ask("POST", "company", {"name": name()})
    assert one.status_code == 201 and one.headers["Location"] == f"/api/v1/company/{one.json['id']}"
    many = ada.post("company", [{"name": name()}, {"name": name()}])
    assert len({record["id"] for record in many}) == 2
    with unchanged(ada.small.owner):
        answer = ada.ask("POST", "company", [{"name": name()}, {"name": name(), "size": -1}, {}])
    assert answer.status_code == 422


def test_what_is_wrong_is_told_by_field_and_row(ada):
    with unchanged(ada.small.owner):
        answer = ada.ask("POST", "company", [{"name": name()}, {
            "name": "x" * 81, "size": 1.5, "revenue": 12.5, "founded": "2024-02-30", "vip": "yes", "parent": "1"}])
    assert answer.status_code == 422 and answer.content_type == "application/problem+json"
    found = {(error["row"], error["field"]): error["code"] for error in answer.json["errors"]}
    assert found == {(1, "name"): "too_long", (1, "size"): "type", (1, "revenue"): "type", (1, "founded"): "date",
                     (1, "vip"): "type", (1, "parent"): "type"}
    assert all(error["message"] for error in answer.json["errors"])


@pytest.mark.parametrize(("field", "value"), [
    ("name", "a\x00b"), ("name", "a\ud800b"), ("revenue", "NaN"), ("revenue", "1.005"), ("revenue", "Infinity"),
    ("revenue", "1" * 16), ("revenue", "\ud800"), ("founded", "10000-01-01"), ("founded", "infinity"),
    ("parent", 2**63 - 1), ("parent", -1), ("nothing", 1), ("id", 5), ("_type", "x"), ("created_by", 1),
    ("name", ["a"]), ("name", None), ("photo", "x"), ("photo", {"name": "a", "content": "%%"}),
])
def test_a_value_that_cannot_be_is_a_field_error(ada, field, value):
    with unchanged(ada.small.owner):
        answer = ada.ask("POST", "company", {"name": name(), field: value})
    assert answer.status_code == 422, answer.text
    assert [error["field"] for error in answer.json["errors"]] == [field]


def test_errors_in_lines_say_which_line(ada):
    lines = [{"item": "a"}, {"item": 5}, {"item": "b", "quantity": 1.5}]
    answer = ada.ask("POST", "deal", {"name": "x", "lines": lines})
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json["errors"]] == ["lines.1.item", "lines.2.quantity"]


def test_lines_are_added_changed_and_removed(ada):
    deal = ada.post("deal", {"name": "x", "lines": [{"item": "a"}, {"item": "b"}, {"item": "c"}]})
    one, two, _ = (line["id"] for line in deal["lines"])
    answer = ada.ask("PATCH", f"deal/{deal['id']}", {"_version": 1, "lines": [
        {"id": one, "item": "A"}, {"id": two, "_delete": True}, {"item": "d"}]})
    assert answer.status_code == 200, answer.text
    assert sorted(line["item"] for line in answer.json["lines"]) == ["A", "c", "d"]
    assert answer.json["_version"] == 2


def test_a_change_needs_the_version_that_was_read(ada):
    company = ada.post("company", {"name": name(), "city": "Bonn"})
    path = f"company/{company['id']}"
    with unchanged(ada.small.owner):
        assert ada.ask("PATCH", path, {"city": "Kiel"}).status_code == 428
    changed = ada.ask("PATCH", path, {"city": "Kiel"}, If_Match='"1"')
    assert changed.status_code == 200 and changed.headers["ETag"] == '"2"'
    with unchanged(ada.small.owner):
        stale = ada.ask("PATCH", path, {"city": "Rom", "_version": 1})
    assert stale.status_code == 409
    assert stale.json["current"]["city"] == "Kiel" and stale.json["current"]["_version"] == 2
    assert stale.json["fields"] == ["city"]
    assert ada.ask("PATCH", path, {"city": "Rom", "_version": 2}, If_Match='"1"').status_code == 400
    assert ada.ask("PATCH", path, {"city": "Rom"}, If_Match="*").status_code == 400
    assert ada.ask("PATCH", path, {"city": "Rom", "_version": "2"}).status_code == 400
    assert ada.ask("PATCH", path, {"id": 1, "_version": 2}).status_code == 400
    assert ada.ask("PATCH", path, [{"_version": 2}]).status_code == 400


def test_a_deleted_record_goes_to_the_trash(ada):
    company = ada.post("company", {"name": name()})
    path = f"company/{company['id']}"
    with unchanged(ada.small.owner):
        assert ada.ask("DELETE", path, If_Match='"7"').status_code == 409
        assert ada.ask("DELETE", path, query={"_version": "7"}).status_code == 409
    assert ada.ask("DELETE", path, If_Match='"1"').status_code == 204
    assert ada.ask("GET", path).status_code == 404
    assert ada.ask("DELETE", path).status_code == 404


def test_what_others_need_is_not_deleted(ada):
    company = ada.post("company", {"name": name()})
    ada.post("deal", {"name": "x", "company": company["id"]})
    with unchanged(ada.small.owner):
        answer = ada.ask("DELETE", f"company/{company['id']}")
    assert answer.status_code == 422 and "still used" in answer.json["errors"][0]["message"]


def test_a_file_is_sent_with_its_content(ada):
    sent = {"name": "a.txt", "content": base64.b64encode(b"hello").decode()}
    company = ada.post("company", {"name": name(), "photo": sent})
    assert (company["photo"]["name"], company["photo"]["size"]) == ("a.txt", 5)


# Bodies

@pytest.mark.parametrize("body", [
    b"", b"{", b"nonsense", b'{"name": "a", "name": "b"}', b'{"size": NaN}', b"[" * 100_000, b"\xff\xfe",
    b'{"size": ' + b"9" * 5000 + b"}", b"[]", b'"text"' * 2])
def test_a_body_that_is_no_strict_json_is_refused(ada, body):
    with unchanged(ada.small.owner):
        answer = ada.ask("POST", "company", raw=body)
    assert answer.status_code == 400, answer.text
    if body not in (b"[]",):
        assert "offset" in answer.json["detail"]


def test_empty_text_is_no_value_but_of_text(ada):
    ada.post("company", {"name": name(), "city": ""})
    with unchanged(ada.small.owner):
        answer = ada.ask("POST", "company", {"name": name(), "size": ""})
    assert (answer.status_code, answer.json["errors"][0]["field"]) == (422, "size")


@pytest.mark.parametrize("body", [b"1", b"null", b'"text"', b"[1]", b"[[]]"])
def test_a_body_that_is_no_record_is_refused(ada, body):
    with unchanged(ada.small.owner):
        assert ada.ask("POST", "company", raw=body).status_code in (400, 422)


@pytest.mark.parametrize("headers", [
    {"Content_Type": "text/plain"}, {"Content_Type": "application/x-www-form-urlencoded"},
    {"Content_Type": "application/json; charset=latin-1"}, {"Content_Encoding": "gzip"}, {"Content_Type": ""}])
def test_only_plain_json_is_taken(ada, headers):
    assert ada.ask("POST", "company", raw=b'{"name": "x"}', **headers).status_code == 415


def test_a_body_may_not_be_endless(ada):
    assert ada.ask("POST", "company", raw=b'"' + b"x" * 10_000_001 + b'"').status_code == 413
    many = json.dumps([{"name": "x"}] * 2_001).encode()
    assert ada.ask("POST", "company", raw=many).status_code == 400


def test_methods_are_what_they_are(ada):
    company = ada.post("company", {"name": name()})
    path = f"company/{company['id']}"
    assert ada.ask("PUT", path, {}).status_code == 405
    assert ada.ask("POST", path, {}).status_code == 405
    assert ada.ask("GET", path, X_HTTP_Method_Override="DELETE").status_code == 200
    assert ada.ask("GET", path, query={"_method": "DELETE"}).status_code == 400
    assert ada.get(path)["name"] == company["name"]


# Once only

def test_a_key_makes_a_request_happen_once(ada):
    body = {"name": name()}
    first = ada.ask("POST", "company", body, Idempotency_Key="k1")
    again = ada.ask("POST", "company", body, Idempotency_Key="k1")
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.data == first.data and again.headers["Location"] == first.headers["Location"]
    assert again.headers["Idempotency-Replayed"] == "true" and "Idempotency-Replayed" not in first.headers
    with unchanged(ada.small.owner):
        assert ada.ask("POST", "company", {"name": name()}, Idempotency_Key="k1").status_code == 422
    assert ada.ask("POST", "company", body, Idempotency_Key="k\x7f").status_code == 400
    assert ada.ask("POST", "company", body, Idempotency_Key="x" * 201).status_code == 400


def test_a_key_of_a_refused_request_is_free_again(ada):
    key, group = name(), name()
    assert ada.ask("POST", "company", {"name": group, "size": -1}, Idempotency_Key=key).status_code == 422
    assert ada.ask("POST", "company", {"name": group, "size": 1}, Idempotency_Key=key).status_code == 201


def test_two_users_may_have_the_same_key(ada, bob):
    key = name()
    mine, yours = ada.post("company", {"name": name()}, Idempotency_Key=key), bob.post(
        "company", {"name": name()}, Idempotency_Key=key)
    assert mine["id"] != yours["id"]


def test_twins_sent_at_once_make_one_record(ada):
    group, key = name(), name()
    answers: list[int] = []
    threads = [threading.Thread(target=lambda: answers.append(
        ada.ask("POST", "company", {"name": group}, Idempotency_Key=key).status_code)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [201] * 4
    assert len(ada.get("company", where=f"name == '{group}'")["records"]) == 1


# Who may

def test_without_a_good_token_nothing_is_answered(ada):
    bad = [None, "wrong", token_for(ada.small, "ada", expires_on="now() - interval '1 minute'"),
           token_for(ada.small, "ada", revoked_on="now()")]
    for token in bad:
        caller = Caller(ada.small, ada.client, token)
        assert caller.ask("GET", "company").status_code == 401
        assert caller.ask("POST", "company", {"name": name()}).status_code == 401
        assert caller.ask("GET", "openapi.json").status_code == 401
    in_address = Caller(ada.small, ada.client, None).ask("GET", "company", query={"access_token": ada.token})
    assert in_address.status_code == 401


def test_a_token_for_reading_does_not_write(ada):
    reader = Caller(ada.small, ada.client, token_for(ada.small, "ada", scopes="array['read']"))
    assert reader.ask("GET", "company").status_code == 200
    with unchanged(ada.small.owner):
        assert reader.ask("POST", "company", {"name": name()}).status_code == 403


def test_rights_are_those_of_the_token_s_user(ada, bob):
    company = ada.post("company", {"name": name(), "secret": "41"})
    assert "secret" not in bob.get(f"company/{company['id']}")
    deal = ada.post("deal", {"name": name()})
    assert bob.ask("GET", f"deal/{deal['id']}").status_code == 404
    with unchanged(ada.small.owner):
        assert bob.ask("PATCH", f"company/{company['id']}", {"city": "x", "_version": 1}).status_code == 403
        assert bob.ask("DELETE", f"company/{company['id']}").status_code == 403
        assert bob.ask("PATCH", f"deal/{deal['id']}", {"name": "x", "_version": 1}).status_code == 404
        assert bob.ask("POST", "team", {"name": name()}).status_code == 403
        assert bob.ask("GET", "team").status_code == 404
        for query in ({"where": "secret == '41'"}, {"order": "secret"}, {"fields": "secret"}):
            assert bob.ask("GET", "company", query=query).status_code in (400, 403)


def test_writes_are_told_as_the_api_s_in_history(ada):
    company = ada.post("company", {"name": name()})
    assert ada.small.sql("select how, user_id from sys.history where record_id = :id", id=company["id"]) == [
        ("api", ada.small.users["ada"])]


# The description

def test_the_description_is_openapi_of_what_the_caller_may_read(ada, bob):
    document = ada.get("openapi.json")
    assert document["openapi"] == "3.1.0" and document["components"]["securitySchemes"]["token"]["scheme"] == "bearer"
    assert {"/api/v1/company", "/api/v1/company/{id}", "/api/v1/team"} <= document["paths"].keys()
    assert "/api/v1/team" not in bob.get("openapi.json")["paths"]
    deal = document["components"]["schemas"]["deal"]["properties"]
    assert deal["stage"]["enum"] == ["open", "won", "lost", None]
    assert "expected" not in document["components"]["schemas"]["deal.new"]["properties"]


def test_answers_are_as_described(ada):
    jsonschema_rs = pytest.importorskip("jsonschema_rs")
    document = ada.get("openapi.json")
    company = ada.post("company", {"name": name(), "revenue": "1", "founded": "2000-01-01"})
    bare = ada.post("deal", {"name": "x"})
    full = ada.post("deal", {"name": "x", "company": company["id"], "stage": "won", "amount": "1", "chance": "1",
                             "lines": [{"item": "a"}]})
    team = ada.post("team", {"name": name(), "members": list(ada.small.users.values())})
    for table, record in (("company", company), ("deal", bare), ("deal", full), ("team", team)):
        schema = {**document["components"]["schemas"][table], "components": document["components"]}
        jsonschema_rs.validate(schema, record)


def test_the_description_is_well_formed(ada):
    schemathesis = pytest.importorskip("schemathesis")
    schema = schemathesis.openapi.from_dict(ada.get("openapi.json"))
    assert len(list(schema.get_all_operations())) > 20
