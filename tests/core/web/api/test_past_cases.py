"""What broke others, tried on this API; each test is named after its row in the list of past cases."""

from __future__ import annotations

import itertools
import threading

import pytest
from sqlalchemy import text

from core.ed import journal
from tests.core.web.api.conftest import Caller
from tests.unchanged import unchanged

NUMBERS = itertools.count(1)
SECRET = ("company.secret", "parent.secret", "company.parent.secret", "company.parent.parent.secret", "secret",
          "t1.secret", "company__secret", "company.secret__startswith", "record.secret", "company.secret.id",
          "company_1.secret", "ed.company.secret", "$company.secret")

SMALL = ("part", "number", "version")            # which part of a record, which step, which version of definitions


@pytest.mark.parametrize("path", SECRET)
def test_past_case_3_no_path_in_any_parameter_reaches_a_hidden_field(bob: Caller, path: str) -> None:
    for table in ("company", "deal"):
        for query in ({"fields": path}, {"order": path}, {"order": f"-{path}"}, {"where": f"{path} == '41'"},
                      {"where": f"contains({path}, '4')"}, {"group": path}, {"aggregate": f"max({path})"},
                      {"aggregate": f"count({path})"}, {"group": "id", "having": f"{path}>1"}):
            answer = bob.ask("GET", table, query=query)
            assert answer.status_code == 400, (table, query, answer.text)


@pytest.mark.parametrize("key", ["_connector", "__class__", "self", "", "_negated", "where", "args", "kwargs", "__proto__",
                                 "constructor", "_sa_instance_state", "id;--", "name\x00", "name desc", "*", "1"])
def test_past_case_6_a_key_is_a_field_or_an_error(ada: Caller, key: str) -> None:
    company = ada.post("company", {"name": f"P {next(NUMBERS)}"})
    with unchanged(ada.small.owner):
        for method, path, body in (("POST", "company", {"name": "x", key: "y"}), ("POST", "company", [{"name": "x", key: {}}]),
                                   ("PATCH", f"company/{company['id']}", {"_version": 1, key: "y"}),
                                   ("PATCH", "company", [{"id": company["id"], "_version": 1, key: ["y"]}]),
                                   ("POST", "deal", {"name": "x", "lines": [{"item": "a", key: 1}]})):
            assert ada.ask(method, path, body).status_code == 422, (method, path)
        answer = ada.ask("GET", "company", query={key: "or"})
        assert answer.status_code == 400
        assert ada.ask("GET", "company", query={"order": key or ","}).status_code == 400


def test_past_case_8_a_refused_request_leaves_no_trace_whatever_refuses_it(ada: Caller, bob: Caller) -> None:
    company = ada.post("company", {"name": f"P {next(NUMBERS)}"})
    taken = company["name"]
    with unchanged(ada.small.owner, ada.small.settings.home / "files"):
        photo = {"name": "a.txt", "content": "aGVsbG8="}
        for who, method, path, body in (
                (ada, "POST", "company", [{"name": "new", "photo": photo}, {"name": taken}]),      # unique
                (ada, "POST", "deal", {"name": "x", "begun": "2024-01-02", "closed": "2024-01-01"}),         # rule
                (ada, "POST", "deal", {"name": "x", "lines": [{"item": "a"}, {"item": None}]}),              # line
                (bob, "POST", "company", {"name": "new", "secret": "x", "photo": photo}),                    # field
                (bob, "PATCH", f"company/{company['id']}", {"_version": 1, "photo": photo}),                 # record
                (ada, "PATCH", f"company/{company['id']}", {"_version": 3, "photo": photo})):                # version
            assert who.ask(method, path, body).status_code in (403, 409, 422)


def test_past_case_52_no_key_is_narrower_than_a_bigint(ada: Caller) -> None:
    """Keys, what points to them, and sequences; numbers of versions and steps are given by people and stay small."""
    narrow = ada.small.sql("""
        select n.nspname, c.relname, a.attname, t.typname from pg_constraint k
          join pg_class c on c.oid = k.conrelid join pg_namespace n on n.oid = c.relnamespace
          join pg_attribute a on a.attrelid = c.oid and a.attnum = any(k.conkey) join pg_type t on t.oid = a.atttypid
         where k.contype in ('p', 'u', 'f') and n.nspname in ('sys', 'ed', 'bm') and t.typname in ('int2', 'int4')""")
    assert [row for row in narrow if row[2] not in SMALL] == []
    short = ada.small.sql("select schemaname, sequencename from pg_sequences where schemaname in ('sys', 'ed', 'bm')"
                          " and max_value < 2::numeric ^ 62")
    assert short == []
    assert ada.small.sql("select max_value from pg_sequences where schemaname = 'ed' and sequencename = 'record_id'") == [
        (2**63 - 1,)]


def test_past_case_53_what_one_request_left_undone_is_never_another_s(
        ada: Caller, bob: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests that are cut off in the middle of a write: the pool gives the same connections to the next."""
    names = [f"Cut {next(NUMBERS)}" for _ in range(20)]

    def cut(*anything: object) -> None:
        raise RuntimeError("cut off")
    with monkeypatch.context() as patched, unchanged(ada.small.owner):
        patched.setattr(journal, "write", cut)              # the record is inserted by then
        for name in names:
            assert ada.ask("POST", "company", {"name": name}).status_code == 500
    assert ada.get("company", where="contains(name, 'Cut ')")["records"] == []
    assert [one["name"] for one in bob.get("deal", fields="name")["records"]] == []
    with ada.small.engine.connect() as connection:
        assert connection.scalar(text("select current_setting('is_superuser')")) == "off"
        assert connection.scalar(text("select count(*) from pg_stat_activity where state = 'idle in transaction' "
                                      "and datname = current_database() and pid <> pg_backend_pid()")) == 0


def test_past_case_53_two_people_at_once_get_their_own(callers: dict[str, Caller], bob: Caller) -> None:
    mine = bob.post("deal", {"name": f"of bob {next(NUMBERS)}"})
    wrong: list[object] = []

    def ask(who: Caller, expected: int) -> None:
        for _ in range(15):
            found = who.get("deal", where=f"id == {mine['id']}", fields="name")["records"]
            if len(found) != expected:
                wrong.append(found)
    eve = callers["eve"]
    threads = [threading.Thread(target=ask, args=pair) for pair in ((bob, 1), (eve, 0), (bob, 1), (eve, 0))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


@pytest.mark.parametrize(("typed", "kept"), [
    ("2024-03-31T01:30:00+01:00", "2024-03-31T00:30:00Z"), ("2024-03-31T03:30:00+02:00", "2024-03-31T01:30:00Z"),
    ("2024-10-27T02:30:00+02:00", "2024-10-27T00:30:00Z"), ("2024-10-27T02:30:00+01:00", "2024-10-27T01:30:00Z")])
def test_past_case_54_a_moment_is_one_moment_on_both_nights(ada: Caller, typed: str, kept: str) -> None:
    """In the hour that comes twice, and around the one that is missing: kept in UTC, found by it."""
    made = ada.post("company", {"name": f"P {next(NUMBERS)}", "seen": typed})
    assert made["seen"] == kept
    assert [one["id"] for one in ada.get("company", where=f"id == {made['id']} and seen is not None", order="seen")[
        "records"]] == [made["id"]]

