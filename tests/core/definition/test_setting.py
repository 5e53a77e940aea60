"""Settings in the Model: types, defaults, roles, and what expressions know of them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from core.definition import references
from core.expression import Environment
from core.types.base import Type
from tests.core.definition.sets import load_set

FILES = {
    "addons/shop/tables/user.yaml": "table: user\nfields:\n  name: {type: text}\n"
                                    "  organisation: {type: link, to: organisation}\n",
    "addons/shop/tables/organisation.yaml": "table: organisation\nfields: {name: {type: text}}\n",
    "addons/shop/tables/line.yaml": "table: line\nfields:\n  discount: {type: percent}\n"
                                    "  high: {type: boolean, formula: discount > setting.discount_limit}\n",
    "addons/shop/roles/manager.yaml": "role: manager\n",
    "addons/shop/settings/discount_limit.yaml": """
setting: discount_limit
title: Most discount
type: percent
max: 50
default: 20
who: [manager]
per: organisation
was: rebate_limit
""",
}


def test_a_setting_is_a_field_with_roles(tmp_path: Path) -> None:
    found = load_set(tmp_path, FILES).must().settings["discount_limit"]
    assert (found.field.title, found.field.expression_type, found.default) == (
        "Most discount", Type("percent"), Decimal(20))
    assert (found.who, found.per, found.was) == (("manager",), "organisation", ("rebate_limit",))
    assert getattr(found.field.properties, "max", None) == 50


def test_expressions_read_it_as_a_variable(tmp_path: Path) -> None:
    formula = load_set(tmp_path, FILES).must().tables["line"].fields["high"].formula
    assert formula is not None and formula.variables == {("setting", "discount_limit")}
    for limit, high in ((Decimal(5), True), (Decimal(40), False), (None, None)):
        given = Environment({"id": 1}, date(2026, 3, 1), datetime(2026, 3, 1, tzinfo=UTC), "UTC",
                            {"setting.discount_limit": limit})
        assert formula.evaluate({"discount": Decimal(30)}, given) is high


def test_its_uses_are_references(tmp_path: Path) -> None:
    found = {(one.kind, one.name, one.to_kind, one.to_name) for one in references(load_set(tmp_path, FILES).must())}
    assert ("table", "line", "setting", "discount_limit") in found
    assert ("setting", "discount_limit", "role", "manager") in found
    assert ("setting", "discount_limit", "table", "user.organisation") in found


def test_a_layer_gives_another_default(tmp_path: Path) -> None:
    model = load_set(tmp_path, FILES | {
        "metadata/system.yaml": "system: main\naddons: [shop]\n",
        "metadata/settings/discount_limit.yaml": "change: setting discount_limit\ndefault: 30\n"}).must()
    assert model.settings["discount_limit"].default == 30


def test_it_is_translated(tmp_path: Path) -> None:
    model = load_set(tmp_path, FILES | {"addons/shop/translations/zh_CN.po": (
        'msgctxt "setting discount_limit.title"\nmsgid "Most discount"\nmsgstr "最高折扣"\n')}).must()
    assert model.text("setting discount_limit.title", "zh_CN") == "最高折扣"
    assert model.text("setting discount_limit.title", "en") == "Most discount"


@pytest.mark.parametrize("name", ["log_file", "smtp_host", "shell_command", "signing_key", "plugin_module", "db_password"])
def test_nothing_that_leads_outside_can_be_set(tmp_path: Path, name: str) -> None:
    loaded = load_set(tmp_path, FILES | {f"addons/shop/settings/{name}.yaml": f"setting: {name}\ntype: text\n"})
    assert len(loaded.problems) == 1 and "such things stand in the configuration" in loaded.problems[0].message


@pytest.mark.parametrize("type_", ["link", "lines", "file", "url", "sequence", "state"])
def test_only_plain_values_can_be_set(tmp_path: Path, type_: str) -> None:
    loaded = load_set(tmp_path, FILES | {"addons/shop/settings/one.yaml": f"setting: one\ntype: {type_}\n"})
    assert [problem.message.partition(":")[0] for problem in loaded.problems] == [
        f'a setting cannot be of type "{type_}"']
