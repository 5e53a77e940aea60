"""What a plan promises: the same bytes for the same input, bound to what it was made of, and exactly what is done."""

from __future__ import annotations

import pytest

from core.bm import service
from core.bm.planning.describe import as_text
from core.bm.versions.canonical import canonical
from core.bm.versions.diff import Changed, Renamed
from core.errors import DefinitionError, Refused
from tests.core.bm.conftest import Live
from tests.core.bm.sites import ADDON

REGION = "change: table company\nfields:\n  region: {type: text}\n"

# Requirement 4: the plan is the contract


def test_requirement_4_the_same_input_gives_the_same_bytes(system: Live) -> None:
    system.site.write("company.yaml", REGION)
    one, other = system.plan().plan, system.plan().plan
    assert canonical(one.as_json()) == canonical(other.as_json()) and one.hash == other.hash


def test_requirement_4_what_is_live_against_itself_is_an_empty_plan_and_again_a_no_op(system: Live) -> None:
    assert system.plan().plan.empty
    system.site.write("company.yaml", REGION)
    assert system.promote() == 2
    assert system.promote() == 2 and system.plan().plan.empty


def test_requirement_4_a_plan_is_bound_to_its_base_its_target_and_the_shape_of_the_tables(system: Live) -> None:
    system.site.write("company.yaml", REGION)
    planned = system.plan()
    with system.engine.begin() as connection:
        connection.exec_driver_sql("create index by_hand on ed.company_1 (changed_on)")
    with pytest.raises(Refused, match="plan again"):
        system.promote(planned=planned)
    with system.engine.begin() as connection:
        connection.exec_driver_sql("drop index ed.by_hand")
    planned = system.plan()
    system.site.write("deal.yaml", "change: table deal\ntitle: Offer\n")
    assert system.plan().plan.hash != planned.plan.hash
    system.promote()
    with pytest.raises(Refused, match="plan again"):
        system.promote(planned=planned)


def test_requirement_10_an_approved_plan_is_good_as_long_as_live_is_what_it_was(system: Live) -> None:
    """Days later: what people wrote since, and time itself, make no other plan."""
    system.site.write("company.yaml", REGION)
    planned = system.plan()
    system.create("company", name="Firm", size=3)
    with system.engine.begin() as connection:
        for statement in ("alter table bm.promotion disable trigger user",
                          "update bm.promotion set started_on = started_on - interval '40 days',"
                          " ended_on = ended_on - interval '40 days'",
                          "alter table bm.promotion enable trigger user",
                          "update bm.version set created_on = created_on - interval '40 days'",
                          "update sys.physical set changed_on = changed_on - interval '40 days'"):
            connection.exec_driver_sql(statement)
    assert system.plan().plan.hash == planned.plan.hash
    assert system.promote(planned=planned) == 2


def test_requirement_10_an_approved_plan_is_void_after_any_other_promotion_even_one_that_was_taken_back(
        system: Live) -> None:
    system.site.write("company.yaml", REGION)
    planned = system.plan()
    system.site.write("company.yaml", "change: table company\ntitle: Firm\n")
    system.promote()
    system.rollback()
    system.site.write("company.yaml", REGION)
    again = system.plan()
    assert again.base.hash == planned.base.hash and again.plan.fingerprint == planned.plan.fingerprint
    assert again.plan.hash != planned.plan.hash
    with pytest.raises(Refused, match="someone else promoted meanwhile; plan again"):
        system.promote(planned=planned)
    assert system.promote(planned=again) == 3


def test_the_hash_does_not_hang_on_what_users_write_meanwhile(system: Live) -> None:
    system.create("company", name="Firm", size=3)
    system.site.addon("company.yaml", ADDON["company.yaml"].replace("          size: {type: integer}\n", ""))
    before = system.plan().plan
    system.create("company", name="Other", size=4)
    after = system.plan().plan
    assert before.hash == after.hash and before.warnings != after.warnings


def test_requirement_4_what_is_executed_is_what_was_planned(system: Live) -> None:
    system.create("company", name="Firm")
    system.site.write("company.yaml", "change: table company\nfields:\n  region: {type: text}\n"
                                      "  buyer: {type: link, to: company}\nunique:\n  once: {fields: [name]}\n")
    planned = system.plan()
    system.promote(planned=planned)
    executed = [sql for sql, in system.sql(
        "select sql from bm.statement where promotion_id = (select max(id) from bm.promotion) and "
        "sql ~* '^(alter|create|drop) ' order by number")]
    written = [sql for step in planned.plan.steps for sql in step.sql]
    assert len(written) >= 5 and [_plain(one) for one in executed] == [_plain(one) for one in written]


def _plain(sql: str) -> str:
    return " ".join(sql.split())


# Folding: what belongs together is one step

