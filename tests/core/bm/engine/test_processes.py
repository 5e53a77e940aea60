"""Plans of workflows and agents: metadata only, told member by member; a choice that becomes a state keeps its values."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from core.bm.inputs.facts import Finding
from core.bm.planning.describe import as_text, details
from core.bm.planning.plan import plan
from core.bm.versions.diff import Added, Changed, Removed, diff
from core.bm.versions.state import State
from tests.core.bm.planning.test_plan import changed, facts_of, kinds
from tests.core.bm.sites import Site

TABLE = """
    table: case
    fields:
      name:  {type: text}
      stage: {type: TYPE}
    """
STATE = TABLE.replace("stage: {type: TYPE}", "stage: {type: state}")
CHOICE = TABLE.replace("{type: TYPE}", "{type: choice, of: stage}")
STAGE = """
    choices: stage
    values: {open: {}, done: {}}
    """
FLOW = """
    workflow: case
    of: case
    field: stage
    states:
      open: {phase: open}
      done: {phase: done}
    transitions:
      close: {from: open, to: done}
    """
AGENT = """
    agent: closing
    of: case
    when: {call: true}
    do:
      name:  {set: record, with: {name: Closed}}
      close: {fire: close}
    """


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site.make(tmp_path)


@pytest.fixture
def base(site: Site) -> State:
    """A version with a table, its workflow and an agent."""
    for name, text in (("case", STATE), ("flow", FLOW), ("agent", AGENT)):
        site.write(name + ".yaml", text)
    return site.state(first_new=1)


def test_a_changed_workflow_is_told_state_by_state(site: Site, base: State) -> None:
    flow = FLOW.replace("done: {phase: done}", "done: {phase: done, title: Finished}\n      "
                        "held: {phase: paused}").replace("close: {from: open", "hold: {from: open, to: held}\n      "
                                                         "close: {from: [open, held]")
    target = changed(site, base, flow=flow)
    found = diff(base, target)
    assert [(type(one), str(one.describe())) for one in found] == [
        (Changed, "state case.done"), (Added, "state case.held"), (Added, "transition case.hold"),
        (Changed, "transition case.close")]
    assert details(found[1]) == ['phase = "paused"']


def test_a_changed_workflow_or_agent_is_metadata_only(site: Site, base: State) -> None:
    agent = AGENT.replace("Closed", "Shut")
    target = changed(site, base, flow=FLOW.replace("to: done}", "to: done, title: Shut}"), agent=agent)
    made = plan(base, target, facts_of(base))
    assert (made.problems, made.risk, kinds(made)) == ((), "metadata", ["stage", "prepare", "flip"])
    assert "~ step closing.name" in as_text(made) and '~ with.name: "Closed" -> "Shut"' in as_text(made)


def test_of_a_removed_state_that_records_are_in_it_is_asked_where_they_go(site: Site, base: State) -> None:
    flow = FLOW.replace("done: {phase: done}", "over: {phase: done}").replace("to: done", "to: over")
    target = changed(site, base, flow=flow)
    facts = replace(facts_of(base), findings={("holds", "case.done"): Finding(3)})
    made = plan(base, target, facts)
    assert any(isinstance(one, Removed) for one in made.changes)
    assert [(one.key, one.count) for one in made.questions] == [("choices case.done", 3)]
    assert [one.value for one in made.questions[0].options][:1] == ["keep"]
    assert not plan(base, target, facts, answers={"choices case.done": "keep"}).questions


def test_a_choice_becomes_a_state_and_back_without_a_new_column(site: Site) -> None:
    site.write("case.yaml", CHOICE)
    site.write("stage.yaml", STAGE)
    before = site.state(first_new=1)
    after = changed(site, before, case=STATE, flow=FLOW)
    made = plan(before, after, facts_of(before))
    assert (made.problems, made.risk) == ((), "metadata")
    assert after.identities["case.stage"] == before.identities["case.stage"]
    assert plan(after, before, facts_of(after), back=True).problems == ()


def test_renaming_a_table_keeps_the_states_of_its_records(site: Site, base: State) -> None:
    renamed = STATE.replace("table: case", "table: matter\n    was: case")
    target = changed(site, base, case=renamed, flow=FLOW.replace("of: case", "of: matter"),
                     agent=AGENT.replace("of: case", "of: matter"))
    made = plan(base, target, facts_of(base))
    assert (made.problems, made.risk) == ((), "metadata")
