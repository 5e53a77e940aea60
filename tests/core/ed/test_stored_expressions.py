"""Expressions in records: checked when written, found by references, guarded by plans, resolved after renames."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.bm.inputs.stored import users_in_records
from core.bm.planning.describe import as_text
from core.bm.versions import live
from core.definition import Model, load
from core.definition.stored import naming_fields
from core.definition.users import target
from core.ed.stored import expression_of, stored_names, stored_references
from core.errors import Invalid
from core.expression import Environment
from tests.core.bm.conftest import Live, database_of_test, system  # noqa: F401
from tests.core.bm.sites import Site

POLICY = """
    table: policy
    display: "{name}"
    fields:
      name: {type: text}
      rule: {type: expression, on: deal}
      size: {type: expression, on: company, gives: integer}
    """
REGION = """
    change: table deal
    fields:
      region: {type: text}
      stage: {type: choice, of: stage}
    """
STAGE = """
    choices: stage
    values: {open: {title: Open}, won: {title: Won}}
    """


@pytest.fixture
def policies(system: Live) -> Live:  # noqa: F811
    """A live system whose policies hold expressions about deals and companies."""
    for name, text in (("policy", POLICY), ("region", REGION), ("stage", STAGE)):
        system.site.write(f"{name}.yaml", text)
    system.promote()
    return system


def refusal(system: Live, **values: str) -> list[tuple[str, str, str]]:  # noqa: F811
    with pytest.raises(Invalid) as error:
        system.create("policy", name="P", **values)
    return [(one.field, one.code, str(error.value)) for one in error.value.problems]


def test_a_right_expression_is_kept_as_written(policies: Live) -> None:
    record = policies.create("policy", name="P", rule="stage == 'won' and\n company.size > 5", size="size * 2")
    found = policies.read("policy", record)
    assert (found["rule"], found["size"]) == ("stage == 'won' and\n company.size > 5", "size * 2")


@pytest.mark.parametrize("rule, said", [
    ("regoin == 'north'", 'rule: Column 1: "regoin" is not on table "deal" (did you mean "region"?)'),
    ("stage == 'lost'", 'rule: Column 10: "lost" is not a value of stage'),
    ("amount +", "rule: Column 9: this is not understood here"),
    ("amount", "rule: Column 1: this is a number, not a condition; compare it with something"),
])
def test_a_wrong_expression_is_refused_with_its_column(policies: Live, rule: str, said: str) -> None:
    assert refusal(policies, rule=rule) == [("rule", "expression", said)]


def test_its_type_is_checked(policies: Live) -> None:
    (found,) = refusal(policies, size="name")
    assert found[:2] == ("size", "expression")


def test_it_can_be_used(policies: Live) -> None:
    from datetime import UTC, date, datetime
    policies.create("policy", name="P", rule="region == 'north'")
    with policies.engine.connect() as connection:
        system = live.system(connection, policies.version, policies.plugins)
        (one,) = stored_names(system, connection)
        expression = expression_of(system, one.field, one.source)
    environment = Environment({}, date(2026, 1, 1), datetime(2026, 1, 1, tzinfo=UTC), "UTC")
    assert expression.evaluate({"region": "north"}, environment) is True
    assert (one.table, one.title, one.field) == ("policy", "P", "policy.rule")


def test_what_it_names_is_in_the_graph(policies: Live) -> None:
    record = policies.create("policy", name="P", rule="stage == 'won' and company.size > 5")
    with policies.engine.connect() as connection:
        system = live.system(connection, policies.version, policies.plugins)
        named = [(one.record, to.to_kind, to.to_name, to.inside) for one, to in stored_references(system, connection)]
    assert named == [(record, "table", "deal.stage", 0), (record, "choices", "stage.won", 10),
                     (record, "table", "deal.company", 19), (record, "table", "company.size", 27)]
    model = load([policies.site.folder / "addons"], policies.site.metadata).must()
    (user,) = users_in_records(policies.engine, policies.plugins, target(model, "choices", "stage.won"))
    assert (user.table, user.record, user.title, user.field, user.column) == ("policy", record, "P", "policy.rule", 11)
    assert users_in_records(policies.engine, policies.plugins, target(model, "table", "deal.title")) == []


def test_a_promotion_that_would_break_a_row_is_refused_with_the_row(policies: Live) -> None:
    record = policies.create("policy", name="North", rule="region == 'north'")
    policies.create("policy", name="Other", rule="stage == 'won'")
    policies.site.write("region.yaml", "change: table deal\nfields:\n  stage: {type: choice, of: stage}\n")
    planned = policies.plan()
    assert [str(problem) for problem in planned.plan.problems] == [
        f'policy {record} (North): its rule would break, "region" is not on table "deal"; change the record first']
    assert planned.plan.steps == () and "would break" in as_text(planned.plan)
    policies.records(lambda records: records.delete("policy", [record]))
    assert policies.plan().plan.problems == ()


def test_what_is_wrong_already_does_not_hold_up_a_promotion(policies: Live) -> None:
    policies.create("policy", name="North", rule="region == 'north'")
    column = next(iter(one for one in policies.columns() if ".rule" in one)).partition(".")
    with policies.engine.begin() as connection:
        from sqlalchemy import column as sql_column
        from sqlalchemy import table, update
        stored = table(column[0], sql_column(column[2]), schema="ed")
        connection.execute(update(stored).values({column[2]: "nothing == 1"}))
    policies.site.write("region.yaml", "change: table deal\nfields:\n  stage: {type: choice, of: stage}\n")
    assert policies.plan().plan.problems == ()


def test_a_renamed_field_keeps_its_meaning_in_rows(policies: Live) -> None:
    record = policies.create("policy", name="North", rule="region == 'north' and stage == 'won'")
    for former, now in (("region", "area"), ("[area, region]", "zone")):
        policies.site.write("region.yaml", "change: table deal\nfields:\n"
                            f"  {now}: {{type: text, was: {former}}}\n  stage: {{type: choice, of: stage}}\n")
        assert policies.plan().plan.problems == ()
        policies.promote()
        with policies.engine.connect() as connection:
            system = live.system(connection, policies.version, policies.plugins)
            (one,) = stored_names(system, connection)
            assert expression_of(system, one.field, one.source).source == f"{now} == 'north' and stage == 'won'"
            assert f"deal.{now}" in {to.to_name for _, to in stored_references(system, connection)}
    # whoever writes a former name writes the name of now
    policies.records(lambda records: records.update("policy", [
        {"id": record, "_version": 1, "rule": "region == 'south'"}]))
    assert policies.read("policy", record)["rule"] == "zone == 'south'"


def test_in_data_and_defaults_it_is_checked_with_the_definitions(tmp_path: Path) -> None:
    site = Site.make(tmp_path)
    site.write("policy.yaml", """
        table: policy
        fields:
          name: {type: text}
          rule: {type: expression, on: deal, default: amuont > 3}
          none: {type: expression, on: dael}
        """)
    site.write("policies.yaml", """
        data: policies
        of: policy
        key: name
        records:
          big: {rule: amount > 1000}
          bad: {rule: amount > 'x'}
        """)
    problems = load([site.folder / "addons"], site.metadata, root=tmp_path).problems
    assert [str(one) for one in problems] == [
        'metadata/policies.yaml:6:15: ">" does not go between a number and text',
        'metadata/policy.yaml:4:47: "amuont" is not on table "deal" (did you mean "amount"?)',
        'metadata/policy.yaml:5:28: there is no table "dael" (did you mean "deal"?)']


def fields_of(model: Model) -> list[str]:
    return [f"{field.table}.{field.name}" for field in naming_fields(model)]


def test_fields_of_the_type_are_found_once(policies: Live) -> None:
    assert fields_of(load([policies.site.folder / "addons"], policies.site.metadata).must()) == [
        "policy.rule", "policy.size"]
