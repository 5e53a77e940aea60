"""A share of all that can be asked: nobody is told what the grants do not give, or denied what they do.

The rest is in tests/sweep/test_rights.py.
"""

from __future__ import annotations

import re

import pytest

from core.web.routes import ROUTES
from core.web.routing import Route
from tests.matrix import acts, checks, ways
from tests.matrix.house import PEOPLE, TOKENS, House

CALLERS = (*PEOPLE, *TOKENS)


@pytest.mark.parametrize("name", CALLERS)
def test_lists_records_and_exports_have_just_what_the_grants_give(vault: House, name: str) -> None:
    caller, start = vault.callers[name], sum(map(ord, name))
    assert [*checks.told_too_little(vault, caller, 4), *checks.taken_out(vault, caller, 4, start)] == []


@pytest.mark.parametrize("name", (*CALLERS, "stranger"))
def test_no_answer_tells_what_its_reader_may_not_read(vault: House, name: str) -> None:
    assert list(checks.told_too_much(vault, vault.callers[name], 900, sum(map(ord, name)))) == []


@pytest.mark.parametrize("name", CALLERS)
def test_hidden_names_and_texts_are_as_unknown_as_those_that_are_not_there(vault: House, name: str) -> None:
    caller, start = vault.callers[name], sum(map(ord, name))
    assert list(checks.unlike_unknown(vault, caller, 120, start)) == []
    assert list(checks.betrayed(vault, caller, 400, start)) == []


@pytest.mark.parametrize("name", (*CALLERS, "stranger"))
def test_what_may_not_be_done_is_not_and_leaves_no_trace(vault: House, name: str) -> None:
    assert list(acts.misdone(vault, vault.callers[name], 500, sum(map(ord, name)))) == []


def test_past_cases_5_and_11_every_way_in_is_tried(vault: House) -> None:
    """A new route is in none of these until somebody says how it is asked."""
    administrator = vault.callers["administrator"]
    tried = {("GET", ask.path) for ask in ways.asks(vault)} | {
        (act.method, act.path) for who in ("administrator", "nobody") for act in acts.all_acts(vault, vault.callers[who])}
    assert administrator.user
    paths: dict[str, set[str]] = {}
    for method, path in tried:
        paths.setdefault(method, set()).add(path.partition("?")[0])
    left = [f"{method} {route.rule}" for route in ROUTES for method in route.methods
            if not any(re.fullmatch(_pattern(route), path) for path in paths.get(method, ()))]
    assert left == []


def _pattern(route: Route) -> str:
    """The addresses of a route."""
    kinds = {"id": "[1-9][0-9]*", "path": ".+"}
    return re.sub(r"<(?:(\w+):)?\w+>", lambda found: kinds.get(found[1] or "", "[^/]+"), route.rule)


def test_the_house_has_something_to_hide_and_to_show(vault: House) -> None:
    """The tests above would hold for a house without records."""
    counts = {}
    for name in CALLERS:
        oracle = checks.oracle_of(vault, vault.callers[name])
        shown = sum(oracle.shows(vault.records[id], field) for id, field in vault.marks.values() if id in vault.records)
        partly = [table for table in vault.model.tables if 0 < sum(
            oracle.may("read", one) for one in vault.of(table)) < len(vault.of(table))]
        counts[name] = (shown, len(partly))
    assert all(counts[name][1] >= 2 for name in ("warden", "ranker", "auditor", "outsider", "mixed")), counts
    assert counts["nobody"][0] == 0 and 200 < counts["warden"][0] < len(vault.marks) - 200, counts
