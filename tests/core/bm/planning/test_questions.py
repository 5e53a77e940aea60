"""What a plan asks: is it the same, what fills, where removed values go; and the answers, from wherever they come."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.bm import service
from core.bm.engine.steps import Plan
from core.bm.inputs.questions import as_yaml, read_answers
from core.bm.versions.diff import Added, Removed, Renamed
from core.errors import Refused
from tests.core.bm.conftest import Live
from tests.core.bm.sites import ADDON

RENAMED = ADDON["company.yaml"].replace("size: {type: integer}", "headcount: {type: integer}")
REQUIRED = "change: table company\nfields:\n  size: {required: true}\n"
WRONG = (("many", 'the answer to "fill company.size" is wrong: '), ("=nothing_there + 1", "nothing_there"))
FEWER = "choices: company_kind\nvalues:\n  customer: {title: Customer}\n"


def plan(system: Live, **answers: str) -> Plan:
    said = {key.replace("__", " ").replace("_in_", "."): value for key, value in answers.items()}
    return service.plan_folder(system.settings, system.engine, system.plugins, said).plan


def keys(made: Plan) -> list[str]:
    return [question.key for question in made.questions]


# Is it the same?

def test_requirement_6_a_field_gone_and_one_like_it_come_ask_whether_it_is_the_same(system: Live) -> None:
    for size in (3, 4):
        system.create("company", name=f"Firm {size}", size=size)
    system.site.addon("company.yaml", RENAMED)
    made = plan(system)
    asked, = made.questions
    assert asked.key == "rename company.size" and [option.value for option in asked.options] == ["headcount", "new"]
    assert (asked.count, [one.title for one in asked.samples]) == (2, ["Firm 3", "Firm 4"])
    assert asked.place.endswith("company.yaml:7:3") and asked.said.startswith("was: size")
    assert made.steps == () and not made.empty


def test_answered_with_the_former_name_it_is_a_rename_without_sql(system: Live) -> None:
    firm = system.create("company", name="Firm", size=3)
    system.site.addon("company.yaml", RENAMED)
    made = plan(system, rename__company_in_size="headcount")
    assert [type(one) for one in made.changes if one.kind == "field"] == [Renamed]
    assert not [step for step in made.steps if step.sql]
    planned = service.plan_folder(system.settings, system.engine, system.plugins, made.answers)
    assert planned.plan.hash == made.hash
    system.promote(planned=planned)
    assert system.read("company", firm)["headcount"] == 3


def test_what_fills_a_field_is_asked_once_it_is_said_that_it_is_a_new_one(system: Live) -> None:
    system.create("company", name="Empty")
    system.create("company", name="Firm", size=3)
    system.site.addon("company.yaml", RENAMED.replace("headcount: {", "headcount: {required: true, "))
    assert keys(plan(system)) == ["rename company.size"]
    assert keys(plan(system, rename__company_in_size="new")) == ["fill company.headcount"]
    assert keys(plan(system, rename__company_in_size="headcount")) == ["fill company.headcount"]
    both = plan(system, rename__company_in_size="headcount", fill__company_in_headcount="leave")
    assert both.steps and not both.problems


def test_answered_with_new_the_old_one_is_parked(system: Live) -> None:
    firm = system.create("company", name="Firm", size=3)
    system.site.addon("company.yaml", RENAMED)
    made = plan(system, rename__company_in_size="new")
    assert {type(one) for one in made.changes if one.kind == "field"} == {Added, Removed}
    system.promote(planned=service.plan_folder(system.settings, system.engine, system.plugins, made.answers))
    assert system.read("company", firm)["headcount"] is None


def test_nothing_is_asked_where_the_definition_says_it_or_nothing_would_be_lost(system: Live) -> None:
    system.site.addon("company.yaml", RENAMED)
    assert keys(plan(system)) == []                             # no record has a value
    system.create("company", name="Firm", size=3)
    for said in ("was: size", "fresh: true"):
        system.site.addon("company.yaml", RENAMED.replace("{type: integer}", f"{{type: integer, {said}}}"))
        assert keys(plan(system)) == []
    system.site.addon("company.yaml", RENAMED.replace("headcount: {type: integer}", "headcount: {type: date}"))
    assert keys(plan(system)) == []                             # another meaning


def test_what_returns_from_being_parked_is_not_asked_about(system: Live) -> None:
    system.create("company", name="Firm", size=3)
    system.site.addon("company.yaml", RENAMED)
    system.promote(planned=service.plan_folder(
        system.settings, system.engine, system.plugins, {"rename company.size": "new"}))
    system.site.addon("company.yaml", ADDON["company.yaml"].replace("name: {", "nick: {type: text}\n          name: {"))
    made = plan(system)
    assert keys(made) == [] and made.steps


TWO = RENAMED.replace("headcount:", "people: {type: integer}\n          headcount:")


def test_of_one_that_went_it_is_asked_once_which_of_those_that_came_it_is(system: Live) -> None:
    firm = system.create("company", name="Firm", size=3)
    system.site.addon("company.yaml", TWO)
    asked, = plan(system).questions
    assert asked.key == "rename company.size" and [one.value for one in asked.options] == ["people", "headcount", "new"]
    assert str(asked.words) == '"company.size" is gone and "company.people", "company.headcount" came: is it the same ' \
                               "under a new name?"
    made = plan(system, rename__company_in_size="headcount")
    assert made.steps and not made.questions and [one.value for one in made.asked[0].options] == ["people", "headcount", "new"]
    system.promote(made.answers)
    assert {name: system.read("company", firm)[name] for name in ("people", "headcount")} == {"people": None, "headcount": 3}


def test_of_two_that_went_the_second_is_not_asked_for_what_the_first_became(system: Live) -> None:
    system.site.addon("company.yaml", ADDON["company.yaml"].replace("size:", "staff: {type: integer}\n          size:"))
    system.promote()
    system.create("company", name="Firm", size=3, staff=2)
    system.site.addon("company.yaml", RENAMED)
    assert sorted(keys(plan(system))) == ["rename company.size", "rename company.staff"]
    made = plan(system, rename__company_in_size="headcount")
    assert made.steps and not made.questions
    assert keys(plan(system, rename__company_in_size="new")) == ["rename company.staff"]
    both = plan(system, rename__company_in_size="headcount", rename__company_in_staff="headcount")
    assert '2 answers say that they are "company.headcount" now; only one can be' in list(map(str, both.problems))


def test_answers_about_what_came_are_taken_as_well(system: Live) -> None:
    system.create("company", name="Firm", size=3)
    system.site.addon("company.yaml", TWO)
    made = plan(system, rename__company_in_people="size")
    assert made.steps and not made.questions and not made.problems
    assert [(one.was, one.name) for one in made.changes if isinstance(one, Renamed)] == [("company.size", "company.people")]
    left, = plan(system, rename__company_in_people="new").questions
    assert left.key == "rename company.size" and [one.value for one in left.options] == ["headcount", "new"]
    none = plan(system, rename__company_in_people="new", rename__company_in_headcount="new")
    assert none.steps and not none.questions and not none.problems
    wrong = plan(system, rename__company_in_people="nothing")
    assert '"nothing" is no answer to "rename company.people"; say one of: size, new' in list(map(str, wrong.problems))


def test_two_cannot_have_been_the_same_one(system: Live) -> None:
    system.create("company", name="Firm", size=3)
    system.site.addon("company.yaml", TWO)
    made = plan(system, rename__company_in_people="size", rename__company_in_headcount="size")
    assert '2 answers say that they were "company.size" before; only one can be' in list(map(str, made.problems))


def test_a_table_and_a_field_of_it_under_other_names_are_asked_about(system: Live) -> None:
    firm = system.create("company", name="Firm", size=3)
    system.site.addon("company.yaml", RENAMED.replace("table: company", "table: firm").replace("to: company", "to: firm"))
    system.site.addon("deal.yaml", ADDON["deal.yaml"].replace("to: company", "to: firm"))
    assert keys(plan(system)) == ["rename company"]
    assert keys(plan(system, rename__company="firm")) == ["rename company.size"]
    made = plan(system, rename__company="firm", rename__company_in_size="headcount")
    assert made.steps and not made.problems
    system.promote(made.answers)
    assert system.read("firm", firm)["headcount"] == 3


def test_a_table_under_another_name_is_asked_about_too(system: Live) -> None:
    firm = system.create("company", name="Firm", size=3)
    system.site.addon("company.yaml", ADDON["company.yaml"].replace("table: company", "table: firm").replace(
        "to: company", "to: firm"))
    system.site.addon("deal.yaml", ADDON["deal.yaml"].replace("to: company", "to: firm"))
    assert keys(plan(system)) == ["rename company"]
    made = plan(system, rename__company="firm")
    assert made.steps and not made.problems
    system.promote(planned=service.plan_folder(system.settings, system.engine, system.plugins, made.answers))
    assert system.read("firm", firm)["name"] == "Firm"


# What fills what is now required

def test_empty_values_of_what_is_now_required_ask_what_fills_them(system: Live) -> None:
    system.create("company", name="Full", size=3)
    system.create("company", name="Empty")
    system.site.write("company.yaml", REQUIRED)
    asked, = plan(system).questions
    assert (asked.key, asked.count, [one.title for one in asked.samples]) == ("fill company.size", 1, ["Empty"])
    assert asked.free and [option.value for option in asked.options] == ["leave"]


def test_a_new_required_field_is_asked_for_all_records_there_are(system: Live) -> None:
    system.create("company", name="Firm")
    system.site.write("company.yaml", "change: table company\nfields:\n  region: {type: text, required: true}\n")
    asked, = plan(system).questions
    assert (asked.key, asked.count) == ("fill company.region", 1)


@pytest.mark.parametrize("said", ["fill: 1", 'fill: "=1 + 1"', "default: 1", 'default: "=1 + 1"'])
def test_the_definition_may_say_what_fills(system: Live, said: str) -> None:
    system.create("company", name="Empty")
    system.site.write("company.yaml", f"change: table company\nfields:\n  size: {{required: true, {said}}}\n")
    assert keys(plan(system)) == []


def test_nothing_is_asked_where_no_record_is_empty_or_the_field_is_optional(system: Live) -> None:
    system.create("company", name="Full", size=3)
    system.site.write("company.yaml", REQUIRED)
    assert keys(plan(system)) == []
    system.site.write("company.yaml", "change: table company\nfields:\n  region: {type: text}\n")
    assert keys(plan(system)) == []


def test_an_answer_that_does_not_fit_the_field_is_told(system: Live) -> None:
    system.create("company", name="Empty")
    system.site.write("company.yaml", REQUIRED)
    for answer, problem in WRONG:
        made = plan(system, fill__company_in_size=answer)
        said, = map(str, made.problems)
        assert problem in said and made.steps == ()
    assert plan(system, fill__company_in_size="leave").problems == ()


# Where removed values go

def test_records_that_hold_a_removed_value_ask_where_they_go(system: Live) -> None:
    system.create("company", name="Held", kind="partner")
    system.create("company", name="Not held", kind="customer")
    system.site.addon("kinds.yaml", FEWER)
    asked, = plan(system).questions
    assert (asked.key, asked.count, [one.title for one in asked.samples]) == ("choices company_kind.partner", 1, ["Held"])
    assert [option.value for option in asked.options] == ["keep", "customer"] and not asked.free


def test_a_value_that_no_record_holds_is_gone_without_a_question(system: Live) -> None:
    system.create("company", name="Not held", kind="customer")
    system.site.addon("kinds.yaml", FEWER)
    made = plan(system)
    assert made.questions == () and made.problems == () and made.steps


def test_a_way_back_asks_nobody(system: Live) -> None:
    system.site.addon("kinds.yaml", FEWER + "  partner: {title: Partner}\n  press: {title: Press}\n")
    system.site.write("company.yaml", "change: table company\nfields:\n  size: {required: true}\n")
    system.promote()
    system.create("company", name="Held", kind="press", size=1)
    system.site.write("company.yaml", None)
    system.promote()
    system.create("company", name="Empty")
    back = service.plan_rollback(system.settings, system.engine, 1, system.plugins).plan
    assert back.questions == () and back.problems == () and back.steps
    forward = service.plan_rollback(system.settings, system.engine, 2, system.plugins).plan
    assert forward.answers == {"fill company.size": "leave"} and forward.steps


# Answers

def test_an_answer_that_is_none_and_one_that_nobody_asked_for_are_told(system: Live) -> None:
    system.create("company", name="Held", kind="partner")
    system.site.addon("kinds.yaml", FEWER)
    made = plan(system, choices__company_kind_in_partner="nobody", fill__company_in_size="3")
    assert list(map(str, made.problems)) == [
        '"nobody" is no answer to "choices company_kind.partner"; say one of: keep, customer',
        'nothing asks "fill company.size"; asked is: choices company_kind.partner']


def test_answers_are_part_of_the_plan_and_of_its_hash(system: Live) -> None:
    system.create("company", name="Held", kind="partner")
    system.site.addon("kinds.yaml", FEWER)
    kept, moved = (plan(system, choices__company_kind_in_partner=answer) for answer in ("keep", "customer"))
    assert kept.hash != moved.hash
    assert moved.as_json()["answers"] == {"choices company_kind.partner": "customer"}


def test_answers_are_read_from_a_file_and_from_pairs(tmp_path: Path) -> None:
    file = tmp_path / "answers.yaml"
    file.write_text("rename company.phone: telephone\nfill company.size: 3\nfill company.ok: true\n")
    read = read_answers(file, ["choices stage.lost=keep", "fill company.total==size * 2"])
    assert read == {"rename company.phone": "telephone", "fill company.size": "3", "fill company.ok": "true",
                    "choices stage.lost": "keep", "fill company.total": "=size * 2"}
    file.write_text(as_yaml(read))
    assert read_answers(file) == read


@pytest.mark.parametrize(("text", "said"), [
    ("a b: 1\na b: 2\n", ":2:1:"), ("- a\n", "answers are written as lines"), ("a b: [1]\n", ":1: the answer to"),
    ("a b:\n", ":1: the answer to"), ("a: b: c\n", ":1:"),
])
def test_what_is_wrong_in_a_file_of_answers_is_told_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "answers.yaml"
    file.write_text(text)
    with pytest.raises(Refused, match="answers") as refused:
        read_answers(file)
    assert said in str(refused.value)


def test_a_file_that_is_not_there_and_pairs_that_are_none_are_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="cannot be read"):
        read_answers(tmp_path / "none.yaml")
    for pair in ("fill company.size", "=3", "fill company.size="):
        with pytest.raises(Refused, match="write it as KEY=VALUE"):
            read_answers(None, [pair])
    with pytest.raises(Refused, match="answered twice"):
        read_answers(None, ["fill a.b=1", "fill a.b=2"])
