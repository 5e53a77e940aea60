"""Nothing that a caller can send is answered with a 500."""

from __future__ import annotations

import json

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

CALM = settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
FIELDS = ("name", "city", "size", "revenue", "founded", "parent", "vip", "photo", "lines", "key", "company", "owner",
          "stage", "begun", "amount", "chance", "expected", "code", "id", "_version", "_type", "_delete", "nothing")
SCALARS = (st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
           | st.sampled_from(["won", "2017-01-01", "12.5", "1e9", "9" * 30, "\ud800", "\x00", -1, 2**63, 2**64]))
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
    st.sampled_from(("id", "_delete", "item", "quantity", "name", "content")), inner, max_size=3), max_leaves=6)
RECORDS = st.dictionaries(st.sampled_from(FIELDS) | st.text(max_size=5), VALUES, max_size=6)
WORDS = st.sampled_from((
    "name", "size", "parent", "parent.name", "amount", "stage", "lines", "lines.item", "founded", "vip", "secret", "id",
    "user", "today()", "now()", "all.deal", "record", "outer", "count(", "sum(", "exists(", "first(", "length(",
    "(", ")", "[", "]", ",", "==", "!=", "<", ">=", "and", "or", "not", "in", "is", "None", "True", "+", "-", "*", "/", "%", "**",
    "'won'", "''", "'\\x00'", "'%'", "1", "0", "1.5", "1e400", "9" * 30, "lambda", "__class__", "{}", "if", "else", ":",
    "contains(name, '%_')", "date(2017, 1, 1)", "days(999999999)", "\u0000", "名称", "f'x'"))
TEXTS = st.lists(WORDS, max_size=8).map(" ".join) | st.text(max_size=30)


@CALM
@given(body=RECORDS | st.lists(RECORDS, max_size=3), table=st.sampled_from(("company", "deal", "line", "user")))
def test_any_record_is_created_or_refused(ada, body, table):
    answer = ada.ask("POST", table, raw=json.dumps(body).encode())
    assert answer.status_code < 500, answer.text
    assert answer.json is not None


@CALM
@given(body=RECORDS)
def test_any_change_is_made_or_refused(ada, body):
    deal = ada.post("deal", {"name": "x", "lines": [{"item": "a"}]})
    answer = ada.ask("PATCH", f"deal/{deal['id']}", raw=json.dumps({"_version": 1, **body}).encode())
    assert answer.status_code < 500, answer.text


@CALM
@given(where=TEXTS, order=TEXTS | st.just("name"), fields=TEXTS | st.just("name"), after=st.text(max_size=20),
       table=st.sampled_from(("company", "deal", "line")))
def test_any_query_is_answered_or_refused(ada, bob, where, order, fields, after, table):
    for caller in (ada, bob):
        for query in ({"where": where}, {"order": order, "fields": fields}, {"after": after, "order": "-name"},
                      {"where": where, "count": "1"}):
            answer = caller.ask("GET", table, query=query)
            assert answer.status_code < 500, (query, answer.text)


@CALM
@given(method=st.sampled_from(("GET", "POST", "PATCH", "DELETE", "PUT", "HEAD", "OPTIONS")), path=st.text(max_size=30),
       data=st.binary(max_size=50), header=st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=20))
def test_any_request_is_answered(ada, method, path, data, header):
    answer = ada.ask(method, path.replace("?", ""), raw=data, If_Match=header, Idempotency_Key=header)
    assert answer.status_code < 500, answer.text
