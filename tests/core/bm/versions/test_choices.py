"""Values of choices and states of workflows that get another name, are merged or removed: records follow at the flip."""

from __future__ import annotations

from typing import Any

import pytest

from core.bm import service
from core.errors import Refused
from tests.core.bm.conftest import Live
from tests.core.bm.sites import ADDON

KINDS = "addons/shop/kinds.yaml"
BOTH = """
change: table deal
fields:
  kind:  {type: choice, of: company_kind}
  kinds: {type: choice, of: company_kind, many: true}
"""


def define(system: Live, values: str) -> None:
    system.site.addon("kinds.yaml", "choices: company_kind\nvalues:\n" + values)


def read(system: Live, table: str, name: str) -> list[Any]:
    return [row[name] for row in system.records(
        lambda records: records.page(table, [name], order=["id"], limit=100).records)]


@pytest.fixture
def filled(system: Live) -> Live:
    system.site.write("deal.yaml", BOTH)
    system.promote()
    for kind in ("customer", "partner", None):
        system.create("company", name="Acme", kind=kind)
        system.create("deal", title="Pilot", kind=kind, kinds=[kind] if kind else None)
    system.create("deal", title="Pilot", kinds=["partner", "customer"])
    return system


def test_requirement_2_a_renamed_value_is_renamed_in_every_table_at_once(filled: Live) -> None:
    define(filled, "  client: {title: Client, was: customer}\n  partner: {title: Partner}\n")
    plan = filled.plan().plan
    assert not plan.problems and not plan.questions
    assert [step.target for step in plan.steps if step.kind == "fill"] == ["company", "deal"]
    filled.promote()
    assert read(filled, "company", "kind") == ["client", "partner", None]
    assert read(filled, "deal", "kind") == ["client", "partner", None, None]
    assert read(filled, "deal", "kinds") == [["client"], ["partner"], None, ["partner", "client"]]
    assert filled.plan().plan.empty
    filled.rollback()
    assert read(filled, "company", "kind") == ["customer", "partner", None]
    assert read(filled, "deal", "kinds") == [["customer"], ["partner"], None, ["partner", "customer"]]


def test_merged_values_are_told_apart_again_on_the_way_back(filled: Live) -> None:
    define(filled, "  any: {title: Any, was: [customer, partner]}\n")
    said = [str(change.describe()) for change in filled.plan().plan.changes if change.kind == "choice"]
    assert "choice company_kind.customer is renamed company_kind.any" in said
    assert "choice company_kind.partner is renamed company_kind.any" in said          # and not: is removed
    filled.promote()
    assert read(filled, "company", "kind") == ["any", "any", None]
    assert read(filled, "deal", "kinds") == [["any"], ["any"], None, ["any"]]
    new = filled.create("company", name="New", kind="any")
    filled.rollback()
    assert read(filled, "company", "kind") == ["customer", "partner", None, "customer"]
    assert read(filled, "deal", "kinds") == [["customer"], ["partner"], None, ["partner", "customer"]]
    filled.promote()
    assert filled.read("company", new)["kind"] == "any"


def test_of_a_removed_value_it_is_asked_what_its_records_get(filled: Live) -> None:
    define(filled, "  partner: {title: Partner}\n  other: {title: Other}\n")
    [question] = filled.plan().plan.questions
    assert question.key == "choices company_kind.customer" and question.count == 4
    with pytest.raises(Refused):
        filled.promote()
    planned = service.plan_folder(filled.settings, filled.engine, filled.plugins,
                                  {"choices company_kind.customer": "other"})
    filled.promote(planned=planned)
    assert read(filled, "company", "kind") == ["other", "partner", None]
    assert read(filled, "deal", "kinds") == [["other"], ["partner"], None, ["partner", "other"]]
    filled.rollback()
    assert read(filled, "company", "kind") == ["customer", "partner", None]
    filled.create("company", name="New", kind="customer")
    filled.promote()                                        # what was answered counts, for new records too
    assert read(filled, "company", "kind") == ["other", "partner", None, "other"]
    assert read(filled, "deal", "kinds") == [["other"], ["partner"], None, ["partner", "other"]]


def test_kept_a_removed_value_stays_where_it_is(filled: Live) -> None:
    define(filled, "  partner: {title: Partner}\n")
    planned = service.plan_folder(filled.settings, filled.engine, filled.plugins,
                                  {"choices company_kind.customer": "keep"})
    assert "fill" not in {step.kind for step in planned.plan.steps}
    filled.promote(planned=planned)
    assert read(filled, "company", "kind") == ["customer", "partner", None]


def test_a_name_that_expressions_still_use_is_followed(filled: Live) -> None:
    filled.site.write("company.yaml", "change: table company\nrules:\n  one: {check: \"kind != 'customer' or size > 0\"}\n")
    filled.promote()
    define(filled, "  client: {title: Client, was: customer}\n  partner: {title: Partner}\n")
    filled.promote()
    from core.errors import Invalid
    with pytest.raises(Invalid):
        filled.create("company", name="Acme", kind="client", size=0)
    filled.create("company", name="Acme", kind="client", size=1)


WORKFLOW = """
workflow: ticket
of: ticket
field: stage
states:
  STATE
  done: {title: Done, phase: done}
transitions:
  finish: {from: FROM, to: done}
"""
BEGIN = "  begin: {from: fresh, to: doing}\n"


