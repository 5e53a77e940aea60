"""A plan as people read it: what to know first, changes by definition with their places, questions, steps, the way back."""

from __future__ import annotations

import pytest

from core.bm import service
from core.bm.engine.steps import Plan
from core.bm.planning.describe import as_text, needs_thought, question_lines
from tests.core.bm.conftest import Live
from tests.core.bm.sites import ADDON

WITHOUT_SIZE = ADDON["company.yaml"].replace("          size: {type: integer}\n", "")
CLERK = "role: clerk\ntitle: Clerk\ngrants:\n  company: {{read: {0}}}\n  company.size: {{read: {1}}}\n"


def planned(system: Live, answers: dict[str, str] | None = None) -> Plan:
    return service.plan_folder(system.settings, system.engine, system.plugins, answers or {}).plan


def text(system: Live, answers: dict[str, str] | None = None) -> str:
    """The text without the folder of the test."""
    return as_text(planned(system, answers)).replace(f"{system.site.folder}/", "")


def test_changes_stand_under_their_definition_with_the_places_of_both(system: Live) -> None:
    system.site.write("company.yaml", "change: table company\ntitle: Firm\nfields:\n  region: {type: text}\n"
                                      "  size: {title: People}\n")
    lines = text(system).splitlines()
    table = next(number for number, line in enumerate(lines) if line.startswith("  ~ table company"))
    assert lines[table].endswith("addons/shop/company.yaml:1:1")
    assert '      ~ title: "Company" -> "Firm"' in lines[table + 1]
    region = next(line for line in lines if "+ field company.region" in line)
    assert region.startswith("      + field") and region.endswith("metadata/company.yaml:4:3")


def test_the_end_says_how_much_and_how_risky(system: Live) -> None:
    system.site.write("company.yaml", "change: table company\nfields:\n  region: {type: text}\n")
    assert "Plan: 1 to add, 0 to change, 0 to remove. Risk: additive." in text(system)
    assert "Steps: 3 metadata, 1 additive." in text(system)
    assert not needs_thought(planned(system))


def test_questions_come_with_counts_options_the_definitions_own_way_and_no_steps(system: Live) -> None:
    system.create("company", name="Held", kind="partner")
    system.site.addon("kinds.yaml", "choices: company_kind\nvalues:\n  customer: {title: Customer}\n")
    said = text(system)
    for part in ("This has to be said first:", "choices company_kind.partner", "1 record (", "Held", "keep  ",
                 "in the definition: was: partner on the value", "Three ways to say it"):
        assert part in said, part
    assert "Steps:" not in said
    asked, = planned(system).questions
    assert "VALUE" not in "\n".join(question_lines(asked))
    answered = text(system, {"choices company_kind.partner": "keep"})
    assert "Answers:\n  choices company_kind.partner: keep" in answered and "Steps:" in answered


# What is said first

def test_a_field_that_goes_out_of_sight_says_how_many_values_and_of_when(system: Live) -> None:
    for size in (1, 2, None):
        system.create("company", name="Firm", size=size)
    system.site.addon("company.yaml", WITHOUT_SIZE)
    warning, = map(str, planned(system).warnings)
    day = system.sql("select current_date::text")[0][0]
    assert warning == (f"field company.size goes out of sight; values in it: 2, last changed on {day}; they are "
                       "kept for 30 days")
    assert needs_thought(planned(system)) and text(system).index("Know this first:") < text(system).index("- field")


def test_a_rename_says_so_first(system: Live) -> None:
    system.site.addon("company.yaml", ADDON["company.yaml"].replace("size: {", "people: {was: size, "))
    assert list(map(str, planned(system).warnings)) == [
        "field company.size is renamed company.people: pages and the API say people from then on"]


@pytest.mark.parametrize(("before", "after", "said"), [
    (("true", "false"), ("true", "true"), "could not: company.size (places: 1)"),
    (("false", "false"), ("true", "true"), "could not: company (places: 1)"),
])
def test_wider_rights_are_named_by_role_and_place(system: Live, before: tuple[str, str], after: tuple[str, str],
                                                  said: str) -> None:
    system.site.write("clerk.yaml", CLERK.format(*before))
    system.promote()
    system.site.write("clerk.yaml", CLERK.format(*after))
    found = [str(one) for one in planned(system).warnings if "role clerk may read" in str(one)]
    assert [one[-len(said):] for one in found] == [said]


def test_narrower_rights_a_new_role_and_other_changes_widen_nothing(system: Live) -> None:
    system.site.write("clerk.yaml", CLERK.format("true", "true"))
    assert planned(system).warnings == ()
    system.promote()
    system.site.write("clerk.yaml", CLERK.format("true", "false"))
    assert planned(system).warnings == ()


def test_a_parked_field_that_returns_says_who_may_read_it(system: Live) -> None:
    system.site.write("clerk.yaml", CLERK.format("true", "true"))
    system.promote()
    system.create("company", name="Firm", size=3)
    system.site.addon("company.yaml", WITHOUT_SIZE)
    system.site.write("clerk.yaml", "role: clerk\ntitle: Clerk\ngrants:\n  company: {read: true}\n")
    system.promote()
    system.site.addon("company.yaml", ADDON["company.yaml"])
    warning, = map(str, planned(system).warnings)
    assert warning == "field company.size returns with its values; who may read it: clerk"


# The way back

def way_back(system: Live, answers: dict[str, str] | None = None) -> str:
    return "\n".join(map(str, planned(system, answers).way_back))


def test_requirement_8_what_only_adds_can_be_taken_back_at_any_time(system: Live) -> None:
    system.site.write("company.yaml", "change: table company\nfields:\n  region: {type: text}\n")
    assert "it can be taken back at any time" in way_back(system)
    assert "what people enter in company.region meanwhile is put out of sight" in way_back(system)


def test_the_days_that_something_is_kept_are_those_of_this_system(system: Live) -> None:
    system.create("company", name="Firm", size=1)
    system.site.addon("company.yaml", WITHOUT_SIZE)
    kept = system.settings.model_copy(update={"parked_days": 90})
    made = service.plan_folder(kept, system.engine, system.plugins).plan
    assert "kept for 90 days" in str(made.warnings[0]) and "in 90 days at the earliest" in str(made.way_back[0])


def test_what_is_removed_comes_back_until_it_is_purged(system: Live) -> None:
    system.site.addon("company.yaml", WITHOUT_SIZE)
    assert "until it is purged, in 30 days at the earliest, going back brings company.size" in way_back(system)
    assert "at any time" not in way_back(system)


def test_requirement_8_what_becomes_stricter_or_looser_says_what_that_means_on_the_way_back(system: Live) -> None:
    system.site.write("company.yaml", "change: table company\nfields:\n  size: {required: true}\n"
                                      "unique:\n  once: {fields: [name]}\n")
    assert "going back makes company.size optional again" in way_back(system)
    system.promote()
    system.site.write("company.yaml", None)
    said = way_back(system)
    assert "records saved without company.size meanwhile stay empty" in said
    assert "records that become equal meanwhile stop the way back, until they differ: company.once" in said


def test_the_first_version_has_no_way_back(system: Live) -> None:
    from core.bm.inputs.facts import Facts
    from core.bm.planning.plan import plan
    from core.bm.versions.state import EMPTY
    assert plan(EMPTY, system.site.state(), Facts()).way_back == ()