def test_requirement_1_all_columns_of_a_table_are_one_alter(system: Live) -> None:
    fields = "".join(f"  extra_{number}: {{type: text}}\n" for number in range(20))
    system.site.write("company.yaml", f"change: table company\nfields:\n{fields}")
    steps = [step for step in system.plan().plan.steps if step.sql]
    assert len(steps) == 1 and len(steps[0].sql) == 1 and steps[0].sql[0].count("add column") == 40


def test_a_field_that_comes_and_goes_before_anything_is_promoted_is_no_step(system: Live) -> None:
    system.site.write("company.yaml", REGION)
    system.site.write("company.yaml", None)
    assert system.plan().plan.empty


# Requirement 5: nothing is destroyed by the way

def test_requirement_5_removing_a_field_says_how_many_values_and_the_last_write_and_drops_nothing(system: Live) -> None:
    firm = system.create("company", name="Firm", size=3)
    columns = system.columns()
    system.site.addon("company.yaml", ADDON["company.yaml"].replace("          size: {type: integer}\n", ""))
    made = system.plan().plan
    assert made.risk == "lossy" and "values in it: 1, last changed on 20" in as_text(made)
    assert not [sql for step in made.steps for sql in step.sql if "drop" in sql]
    system.promote()
    assert system.columns() == columns
    system.site.addon("company.yaml", ADDON["company.yaml"])
    system.promote()
    assert system.read("company", firm)["size"] == 3


def test_requirement_5_a_name_made_again_at_once_works_in_a_column_of_its_own(system: Live) -> None:
    firm = system.create("company", name="Firm", size=3)
    system.site.addon("company.yaml", ADDON["company.yaml"].replace("          size: {type: integer}\n", ""))
    system.promote()
    system.site.addon("company.yaml", ADDON["company.yaml"].replace("{type: integer}", "{type: date, fresh: true}"))
    system.promote()
    assert system.read("company", firm)["size"] is None


# Requirement 6: renamed by identity

def test_requirement_6_a_table_and_five_fields_renamed_reordered_and_relabelled_need_no_sql(system: Live) -> None:
    fields = "".join(f"  old_{number}: {{type: integer}}\n" for number in range(5))
    system.site.write("company.yaml", f"change: table company\nfields:\n{fields}")
    system.promote()
    firm = system.create("company", name="Firm", **{f"old_{number}": number for number in range(5)})
    columns = system.columns()
    renamed = "".join(f"  new_{number}: {{type: integer, was: old_{number}, title: No {number}}}\n"
                      for number in reversed(range(5)))
    system.site.write("company.yaml", f"change: table firm\nfields:\n{renamed}")
    system.site.addon("company.yaml", ADDON["company.yaml"].replace("table: company", "table: firm\n        was: company")
                      .replace("title: Company", "title: Firm").replace("to: company", "to: firm")
                      .replace("          name: {type: text, max: 100}\n          size: {type: integer}\n",
                               "          size: {type: integer}\n          name: {type: text, max: 100}\n"))
    system.site.addon("deal.yaml", ADDON["deal.yaml"].replace("to: company", "to: firm"))
    planned = system.plan()
    assert [step for step in planned.plan.steps if step.sql] == []
    assert sum(isinstance(change, Renamed) for change in planned.plan.changes) == 6
    assert any(isinstance(change, Changed) and change.kind == "fields" for change in planned.plan.changes)
    system.promote(planned=planned)
    read = system.read("firm", firm)
    assert [read[f"new_{number}"] for number in range(5)] == [0, 1, 2, 3, 4] and system.columns() == columns


# Requirement 9: everything that would break, in one run

USERS = {
    "form.xml": '<form name="company" of="company"><field name="name"/><field name="size"/></form>',
    "list.yaml": "list: company\nof: company\ntitle: Companies\ncolumns: {name: {}, size: {}}\n",
    "query.yaml": "query: sizes\nof: company\ncolumns: {name: {}, size: {}}\n",
    "agent.yaml": "agent: large\nof: company\nwhen: {record: [created]}\nif: size > 9\ndo:\n  tell: {notify: [clerk], message: Large.}\n",
    "report.yaml": "report: sizes\nsources:\n  firms: {of: company}\ncolumns: {name: {}, size: {}}\n",
}


def test_requirement_9_a_removed_field_names_all_its_users_in_one_run(system: Live) -> None:
    system.site.write("clerk.yaml", "role: clerk\ntitle: Clerk\ngrants:\n  company: {read: true}\n")
    for name, content in USERS.items():
        system.site.write(name, content)
    system.promote()
    system.site.addon("company.yaml", ADDON["company.yaml"].replace("          size: {type: integer}\n", ""))
    with pytest.raises(DefinitionError) as refused:
        service.plan_folder(system.settings, system.engine, system.plugins)
    for name in USERS:
        assert name in str(refused.value), name