def test_states_are_renamed_and_merged_too(system: Live) -> None:
    system.site.write("ticket.yaml", "change: table ticket\nfields:\n  stage: {type: state}\n")

    def define(states: str, start: str, more: str = "") -> None:
        system.site.write("flow.yaml", WORKFLOW.replace("STATE", states).replace("FROM", start) + more)
    define("fresh: {title: Fresh, phase: open}\n  doing: {title: Doing, phase: open}", "[fresh, doing]", BEGIN)
    system.promote()
    for _ in range(2):
        system.create("deal", title="Pilot")
    define("open: {title: Open, phase: open, was: [fresh, doing]}", "[open]")
    system.promote()
    assert read(system, "deal", "stage") == ["open", "open"]
    assert read(system, "deal", "stage_phase") == ["open", "open"]
    system.rollback()
    assert read(system, "deal", "stage") == ["fresh", "fresh"]


# A parked field that returns

PLAIN = "title: Deals\n"


def parked_and_back(system: Live, values: str, answers: dict[str, str] | None = None, more: str = BOTH) -> None:
    """The fields go, then the choices change, then the fields return."""
    system.site.write("deal.yaml", "change: table deal\n" + PLAIN)
    system.promote()
    define(system, values)
    system.promote({one.key: "keep" for one in system.plan().plan.questions})
    system.site.write("deal.yaml", more)
    system.promote(answers)


def test_a_parked_field_that_returns_has_the_values_of_now(filled: Live) -> None:
    parked_and_back(filled, "  client: {title: Client, was: customer}\n  partner: {title: Partner}\n")
    assert read(filled, "deal", "kind") == ["client", "partner", None, None]
    assert read(filled, "deal", "kinds") == [["client"], ["partner"], None, ["partner", "client"]]
    assert filled.plan().plan.empty
    filled.rollback(2)                                      # the version that had the fields and the old names
    assert read(filled, "deal", "kind") == ["customer", "partner", None, None]
    assert read(filled, "deal", "kinds") == [["customer"], ["partner"], None, ["partner", "customer"]]


def test_a_way_back_to_a_field_that_was_parked_finds_the_values_of_then(filled: Live) -> None:
    define(filled, "  client: {title: Client, was: customer}\n  partner: {title: Partner}\n")
    filled.promote()
    late = filled.create("deal", title="Late", kind="client", kinds=["client"])
    filled.site.write("deal.yaml", "change: table deal\n" + PLAIN)
    filled.promote()
    filled.rollback(2)
    assert read(filled, "deal", "kind") == ["customer", "partner", None, None, "customer"]
    assert filled.read("deal", late)["kinds"] == ["customer"]


def test_of_a_value_that_went_meanwhile_a_returning_field_asks(filled: Live) -> None:
    values = "  partner: {title: Partner}\n  other: {title: Other}\n"
    with pytest.raises(Refused, match="this plan asks questions|answer"):
        parked_and_back(filled, values)
    [question] = filled.plan().plan.questions
    assert (question.key, question.count) == ("choices company_kind.customer", 3)
    filled.promote({"choices company_kind.customer": "other"})
    assert read(filled, "deal", "kind") == ["other", "partner", None, None]
    assert read(filled, "deal", "kinds") == [["other"], ["partner"], None, ["partner", "other"]]


def test_a_value_that_is_kept_returns_as_it_was(filled: Live) -> None:
    parked_and_back(filled, "  partner: {title: Partner}\n", {"choices company_kind.customer": "keep"})
    assert read(filled, "deal", "kind") == ["customer", "partner", None, None]


def test_a_parked_field_of_choices_that_are_called_otherwise_returns(filled: Live) -> None:
    filled.site.write("deal.yaml", "change: table deal\n" + PLAIN)
    filled.promote()
    filled.site.addon("kinds.yaml", "choices: sort\nwas: company_kind\nvalues:\n  client: {was: customer}\n  partner: {}\n")
    company = ADDON["company.yaml"].replace("of: company_kind", "of: sort")
    filled.site.addon("company.yaml", company)
    filled.promote()
    filled.site.write("deal.yaml", BOTH.replace("company_kind", "sort"))
    filled.promote()
    assert read(filled, "deal", "kind") == ["client", "partner", None, None]


def test_a_parked_field_of_states_returns_with_the_states_of_now(system: Live) -> None:
    field = "change: table ticket\nfields:\n  stage: {type: state}\n"
    flow = WORKFLOW.replace("FROM", "[fresh]")
    system.site.write("ticket.yaml", field)
    system.site.write("flow.yaml", flow.replace("STATE", "fresh: {title: Fresh, phase: open}"))
    system.promote()
    system.create("deal", title="Pilot")
    for name in ("ticket.yaml", "flow.yaml"):
        system.site.write(name, None)
    system.promote()
    system.site.write("ticket.yaml", field)
    system.site.write("flow.yaml", flow.replace("[fresh]", "[begun]").replace(
        "STATE", "begun: {title: Begun, phase: open, was: fresh}"))
    system.promote()
    assert read(system, "deal", "stage") == ["begun"]


def test_a_returning_field_that_is_filled_as_well_is_refused_with_the_way_out(filled: Live) -> None:
    parked_and_back(filled, "  client: {title: Client, was: customer}\n  partner: {title: Partner}\n",
                    more="change: table deal\n" + PLAIN + "help: Pilots\n")
    filled.site.write("deal.yaml", BOTH.replace("  kind:  {type: choice, of: company_kind}",
                                                "  kind:  {type: choice, of: company_kind, fill: partner}"))
    said, = map(str, filled.plan().plan.problems)
    assert '"deal.kind" returns with values of other names, and gets values' in said
