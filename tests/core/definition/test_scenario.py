"""The kind scenario: people, records, steps, refusals, and what must hold."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.definition import references
from core.definition.kinds.verbs import VERBS
from core.definition.model import Model
from core.definition.processes import every_step
from core.definition.scope import Written
from core.types.base import Type
from tests.core.definition.desk import load_desk, told

SUPPORT = """
scenario: support
title: A request is opened by its supervisor only
help: Two persons, as the seeds tell it.
now: 2026-03-02T08:00:00Z
users:
  ann:  {roles: [clerk]}
  john: {roles: [clerk, boss], with: {email: john@example.org}}
given:
  acme:    {of: party, with: {name: Acme, email: info@example.org}}
  mail:    {of: event, with: {title: It is broken, party: =acme, direction: in}}
do:
  request: {as: ann, create: support_request, with: {title: =mail.title, client: =acme, owner: =ann, supervisor: =john}}
  link:    {as: ann, set: mail, with: {ticket: =request}}
  submit:  {as: ann, fire: submit, record: request}
  waits:   {expect: request.phase == 'waiting'}
  no:      {as: ann, refuse: {fire: open, record: request, because: assignor}}
  early:   {as: john, refuse: {set: request, with: {starts: 2026-02-02, ends: 2026-01-01}, because: dates}}
  open:    {as: john, fire: open, record: request}
  days:    {wait: 3 days}
  mails:   {find: {of: event, where: ticket == request}}
  each:    {for: mails, do: {known: {expect: each.party == acme}}}
  more:    {if: "count(mails) > 5", do: {never: {expect: count(mails) == 0}}}
  copy_it: {as: clerk, copy: mail}
  close:   {as: john, fire: close, record: request, with: {reason: Repaired.}}
  locked:  {as: ann, refuse: {set: request, with: {client: =acme}, because: boss}}
  gone:    {as: ann, refuse: {delete: request}}
  lead:    {as: ann, call: follow_up, record: mail, answers: {answer: {title: Again}}}
expect:
  closed:  request.phase == 'done'
  told:    "exists(all.event[ticket == request and title == 'Repaired.'])"
"""

FOLLOW_UP = """
agent: follow_up
of: event
when: {call: true}
do:
  answer: {ask: {title: {like: ticket.title}}}
  ticket: {create: support_request, with: {title: =answer.title}}
"""


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    """The desk with a scenario that uses what there is."""
    return load_desk(tmp_path_factory.mktemp("desk"),
                     {"scenarios/support.yaml": SUPPORT, "agents/follow_up.yaml": FOLLOW_UP}).must()


def test_a_scenario_has_people_records_steps_and_ends(model: Model) -> None:
    one = model.scenarios["support"]
    assert one.users == {"ann": ("clerk",), "john": ("clerk", "boss")}
    assert [(name, step.parts["create"]) for name, step in one.given.items()] == [("acme", "party"), ("mail", "event")]
    assert [step.user for step in one.steps.values()][:4] == ["ann", "ann", "ann", None]
    assert list(one.expect) == ["closed", "told"] and one.now == "2026-03-02T08:00:00Z"


def test_people_records_and_results_are_variables(model: Model) -> None:
    given = model.scenarios["support"].expect["closed"].scope.given
    assert (given["ann"], given["mail"], given["request"]) == (
        Type("link", "user"), Type("link", "event"), Type("link", "support_request"))
    assert given["mails"] == Type("link", "event", True)


def test_what_must_hold_is_a_condition(model: Model) -> None:
    assert all(one.expression.type == Type("boolean") for one in model.scenarios["support"].expect.values())


def test_a_refusal_holds_the_step_that_is_refused(model: Model) -> None:
    no = model.scenarios["support"].steps["no"]
    inner = no.steps["refuse"]
    assert (no.verb, no.said.refuse.because, inner.verb, inner.said.fire) == ("refuse", "assignor", "fire", "open")
    assert isinstance(inner.parts["record"], Written)


def test_verbs_that_only_scenarios_have_are_no_steps_of_agents(tmp_path: Path) -> None:
    assert {name for name, verb in VERBS.items() if verb.places == {"scenario"}} == {"expect", "refuse"}
    assert told(tmp_path, "agents/a.yaml", "agent: a\nof: ticket\nwhen: {call: true}\ndo:\n  b: {refuse: {fire: open}}\n") \
        == ['agents/a.yaml:5:7: "refuse" is no step of an agent']


def test_what_a_scenario_names_is_in_the_reference_graph(model: Model) -> None:
    named = {(one.to_kind, one.to_name) for one in references(model) if one.kind == "scenario"}
    assert {("role", "boss"), ("table", "support_request"), ("table", "ticket.client"), ("agent", "follow_up"),
            ("workflow", "ticket.transitions.close"), ("table", "event.party")} <= named


def test_answers_are_for_what_the_agent_asks(tmp_path: Path) -> None:
    scenario = "scenario: s\ngiven: {mail: {of: event, with: {title: x}}}\ndo:\n" \
               "  a: {call: follow_up, record: mail, answers: {answer: {titel: x}}}\n" \
               "  b: {call: follow_up, record: mail, answers: {anser: {title: x}}}\nexpect: {c: mail.title == 'x'}\n"
    found = load_desk(tmp_path, {"scenarios/s.yaml": scenario, "agents/follow_up.yaml": FOLLOW_UP}).problems
    assert [str(one).removeprefix("addons/desk/") for one in found] == [
        'scenarios/s.yaml:4:57: "answer" does not ask "titel" (did you mean "title"?)',
        'scenarios/s.yaml:5:48: agent "follow_up" has no question "anser" (did you mean "answer"?)']


def test_every_step_of_a_scenario_is_found(model: Model) -> None:
    names = [step.name for step in every_step(model.scenarios["support"].steps)]
    assert "known" in names and "never" in names


PLURAL = """
scenario: plural
given:
  ann:  {of: user, with: {name: Ann}}
  acme: {of: party, with: {name: Acme, email: info@example.org}}
do:
  sales: {create: team, with: {name: Sales, members: =ann}}
  all_:  {create: team, with: {name: Everybody, members: "=all.user[name != 'Ann']"}}
  wrong: {create: team, with: {name: Nobody, members: =acme}}
expect: {both: "exists(all.team[name == 'Sales'])"}
"""


def test_a_plural_link_takes_a_record_or_a_set_of_its_table(tmp_path: Path) -> None:
    assert told(tmp_path, "scenarios/plural.yaml", PLURAL) == [
        'scenarios/plural.yaml:9:46: "members" leads to records of table "user", and these are of "party"']


def test_a_refusal_may_be_because_of_a_unique(tmp_path: Path) -> None:
    scenario = "scenario: twice\ndo:\n  first: {create: crew, with: {name: Sales}}\n" \
               "  second: {refuse: {create: crew, with: {name: Sales}, because: only_once}}\n"
    table = "table: crew\nfields: {name: {type: text}}\nunique: {only_once: {fields: [name]}}\n"
    found = load_desk(tmp_path, {"scenarios/twice.yaml": scenario, "tables/crew.yaml": table})
    assert not found.problems
