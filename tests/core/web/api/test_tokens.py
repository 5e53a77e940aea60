"""What a token is limited to holds wherever records are reached, and for links, groups, searches and files too."""

from __future__ import annotations

import itertools

import pytest
from sqlalchemy import text

from core.ed.scopes import Scopes, scopes_of
from core.errors import Invalid
from core.web import tokens
from tests.core.web.api.conftest import Caller, token_for
from tests.small_system import Small
from tests.unchanged import unchanged

NUMBERS = itertools.count(1)


def limited(ada: Caller, *scopes: str, user: str = "ada") -> Caller:
    names = ",".join(f"'{scope}'" for scope in scopes)
    token = token_for(ada.small, user, scopes=f"array[{names}]::text[]", created_on=f"now() - interval '{next(NUMBERS)} s'")
    with ada.small.owner.begin() as connection:       # every token of a test is another
        fresh = f"{token}-{next(NUMBERS)}"
        connection.execute(text("update sys.token set hash = :new where hash = :old"),
                           {"new": tokens.digest(fresh), "old": tokens.digest(token)})
    return Caller(ada.small, ada.client, fresh)


@pytest.mark.parametrize(("written", "limits"), [
    (("read", "write", "export"), False), (("write", "export"), False), (("read", "write"), True), ((), True),
    (("read:company", "read"), True), (("nonsense",), True), (("read:Company",), True)])
def test_scopes_limit_unless_they_are_all_there_is(written: tuple[str, ...], limits: bool) -> None:
    assert (scopes_of(written) is not None) is limits


def test_a_wider_scope_takes_in_a_narrower_one() -> None:
    assert scopes_of(("read:company", "read", "read:deal")) == scopes_of(("read",)) == Scopes((("read", None),))
    assert scopes_of(("read:deal", "read:company")) == scopes_of(("read:company", "read:deal"))


def test_row_76_a_token_for_one_table_reaches_no_other(ada: Caller) -> None:
    company = ada.post("company", {"name": f"T {next(NUMBERS)}", "city": "Bonn"})
    deal = ada.post("deal", {"name": "x", "company": company["id"]})
    reader = limited(ada, "read:deal")
    found = reader.get(f"deal/{deal['id']}")
    assert found["company"] == company["id"] and found["company_title"] is None      # the id is the deal's own
    with unchanged(ada.small.owner):
        assert reader.ask("GET", "company").status_code == 403
        assert reader.ask("GET", f"company/{company['id']}").status_code == 403
        assert reader.ask("GET", f"company/{company['id']}/photo").status_code == 403
        assert reader.ask("GET", "nothing").status_code == 403
        for query in ({"fields": "company.city"}, {"where": "company.city == 'Bonn'"}, {"order": "company.city"},
                      {"group": "company.city"}, {"aggregate": "count(company.city)"},
                      {"where": "exists(all.company[city == 'Bonn'])"}):
            assert reader.ask("GET", "deal", query=query).status_code == 400, query
        for method, path in (("POST", "deal"), ("PATCH", f"deal/{deal['id']}"), ("DELETE", f"deal/{deal['id']}"),
                             ("PATCH", "deal"), ("DELETE", "deal"), ("POST", f"deal/{deal['id']}/do"),
                             ("POST", "files")):
            assert reader.ask(method, path, {"_version": 1, "name": "y"}).status_code == 403, path
    document = reader.get("openapi.json")
    assert set(document["paths"]) == {"/api/v1/deal", "/api/v1/deal/{id}", "/api/v1/line", "/api/v1/line/{id}"}
    assert all(set(path) <= {"get", "parameters"} for path in document["paths"].values())


def test_a_scope_for_a_table_holds_for_its_lines(ada: Caller) -> None:
    writer = limited(ada, "write:deal")
    deal = writer.post("deal", {"name": "x", "lines": [{"item": "a"}, {"item": "b"}]})
    assert [line["item"] for line in deal["lines"]] == ["a", "b"]
    assert writer.ask("PATCH", f"deal/{deal['id']}", {"_version": 1, "lines": [
        {"id": deal["lines"][0]["id"], "_delete": True}]}).status_code == 200
    with unchanged(ada.small.owner):
        assert writer.ask("POST", "company", {"name": "x"}).status_code == 403


def test_a_link_leads_only_where_the_token_may_read(ada: Caller) -> None:
    company = ada.post("company", {"name": f"T {next(NUMBERS)}"})
    writer = limited(ada, "write:deal")
    with unchanged(ada.small.owner):
        assert writer.ask("POST", "deal", {"name": "x", "company": company["id"]}).status_code == 422
    both = limited(ada, "write:deal", "read:company")
    assert both.post("deal", {"name": "x", "company": company["id"]})["company_title"] == company["name"]


