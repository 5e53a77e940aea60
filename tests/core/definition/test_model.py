"""The Model: bases and mixins resolved, typed values, texts, lists and forms that nobody wrote."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from core.definition import references
from core.expression import Expression
from core.types.base import Type
from tests.core.definition.sets import load_set
from tests.fixtures import sample_model

MODEL = sample_model()


def test_fields_of_the_base_come_first_then_those_of_mixins_then_its_own() -> None:
    deal = MODEL.tables["deal"]
    assert list(deal.fields)[:5] == ["owner", "team", "code", "name", "company"]
    assert list(deal.own) == ["stage", "amount", "probability", "weighted", "secret", "result", "lines", "line_total",
                              "big_lines"]


def test_a_field_knows_the_table_that_stores_it() -> None:
    deal, company = MODEL.tables["deal"], MODEL.tables["company"]
    assert (deal.fields["name"].table, deal.fields["amount"].table, company.fields["owner"].table) == (
        "work", "deal", "company")


def test_a_base_knows_its_kinds_and_a_kind_its_root() -> None:
    assert MODEL.tables["work"].kinds == ("deal", "request")
    assert [MODEL.tables[name].root for name in ("work", "deal", "company")] == ["work", "work", "company"]


def test_a_kind_narrows_a_field_without_touching_its_base() -> None:
    assert isinstance(MODEL.tables["deal"].fields["company"].required, Expression)
    assert MODEL.tables["work"].fields["company"].required is False
    assert MODEL.tables["deal"].fields["company"].table == "work"


def test_roles_and_rules_are_inherited_and_indexes_stay() -> None:
    deal = MODEL.tables["deal"]
    assert list(deal.roles) == ["owner", "team", "boss", "operator"]
    assert list(deal.rules) == ["dates", "probability", "plausible"]
    assert list(deal.indexes) == ["pipeline"]


def test_a_field_of_one_kind_can_be_named_from_the_base_unless_two_have_it() -> None:
    amount = MODEL.field("work", "amount")
    assert amount is not None
    assert amount.table == "deal"
    assert MODEL.field("work", "result") is None


def test_defaults_are_values_in_normal_form_or_expressions() -> None:
    fields = MODEL.tables["deal"].fields
    assert fields["stage"].default == "open"
    assert fields["probability"].default == Decimal(50)
    assert isinstance(fields["owner"].default, Expression)
    assert MODEL.objects["vendors"].new == {"kinds": ["vendor"]}


@pytest.mark.parametrize(("field", "virtual", "target"), [
    ("lines", True, "deal_line"), ("weighted", True, None), ("company", False, "company"), ("amount", False, None)])
def test_a_field_says_where_it_leads_and_whether_it_is_stored(field: str, virtual: bool, target: str | None) -> None:
    found = MODEL.tables["deal"].fields[field]
    assert (found.virtual, found.target) == (virtual, target)


def test_the_scope_gives_types_of_fields_columns_and_variables() -> None:
    scope = MODEL.scope("deal", {"parameter.least": Type("money")})
    assert scope.member("deal", "company") == Type("link", "company")
    assert scope.member("deal", "id") == Type("link", "deal")
    assert scope.member("deal", "created_by") == Type("link", "user")
    assert scope.variable("user") == Type("link", "user")
    assert scope.variable("parameter.least") == Type("money")
    assert scope.is_kind_of("deal", "work")
    assert not scope.is_kind_of("work", "deal")


def test_values_of_open_choices_are_not_closed_in_expressions() -> None:
    assert MODEL.scope("deal").choice_values("deal_stage") == ("open", "won", "lost")
    assert MODEL.scope("deal").choice_values("company_kind") is None


def test_the_choices_of_roles_are_the_roles() -> None:
    assert list(MODEL.choices["role"].values) == ["administrator", "employee", "manager", "salesperson"]


@pytest.mark.parametrize(("path", "english", "chinese"), [
    ("table deal.title", "Deal", "商机"),
    ("table deal.fields.owner.title", "Owner", "负责人"),            # from the mixin of its base
    ("table deal.rules.dates.message", "It ends before it begins.", "结束日期早于开始日期。"),
    ("list company.columns.name.title", "Name", "名称"),             # from the field it shows
    ("list deal.columns.city.title", "City", "City"),
    ("list company.title", "Companies", "Companies"),
    ("form deal.lines.title", "Lines", "明细"),
    ("form deal.title", "Deal", "商机"),
    ("form deal.main.title", "", ""),
    ("form specimen.a_memo.title", "A memo", "A memo"),
    ("choices deal_stage.values.won.title", "Won", "赢单"),
    ("table deal.fields.ends.help", "", "")])
def test_a_text_is_translated_or_falls_back(path: str, english: str, chinese: str) -> None:
    assert (MODEL.text(path, "en"), MODEL.text(path, "zh_CN")) == (english, chinese)


def test_a_table_without_list_and_form_gets_them() -> None:
    form, rows = MODEL.form_of("specimen"), MODEL.list_of("specimen")
    assert form.generated
    assert set(form.fields) == set(MODEL.tables["specimen"].fields)
    assert list(rows.columns) == list(MODEL.tables["specimen"].fields)[:1] + list(MODEL.tables["specimen"].fields)[2:7]


def test_a_kind_without_list_gets_that_of_its_base() -> None:
    assert MODEL.list_of("request").name == "work"


def test_every_use_of_a_field_is_in_the_reference_graph() -> None:
    users = {f"{one.kind} {one.name}" for one in references(MODEL) if one.to_name == "deal.amount"}
    assert users == {"table deal", "table company", "list deal", "list work", "form deal"}


def test_literals_are_read_by_their_types(tmp_path: Path) -> None:
    model = load_set(tmp_path, {"addons/a/tables/a.yaml": """table: a
fields:
  day:   {type: date, default: 2024-02-29}
  rate:  {type: decimal, default: 0.92}
  price: {type: money, default: "12.50"}
"""}).must()
    fields = model.tables["a"].fields
    assert (fields["day"].default, fields["rate"].default, fields["price"].default) == (
        date(2024, 2, 29), Decimal("0.92"), Decimal("12.50"))
