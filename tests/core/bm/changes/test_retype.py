"""Fields that get another type: converted while people work, and the originals return on the way back."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import text

from core.bm.planning.describe import question_lines
from core.bm.versions import live
from core.ed import history, versions
from core.ed.session import Session
from core.errors import Invalid, Refused
from tests.core.bm.conftest import Live


def retype(system: Live, before: str, after: str, name: str = "company.yaml") -> None:
    """Change one line of a file of the addon."""
    text = (system.site.folder / "addons/shop" / name).read_text()
    assert before in text
    system.site.addon(name, text.replace(before, after))


def values(system: Live, table: str, name: str) -> list[Any]:
    return [row[name] for row in system.records(
        lambda records: records.page(table, [name], order=["id"], limit=100).records)]


def change(system: Live, table: str, record: int, **new: Any) -> None:
    system.records(lambda records: records.update(table, [{"id": record, **new}]))


def test_a_number_becomes_a_text_and_the_old_column_stays_beside(system: Live) -> None:
    for size in (3, None, 1500):
        system.create("company", name="Acme", size=size)
    retype(system, "size: {type: integer}", "size: {type: text}")
    plan = system.plan().plan
    assert not plan.problems and not plan.questions
    assert [step.kind for step in plan.steps] == [
        "stage", "expand", "expand", "fill", "prepare", "flip", "acknowledge", "settle", "park"]
    system.promote()
    assert values(system, "company", "size") == ["3", None, "1500"]
    assert system.plan().plan.empty
    assert system.sql("select state, count(*) from sys.physical where column_name like 'size%' group by 1 order by 1") \
        == [("live", 2), ("parked", 1)]
    assert system.sql("select count(*) from sys.touched") == [(0,)]
    assert system.sql("select count(*) from pg_trigger where tgname like 'fill%'") == [(0,)]
    assert system.records(lambda records: records.page("company", ["size"], filters={"size": "1500"}).records)


def test_going_back_the_originals_return_where_nobody_changed_them(system: Live) -> None:
    kept, changed, strange, new = (system.create("company", name="Acme", size=size) for size in (3, 4, 5, None))
    retype(system, "size: {type: integer}", "size: {type: text}")
    assert "going back, the values of now return" in str(system.plan().plan.way_back)
    system.promote()
    change(system, "company", changed, size="40")
    change(system, "company", strange, size="many")
    change(system, "company", new, size="7")
    later = system.create("company", name="Late", size="8")

    from core.bm import service
    planned = service.plan_rollback(system.settings, system.engine, None, system.plugins)
    assert any("company.size: 1 values mean nothing" in str(note) for note in planned.plan.notes)
    system.rollback()
    assert [system.read("company", one)["size"] for one in (kept, changed, strange, new, later)] == [3, 40, None, 7, 8]

    change(system, "company", kept, size=30)
    system.promote()                                        # forward again: what was entered there returns
    assert [system.read("company", one)["size"] for one in (kept, changed, strange, new, later)] == \
        ["30", "40", "many", "7", "8"]


def test_values_that_mean_nothing_are_asked_for_and_then_get_what_was_answered(system: Live) -> None:
    good, bad = (system.create("company", name=name) for name in ("12", "twelve"))
    retype(system, "name: {type: text, max: 100}", "name: {type: integer}")
    [question] = system.plan().plan.questions
    assert question.key == "convert company.name" and question.count == 1
    assert [sample.title for sample in question.samples] == ["twelve"]
    assert "any other value" in question_lines(question)[-1] and "EXPRESSION" not in question_lines(question)[-1]
    [problem] = system.plan(answers={question.key: "=1"}).plan.problems
    assert "an expression is written in the definition, as fill: =1" in str(problem)
    [problem] = system.plan(answers={question.key: "none"}).plan.problems
    assert str(problem) == 'the answer to "convert company.name" is wrong: "none" is not a number.'
    with pytest.raises(Refused):
        system.promote()
    from core.bm import service
    planned = service.plan_folder(system.settings, system.engine, system.plugins, {"convert company.name": "0"})
    system.promote(planned=planned)
    assert [system.read("company", one)["name"] for one in (good, bad)] == [12, 0]
    system.rollback()
    assert [system.read("company", one)["name"] for one in (good, bad)] == ["12", "twelve"]
    new = system.create("company", name="eleven")
    system.promote()                                        # what was answered counts, for new records too
    assert [system.read("company", one)["name"] for one in (good, bad, new)] == [12, 0, 0]


@pytest.mark.parametrize(("before", "after", "given", "found"), [
    ("decimal", "integer", Decimal("12"), 12),
    ("integer", "decimal", 12, Decimal(12)),
    ("integer", "float", 12, Decimal(12)),
    ("integer", "percent", 12, Decimal(12)),
    ("integer", "money", 12, Decimal(12)),
    ("money", "decimal", Decimal("12.5"), Decimal("12.5")),
    ("boolean", "text", True, "Yes"),
    ("text", "boolean", "no", False),
    ("boolean", "integer", True, None),
    ("text", "memo", "a", "a"),
    ("memo", "text", "a\nb", "a b"),
    ("memo", "html", "a < b", "a < b"),
    ("text", "email", "a@example.org", "a@example.org"),
    ("text", "text, many: true", "a", ["a"]),
    ("text, many: true", "text", ["a", "b"], "a, b"),
    ("choice, of: company_kind", "text", "partner", "Partner"),
    ("text", "choice, of: company_kind", "Partner", "partner"),
    ("choice, of: company_kind", "choice, of: company_kind, many: true", "partner", ["partner"]),
    ("link, to: company, many: true", "link, to: company", None, None),
])
def test_types_become_each_other(system: Live, before: str, after: str, given: Any, found: Any) -> None:
    system.site.write("company.yaml", f"change: table company\nfields:\n  one: {{type: {before}}}\n")
    system.promote()
    record = system.create("company", name="Acme", one=given)
    system.site.write("company.yaml", f"change: table company\nfields:\n  one: {{type: {after}}}\n")
    system.promote(answers={"convert company.one": "empty"}) if system.plan().plan.questions else system.promote()
    assert system.read("company", record)["one"] == found
    system.rollback()
    assert system.read("company", record)["one"] == given


def test_stored_formulas_that_read_it_are_worked_out_again(system: Live) -> None:
    record = system.create("company", name="Acme", size=3)
    system.site.write("company.yaml", "change: table company\nfields:\n"
                                      "  twice: {type: decimal, stored: true, formula: size * 2}\n")
    system.promote()
    retype(system, "size: {type: integer}", "size: {type: decimal}")
    assert [step.kind for step in system.plan().plan.steps if step.kind in ("suspend", "compute")] == [
        "suspend", "compute"]
    system.promote()
    assert system.read("company", record)["twice"] == 6
    system.records(lambda records: records.update("company", [{"id": record, "size": Decimal("1.5")}]))
    assert system.read("company", record)["twice"] == 3


def test_the_search_index_is_built_anew(system: Live) -> None:
    system.site.write("company.yaml", "change: table company\nfields:\n  note: {type: text, search: words}\n")
    system.promote()
    system.create("company", name="Acme", note="hello")
    queued = "select count(*) from jobs.procrastinate_jobs where task_name like '%rebuild_search%' and status = 'todo'"
    before = system.sql(queued)
    system.site.write("company.yaml", "change: table company\nfields:\n  note: {type: memo, search: words}\n")
    with system.engine.begin() as connection:
        connection.execute(text("delete from jobs.procrastinate_jobs where status = 'todo'"))
    system.promote()
    assert before is not None and system.sql(queued) == [(1,)]


def test_history_and_versions_show_values_of_the_old_type_as_they_were(system: Live) -> None:
    system.site.write("company.yaml", "change: table company\nkeeps: [history]\n")
    system.promote()
    record = system.create("company", name="Acme", size=3)
    retype(system, "size: {type: integer}", "size: {type: text}")
    system.promote()
    system.records(lambda records: records.update("company", [{"id": record, "size": "several"}]))
    for _ in range(2):                                      # as the text, then as the number again
        with system.engine.begin() as connection:
            found = live.system(connection, system.version, system.plugins)
            session = Session.system_session(found, connection)
            changes = history.history(session, "company", record)
            assert [change.fields["size"] for change in changes] == [("3", "several"), (None, 3)]
            assert versions.past(session, "company", record, 1) is not None
        if system.version == 3:
            system.rollback()


def test_unique_over_a_field_of_another_type_holds(system: Live) -> None:
    system.site.write("company.yaml", "change: table company\nunique:\n  one: {fields: [size]}\n")
    system.promote()
    system.create("company", name="Acme", size=3)
    retype(system, "size: {type: integer}", "size: {type: text}")
    system.promote()
    with pytest.raises(Invalid):
        system.create("company", name="Acme", size="3")
    system.rollback()
    with pytest.raises(Invalid):
        system.create("company", name="Acme", size=3)


def test_a_required_field_of_another_type_stays_required(system: Live) -> None:
    record = system.create("company", name="Acme", size=3)
    retype(system, "size: {type: integer}", "size: {type: integer, required: true}")
    system.promote()
    retype(system, "size: {type: integer, required: true}", "size: {type: text, required: true}")
    system.promote()
    assert system.read("company", record)["size"] == "3"
    system.create("company", name="Acme", size="4")
    with pytest.raises(Invalid):
        system.create("company", name="Acme")
    system.rollback()
    system.create("company", name="Acme", size=5)
    assert values(system, "company", "size") == [3, 4, 5]


def test_beside_an_amount_stands_the_same_in_base_currency(system: Live) -> None:
    for size in (3, None):
        system.create("company", name="Acme", size=size)
    retype(system, "size: {type: integer}", "size: {type: money}")
    system.promote()
    [(table, column)] = system.sql("select table_name, column_name from sys.physical where column_name like 'size%'"
                                   " and part = 'base'")
    assert system.sql(f"select {column} from ed.{table} order by id") == [(3,), (None,)]


def test_a_link_becomes_the_title_of_its_record_and_the_link_again(system: Live) -> None:
    company = system.create("company", name="Acme")
    deal = system.create("deal", title="Pilot", company=company)
    retype(system, "company: {type: link, to: company}", "company: {type: text}", "deal.yaml")
    system.promote()
    assert system.read("deal", deal)["company"] == "Acme"
    system.rollback()
    assert system.read("deal", deal)["company"] == company


def test_several_fields_of_one_table_are_filled_in_one_pass_and_renamed_at_once(system: Live) -> None:
    record = system.create("company", name="12", size=3)
    retype(system, "size: {type: integer}", "staff: {type: text, was: size}")
    retype(system, "name: {type: text, max: 100}", "name: {type: memo}")
    assert [step.target for step in system.plan().plan.steps if step.kind == "fill"] == ["company"]
    system.promote()
    found = system.read("company", record)
    assert (found["staff"], found["name"]) == ("3", "12")


def test_three_types_after_each_other_and_back_to_the_first(system: Live) -> None:
    kept, changed = (system.create("company", name="Acme", size=size) for size in (3, 4))
    retype(system, "size: {type: integer}", "size: {type: decimal}")
    system.promote()
    retype(system, "size: {type: decimal}", "size: {type: text}")
    system.promote()
    change(system, "company", changed, size="44")
    system.rollback(1)
    assert [system.read("company", one)["size"] for one in (kept, changed)] == [3, 44]


def test_a_field_of_a_kind_becomes_money_beside_records_of_other_kinds(system: Live) -> None:
    deal, ticket = system.create("deal", title="Large", amount=Decimal(12)), system.create("ticket", title="Small")
    retype(system, "amount: {type: decimal}", "amount: {type: money}", "deal.yaml")
    system.promote()
    assert system.read("deal", deal)["amount"] == Decimal(12) and system.read("ticket", ticket)["title"] == "Small"
