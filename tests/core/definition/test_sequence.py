"""Sequences in the Model: formats, series, and the fields that draw from them."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.definition import references
from core.definition.named import Sequence
from tests.core.definition.sets import load_set

FILES = {
    "addons/shop/tables/organisation.yaml": "table: organisation\nfields: {short: {type: text}}\n",
    "addons/shop/tables/sale.yaml": "table: sale\nfields:\n  organisation: {type: link, to: organisation}\n"
                                    "  number: {type: sequence, sequence: sale}\n",
    "addons/shop/sequences/sale.yaml": "sequence: sale\nformat: \"{organisation.short}-{year}-{number:4}\"\n"
                                       "restart: year\nper: organisation\ngaps: none\nstart: 100\nwas: order\n",
}


def test_a_sequence_is_a_value_of_the_model(tmp_path: Path) -> None:
    found = load_set(tmp_path, FILES).must().sequences["sale"]
    assert (found.restart, found.per, found.gaps, found.start, found.was) == (
        "year", "organisation", False, 100, ("order",))
    assert found.shown == ("organisation.short",)


@pytest.mark.parametrize(("format", "code"), [
    ("{number}", "7"), ("SO-{number:5}", "SO-00007"), ("{year}/{month}/{number:2}", "2026/03/07"),
    ("{kind}{number}{x", "ab7{x"), ("{number:1}", "7")])
def test_a_code_is_its_format_filled_in(format: str, code: str) -> None:
    assert Sequence("one", "One", format, per="kind").code(7, 2026, 3, {"kind": "ab"}) == code


@pytest.mark.parametrize(("restart", "per", "series"), [
    ("never", None, "one"), ("year", None, "one/2026"), ("month", None, "one/2026-03"),
    ("never", "organisation", "one/12"), ("month", "organisation", "one/12/2026-03")])
def test_each_period_and_each_value_has_a_series(restart: str, per: str | None, series: str) -> None:
    one = Sequence("one", "One", "{number}", restart, per, was=("two",))  # type: ignore[arg-type]
    assert one.series(2026, 3, 12) == (series, series.replace("one", "two"))


def test_no_value_is_a_series_too() -> None:
    assert Sequence("one", "One", "{number}", per="organisation").series(2026, 3, None) == ("one/",)


def test_fields_name_it_and_it_names_fields(tmp_path: Path) -> None:
    found = {(one.kind, one.name, one.to_kind, one.to_name) for one in references(load_set(tmp_path, FILES).must())}
    assert ("table", "sale", "sequence", "sale") in found
    assert ("table", "sale", "table", "sale.organisation") in found
    assert ("sequence", "sale", "table", "organisation.short") in found


def test_fields_of_a_mixin_are_checked_where_they_are_used(tmp_path: Path) -> None:
    files = dict(FILES)
    files["addons/shop/tables/numbered.yaml"] = "mixin: numbered\nfields: {number: {type: sequence, sequence: sale}}\n"
    files["addons/shop/tables/sale.yaml"] = "table: sale\nuses: [numbered]\nfields: {name: {type: text}}\n"
    assert [str(problem) for problem in load_set(tmp_path, files).problems] == [
        'addons/shop/tables/numbered.yaml:2:35: sequence "sale" counts per "organisation", which table "sale" does not '
        "have"]
