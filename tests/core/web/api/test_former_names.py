"""After a rename programs may go on with the old names for thirty days: understood everywhere, answered as asked."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from werkzeug.test import Client

from core.bm import service
from core.plugins import Plugins
from core.web.api.routes import ROUTES
from core.web.application import Application
from tests.core.web.api.conftest import Caller, token_for
from tests.core.web.api.test_tokens import limited
from tests.small_system import DEALS, Small, small_system
from tests.unchanged import unchanged

NUMBERS = itertools.count(1)
RENAMED = {
    "tables/company.yaml": DEALS["tables/company.yaml"].replace("table: company", "table: firm\nwas: company").replace(
        "  size:    {", "  staff:   {was: size, ").replace("  secret:  {", "  hidden:  {was: secret, "),
    "tables/deal.yaml": DEALS["tables/deal.yaml"].replace("  owner:    {", "  keeper:   {was: owner, ").replace(
        "  begun:    {", "  started:  {was: begun, "),
    "tables/line.yaml": DEALS["tables/line.yaml"].replace("  item:     {", "  article:  {was: item, "),
    "choices/stage.yaml": DEALS["choices/stage.yaml"].replace("  won:", "  gained: {was: won}\n  gone:"),
}


def promote(small: Small, files: dict[str, str]) -> None:
    """A new release of the addon goes live."""
    for name, content in files.items():
        (small.settings.addons[0] / "deals" / name).write_text(content.lstrip("\n"), encoding="utf-8")
    service.promote_folder(small.settings, small.owner, plugins=Plugins())


def caller(small: Small, user: str, token: str) -> Caller:
    return Caller(small, Client(Application(small.settings, small.engine, small.systems, ROUTES)), token)


@pytest.fixture(scope="module")
def callers(database: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Caller]]:
    """People with tokens, and one for the old name of a table, before that and fields are renamed."""
    with small_system(database, tmp_path_factory.mktemp("small")) as small:
        found = {user: caller(small, user, token_for(small, user)) for user in small.users}
        found["of company"] = limited(found["ada"], "write:company")
        found["ada"].post("company", {"name": "Before"}, Idempotency_Key="across")
        found["of company"].post("company", {"name": "Before too"}, Idempotency_Key="across-limited")
        promote(small, RENAMED)
        yield found


def company(ada: Caller, **values: Any) -> dict[str, Any]:
    made: dict[str, Any] = ada.post("firm", {"name": f"F {next(NUMBERS)}", **values})
    return made


def test_a_record_is_read_by_the_old_names_and_answered_in_them(ada: Caller) -> None:
    one = company(ada, staff=7)
    answer = ada.ask("GET", f"company/{one['id']}", query={"fields": "name,size"})
    assert answer.json == {"id": one["id"], "_version": 1, "name": one["name"], "size": 7}
    assert ada.get(f"firm/{one['id']}", fields="name,staff")["staff"] == 7
    assert answer.headers["ETag"] == '"1"'


def test_values_of_choices_are_taken_by_their_old_names_and_answered_by_those_of_now(ada: Caller) -> None:
    name = f"D {next(NUMBERS)}"
    made = ada.ask("POST", "deal", {"name": name, "stage": "won"})
    assert (made.status_code, made.json["stage"]) == (201, "gained")  # type: ignore[index]
    assert made.headers["Tessera-Renamed"] == "deal.stage:won=deal.stage:gained"
    assert "Deprecation" in made.headers and "Sunset" in made.headers
    found = ada.ask("GET", "deal", query={"where": f"stage == 'won' and name == '{name}'", "fields": "stage"})
    assert [one["stage"] for one in found.json["records"]] == ["gained"]  # type: ignore[index]
    assert found.headers["Tessera-Renamed"] == "stage:won=stage:gained"
    changed = ada.ask("PATCH", f"deal/{made.json['id']}", {"stage": "open", "_version": 1})  # type: ignore[index]
    assert changed.json["stage"] == "open" and "Tessera-Renamed" not in changed.headers  # type: ignore[index]
    assert ada.ask("POST", "deal", {"name": name, "stage": "nothing"}).status_code == 422


def test_headers_tell_since_when_until_when_and_what_it_is_called_now(ada: Caller) -> None:
    one = company(ada)
    answer = ada.ask("GET", f"company/{one['id']}", query={"fields": "size"})
    since = datetime.fromtimestamp(int(answer.headers["Deprecation"].removeprefix("@")), UTC)
    assert parsedate_to_datetime(answer.headers["Sunset"]) - since == timedelta(days=30)
    assert answer.headers["Tessera-Renamed"] == "company=firm, firm.size=firm.staff"
    assert answer.headers["Link"] == f'</api/v1/firm/{one["id"]}>; rel="successor-version"'


def test_who_uses_the_names_of_now_is_told_nothing(ada: Caller) -> None:
    one = company(ada, staff=7)
    answer = ada.ask("GET", f"firm/{one['id']}")
    assert answer.json["staff"] == 7 and "size" not in answer.json  # type: ignore[index,operator]
    assert not {"Deprecation", "Sunset", "Tessera-Renamed", "Link"} & set(answer.headers.keys())


def test_a_list_takes_them_in_conditions_fields_and_order(ada: Caller) -> None:
    city = f"City {next(NUMBERS)}"
    for size in (3, 1, 2):
        company(ada, city=city, staff=size)
    found = ada.get("company", where=f"city == '{city}' and size > 1", fields="size,id", order="-size", count="1")
    assert [one["size"] for one in found["records"]] == [3, 2] and found["count"] == 2
    assert all("staff" not in one for one in found["records"])


def test_paths_through_links_take_them(ada: Caller) -> None:
    one = company(ada, staff=4)
    deal = ada.post("deal", {"name": "x", "company": one["id"], "begun": "2026-01-02"})
    found = ada.get("deal", where=f"company.size == 4 and company == {one['id']} and owner == user",
                    fields="name,company.size,owner,begun", order="company.size")
    assert found["records"] == [{"id": deal["id"], "_version": 1, "name": "x", "company.size": 4, "begun": "2026-01-02",
                                 "owner": ada.small.users["ada"], "owner_title": "Ada"}]
    assert ada.get("deal", where=f"exists(all.company[size == 4 and id == {one['id']}])", limit="1")["records"]


def test_groups_take_them_and_keep_the_names_of_values(ada: Caller) -> None:
    one = company(ada, staff=4)
    for day in ("2025-03-01", "2025-03-09"):
        ada.post("deal", {"name": "g", "company": one["id"], "started": day})
    found = ada.get("deal", group="begun:month,owner", aggregate="count(),min(begun),sum(company.size)",
                    where=f"company == {one['id']}", order="-min_begun", having="sum_company_size>=8")
    assert found["groups"] == [{
        "begun:month": "2025-03-01", "owner": ada.small.users["ada"], "owner_title": "Ada", "count": 2,
        "min_begun": "2025-03-01", "sum_company_size": 8}]


def test_bodies_take_them_in_lines_too(ada: Caller) -> None:
    answer = ada.ask("POST", "deal", {"name": "x", "begun": "2026-01-02", "lines": [{"item": "Anvil"}]})
    assert answer.status_code == 201, answer.text
    assert answer.json["begun"] == "2026-01-02" and answer.json["lines"][0]["item"] == "Anvil"  # type: ignore[index]
    assert answer.headers["Tessera-Renamed"] == "deal.begun=deal.started, line.item=line.article"
    stored = ada.get(f"deal/{answer.json['id']}")  # type: ignore[index]
    assert stored["started"] == "2026-01-02" and stored["lines"][0]["article"] == "Anvil"
    changed = ada.ask("PATCH", f"deal/{stored['id']}", {"begun": "2026-01-03", "_version": 1})
    assert changed.status_code == 200 and changed.json["begun"] == "2026-01-03"  # type: ignore[index]


def test_what_is_wrong_is_told_by_the_name_that_was_sent(ada: Caller) -> None:
    with unchanged(ada.small.owner):
        answer = ada.ask("POST", "company", [{"name": "ok"}, {"name": "x", "size": -1}])
    assert answer.status_code == 422 and answer.headers["Deprecation"]
    assert [(one["row"], one["field"]) for one in answer.json["errors"]] == [(1, "size")]  # type: ignore[index]
    with unchanged(ada.small.owner):
        lines = ada.ask("POST", "deal", {"name": "x", "lines": [{"item": "a"}, {"item": None}]})
    assert [one["field"] for one in lines.json["errors"]] == ["lines.1.item"]  # type: ignore[index]


def test_a_field_under_both_its_names_is_refused(ada: Caller) -> None:
    with unchanged(ada.small.owner):
        answer = ada.ask("POST", "company", {"name": "x", "size": 1, "staff": 2})
        lines = ada.ask("POST", "deal", {"name": "x", "lines": [{"item": "a", "article": "b"}]})
    assert answer.status_code == lines.status_code == 422
    assert answer.json["errors"] == [{  # type: ignore[index]
        "field": "size", "code": "twice", "message": "“size” is called “staff” now: send one of them."}]
    assert [one["field"] for one in lines.json["errors"]] == ["lines.0.item"]  # type: ignore[index]
    assert ada.ask("GET", "firm", query={"fields": "size,staff"}).status_code == 400


def test_many_at_once_take_them(ada: Caller) -> None:
    city = f"City {next(NUMBERS)}"
    made = [company(ada, city=city, staff=1) for _ in range(2)]
    found = ada.ask("PATCH", "company", {"size": 5}, query={"where": f"city == '{city}' and size == 1", "count": "2"})
    assert found.json == {"count": 2, "ids": [one["id"] for one in made]}
    listed = ada.ask("PATCH", "company", [{"id": one["id"], "_version": 2, "size": 6} for one in made])
    assert [one["size"] for one in listed.json] == [6, 6]  # type: ignore[union-attr]
    gone = ada.ask("DELETE", "company", query={"where": f"city == '{city}' and size == 6", "count": "2"})
    assert gone.json["count"] == 2 and gone.headers["Deprecation"]  # type: ignore[index]


def test_a_conflict_is_told_in_the_names_that_were_sent(ada: Caller) -> None:
    one = company(ada, staff=1)
    ada.ask("PATCH", f"firm/{one['id']}", {"staff": 2, "_version": 1})
    answer = ada.ask("PATCH", f"company/{one['id']}", {"size": 3, "_version": 1})
    assert answer.status_code == 409 and answer.json["current"]["size"] == 2  # type: ignore[index]
    assert [one["field"] for one in answer.json["changed"]] == ["size"]  # type: ignore[index]


def test_a_new_record_is_found_where_its_maker_looks(ada: Caller) -> None:
    answer = ada.ask("POST", "company", {"name": f"F {next(NUMBERS)}"})
    assert answer.headers["Location"] == f"/api/v1/company/{answer.json['id']}"  # type: ignore[index]


def test_an_export_is_headed_as_it_was_asked(ada: Caller) -> None:
    city = f"City {next(NUMBERS)}"
    company(ada, city=city, staff=9)
    answer = ada.ask("GET", "company", query={"format": "csv", "fields": "city,size", "where": f"city == '{city}'"})
    assert answer.text.lstrip("\ufeff").splitlines() == ["city,size", f"{city},9"]
    rows = ada.ask("GET", "company", query={"format": "jsonl", "fields": "size", "where": f"city == '{city}'"})
    assert json.loads(rows.text)["size"] == 9 and "staff" not in rows.text


def test_past_case_20_a_field_that_may_not_be_read_is_as_unknown_by_its_old_name(callers: dict[str, Caller], ada: Caller) -> None:
    bob = callers["bob"]
    assert ada.get("company", fields="secret", limit="1")["records"] is not None
    for query in ({"fields": "{}"}, {"where": "{} == 'x'"}, {"order": "{}"}, {"group": "{}"}, {"aggregate": "count({})"}):
        old, unknown = (bob.ask("GET", "firm", query={key: value.format(name) for key, value in query.items()})
                        for name in ("secret", "sekret"))
        assert old.status_code == unknown.status_code == 400
        assert old.json["detail"].replace("secret", "sekret") == unknown.json["detail"]  # type: ignore[index]
        assert "Tessera-Renamed" not in old.headers and "hidden" not in old.text
    with unchanged(ada.small.owner):
        old, unknown = (bob.ask("POST", "firm", {"name": "x", name: "y"}) for name in ("secret", "sekret"))
    assert old.text.replace("secret", "sekret").replace(old.json["request_id"], "") == \
        unknown.text.replace(unknown.json["request_id"], "")  # type: ignore[index]


def without_hint(said: str) -> str:
    """What is told, without the name that is like the one that was sent: it hangs on the letters of the latter."""
    return re.sub(r' \(did you mean [^)]*\)', "", said)


@pytest.mark.parametrize(("table", "query"), [
    ("deal", {"fields": "company.{}"}), ("deal", {"where": "company.{} == 'x'"}), ("deal", {"order": "-company.{}"}),
    ("deal", {"group": "company.{}"}), ("deal", {"aggregate": "x:count(company.{})"}),
    ("deal", {"where": "count(all.company[{} == 'x']) > 0"}), ("deal", {"where": "company[{} == 'x'].name == 'y'"}),
    ("company", {"where": "upper({}) == 'X'"}), ("company", {"fields": "name,{}", "search": "x"}),
    ("company", {"{}": "x"}), ("company", {"fields": "{}_title"}), ("company", {"fields": "name.{}"}),
    ("company/export", {"fields": "{}"}), ("company/groups", {"group": "{}"}), ("company/1/files/{}", {})])
def test_past_case_1_no_way_of_the_api_finds_a_hidden_field_by_its_old_name(
        callers: dict[str, Caller], table: str, query: dict[str, str]) -> None:
    bob = callers["bob"]
    for hidden in ("secret", "hidden"):
        known, unknown = (bob.ask("GET", table.format(name), query={
            key.format(name): value.format(name) for key, value in query.items()}) for name in (hidden, "sekret"))
        said = [without_hint(one.text.replace(one.json["request_id"], "")) for one in (known, unknown)]
        assert known.status_code == unknown.status_code >= 400
        assert said[0].replace(f"{hidden}_title", "sekret_title").replace(hidden, "sekret") == said[1]
        assert f"{hidden}=" not in known.headers.get("Tessera-Renamed", "")


def test_a_token_for_another_table_knows_nothing_of_a_former_name(callers: dict[str, Caller]) -> None:
    other = limited(callers["ada"], "read:deal")
    for ask in (lambda name: other.ask("GET", name), lambda name: other.ask("POST", name, {"name": "x"}),
                lambda name: other.ask("GET", f"{name}/1"),
                lambda name: other.ask("GET", "deal", query={"where": f"count(all.{name}) > 0"})):
        with unchanged(other.small.owner):
            known, now, unknown = ask("company"), ask("firm"), ask("kompany")
        said = [without_hint(one.text.replace(one.json["request_id"], "")) for one in (known, now, unknown)]
        assert said[0].replace("company", "kompany") == said[1].replace("firm", "kompany") == said[2]
        assert "Tessera-Renamed" not in known.headers and "Link" not in known.headers


def test_a_token_for_a_renamed_table_goes_on(callers: dict[str, Caller]) -> None:
    found = callers["of company"]
    made = found.post("firm", {"name": f"F {next(NUMBERS)}"})
    assert found.get(f"company/{made['id']}")["name"] == made["name"]
    assert found.ask("GET", "deal").status_code == 403
    kept = found.small.sql("select scopes from sys.token where scopes::text like '%:%'")
    assert (["write:firm"],) in map(tuple, kept) and not any("company" in str(scopes) for (scopes,) in kept)


@pytest.mark.parametrize("who", ["ada", "of company"])
def test_a_request_sent_again_after_the_rename_gets_its_first_answer(callers: dict[str, Caller], who: str) -> None:
    name, key = ("Before", "across") if who == "ada" else ("Before too", "across-limited")
    answer = callers[who].ask("POST", "company", {"name": name}, Idempotency_Key=key)
    assert answer.status_code == 201 and answer.headers["Idempotency-Replayed"] == "true"
    assert answer.json["name"] == name and "size" in answer.json  # type: ignore[index,operator]


def test_after_thirty_days_the_old_names_are_unknown(callers: dict[str, Caller], ada: Caller) -> None:
    one = company(ada)
    with ada.small.owner.begin() as connection:
        connection.execute(text("update bm.former_name set noted_on = now() - interval '31 days'"))
    later = Caller(ada.small, Client(Application(ada.small.settings, ada.small.engine, type(ada.small.systems)(
        ada.small.engine, Plugins()), ROUTES)), ada.token)
    try:
        gone = later.ask("GET", f"company/{one['id']}")
        never = later.ask("GET", f"compani/{one['id']}")
        assert gone.status_code == never.status_code == 404
        assert gone.json["detail"].replace("company", "compani") == never.json["detail"]  # type: ignore[index]
        assert later.ask("GET", "firm", query={"fields": "size"}).status_code == 400
        assert "Deprecation" not in gone.headers
    finally:
        with ada.small.owner.begin() as connection:
            connection.execute(text("update bm.former_name set noted_on = now()"))


def test_a_name_that_is_real_again_is_never_a_former_one(database: Any, tmp_path: Path, server: Any,
                                                         tmp_path_factory: pytest.TempPathFactory) -> None:
    from tests.databases import fresh_database
    with fresh_database(server, tmp_path_factory) as settings, small_system(settings, tmp_path) as small:
        ada = caller(small, "ada", token_for(small, "ada"))
        one = ada.post("company", {"name": "A", "size": 3})
        text_of = DEALS["tables/company.yaml"]
        promote(small, {"tables/company.yaml": text_of.replace(
            "  size:    {", "  size:    {type: text, fresh: true}\n  staff:   {was: size, ")})
        answer = ada.ask("GET", f"company/{one['id']}", query={"fields": "size,staff"})
        assert answer.json["size"] is None and answer.json["staff"] == 3  # type: ignore[index]
        assert "Deprecation" not in answer.headers


def test_chains_of_renames_and_a_way_back(server: Any, tmp_path: Path,
                                          tmp_path_factory: pytest.TempPathFactory) -> None:
    from tests.databases import fresh_database
    with fresh_database(server, tmp_path_factory) as settings, small_system(settings, tmp_path) as small:
        ada = caller(small, "ada", token_for(small, "ada"))
        one = ada.post("company", {"name": "A", "size": 3})
        for new, was in (("staff", "size"), ("people", "[staff, size]")):
            promote(small, {"tables/company.yaml": DEALS["tables/company.yaml"].replace(
                "  size:    {", f"  {new}: {{was: {was}, ")})
        assert [ada.get(f"company/{one['id']}", fields=name)[name] for name in ("size", "staff", "people")] == [3, 3, 3]
        service.rollback_to(small.settings, small.owner, 1, plugins=Plugins())
        small.systems = type(small.systems)(small.engine, Plugins())
        back = caller(small, "ada", ada.token or "")
        assert [back.get(f"company/{one['id']}", fields=name)[name] for name in ("size", "people")] == [3, 3]
        assert "Deprecation" not in back.ask("GET", f"company/{one['id']}", query={"fields": "size"}).headers
        assert back.ask("GET", f"company/{one['id']}", query={"fields": "people"}).headers["Tessera-Renamed"] == \
            "company.people=company.size"