def test_a_token_gives_nobody_more_than_they_may(ada: Caller) -> None:
    seller = limited(ada, "write", "export", user="bob")
    with unchanged(ada.small.owner):
        assert seller.ask("POST", "team", {"name": "x"}).status_code == 403
        assert seller.ask("GET", "team").status_code == 404
    company = ada.post("company", {"name": f"T {next(NUMBERS)}", "secret": "41"})
    assert "secret" not in seller.get(f"company/{company['id']}")


def test_a_token_without_scopes_may_nothing(ada: Caller) -> None:
    empty = limited(ada)
    for path in ("company", "openapi.json", "query/nothing", "company/1"):
        assert empty.ask("GET", path).status_code == 403


def test_a_key_of_one_token_is_no_way_around_the_scopes_of_another(ada: Caller) -> None:
    key, body = f"scoped-{next(NUMBERS)}", {"name": f"T {next(NUMBERS)}"}
    ada.post("deal", body, Idempotency_Key=key)
    with unchanged(ada.small.owner):
        assert limited(ada, "read").ask("POST", "deal", body, Idempotency_Key=key).status_code == 403
        assert limited(ada, "write:deal").ask("POST", "deal", body, Idempotency_Key=key).status_code == 422


def test_past_case_23_no_header_or_parameter_widens_a_right(ada: Caller, bob: Caller) -> None:
    plain = bob.ask("GET", "company", query={"fields": "id", "limit": "3"})
    headers = {"X_User": "ada", "X_Roles": "administrator", "X_Forwarded_User": "ada", "X_Context": '{"sudo": true}',
               "Tessera_Scopes": "write", "X_HTTP_Method_Override": "DELETE", "Forwarded": "for=127.0.0.1"}
    for name, value in headers.items():
        answer = bob.ask("GET", "company", query={"fields": "id", "limit": "3"}, **{name: value})
        assert (answer.status_code, answer.data) == (plain.status_code, plain.data)
    for name in ("context", "user", "sudo", "self", "_connector", "active_test", "as", "role", "_user"):
        assert bob.ask("GET", "company", query={name: "1"}).status_code == 400


def test_row_76_a_token_in_the_address_is_refused(ada: Caller) -> None:
    nobody = Caller(ada.small, ada.client, None)
    for name in ("access_token", "token", "authorization", "api_key"):
        assert nobody.ask("GET", "company", query={name: str(ada.token)}).status_code == 401
        assert ada.ask("GET", "company", query={name: str(ada.token)}).status_code == 400
    for header in (f"bearer  {ada.token}x", f"Basic {ada.token}", f"Token {ada.token}", "Bearer", "Bearer "):
        answer = nobody.ask("GET", "company", Authorization=header)
        assert answer.status_code == 401 and answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize(("name", "scopes", "days", "field"), [
    ("", ["read"], 1, "name"), ("x" * 101, ["read"], 1, "name"), ("a\nb", ["read"], 1, "name"), ("x", [], 1, "scopes"),
    ("x", ["admin"], 1, "scopes"), ("x", ["read:nothing"], 1, "scopes"), ("x", ["read:"], 1, "scopes"),
    ("x", ["read"], 0, "days"), ("x", ["read"], 4_000, "days")])
def test_a_token_that_says_nothing_is_not_made(small: Small, name: str, scopes: list[str], days: int, field: str) -> None:
    with small.session("ada") as session, pytest.raises(Invalid) as caught:
        tokens.create(session.connection, session.system.model, 1, name, scopes, days)
    assert [problem.field for problem in caught.value.problems] == [field]


def test_tokens_are_listed_used_and_ended(small: Small, ada: Caller) -> None:
    account = small.sql("select id from sys.account where login = 'eve'")[0][0]
    with small.session("ada") as session:
        made = [tokens.create(session.connection, session.system.model, account, f"t{n}", ["read:company"], 5)
                for n in range(2)]
    eve = Caller(small, ada.client, made[0])
    assert eve.ask("GET", "company").status_code == 200
    with small.session("ada") as session:
        held = tokens.of_account(session.connection, account)
        assert [(one.name, one.scopes, one.used_on is not None) for one in held][:2] == [
            ("t1", ("read:company",), False), ("t0", ("read:company",), True)]
        assert tokens.revoke(session.connection, account + 1, held[1].id) == 0          # somebody else's
        assert tokens.revoke(session.connection, account, held[1].id) == 1
    assert eve.ask("GET", "company").status_code == 401
    assert not any(made[0].encode() in bytes(row[0]) for row in small.sql("select hash from sys.token"))
