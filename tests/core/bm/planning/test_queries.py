"""Queries in versions: told property by property, promoted without touching a table, and rolled back."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.bm.planning.describe import as_text
from core.bm.planning.plan import plan
from core.bm.versions.diff import Added, Changed, Property, Removed, diff
from core.bm.versions.state import EMPTY
from tests.core.bm.planning.test_plan import changed, facts_of, kinds
from tests.core.bm.sites import Site

OPEN = "query: open_deals\nof: deal\nwhere: {open: amount > 5, named: title is not None}\n"
SUMS = "query: sums\nof: deal\ncolumns: {company: {}, deals: count()}\ngroup: [company]\n"


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site.make(tmp_path)


def test_a_new_query_is_metadata_only(site: Site) -> None:
    base = site.state(EMPTY)
    target = changed(site, base, **{"queries/open_deals": OPEN, "queries/sums": SUMS})
    assert [(type(one), one.kind, one.name) for one in diff(base, target)] == [
        (Added, "query", "open_deals"), (Added, "query", "sums")]
    made = plan(base, target, facts_of(base))
    assert made.risk == "metadata" and not made.problems
    assert not {"expand", "index", "park"} & set(kinds(made))
    assert "+ query open_deals" in as_text(made)


def test_what_changes_in_a_query_is_told_condition_by_condition(site: Site) -> None:
    base = changed(site, site.state(EMPTY), **{"queries/open_deals": OPEN, "queries/sums": SUMS})
    target = changed(site, base, **{
        "queries/open_deals": "query: open_deals\nof: deal\nwhere: {open: amount > 9}\n", "queries/sums": None})
    changes = diff(base, target)
    assert changes == (Changed("query", "open_deals", (
        Property("where.open", "amount > 5", "amount > 9"),
        Property("where.named", "title is not None", "(absent)"))), Removed("query", "sums"))
    made = plan(base, target, facts_of(base))
    assert made.risk == "metadata" and "where.open" in as_text(made)
    assert plan(target, target, facts_of(target)).empty
