"""The kind workflow: states as choices, the phase, ways between states, inheritance, layers."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.definition import references
from core.definition.model import Model
from core.definition.processes import Duration, cron, duration
from core.definition.texts import text
from core.types.base import Type
from tests.core.definition.crm_workflows import WORKFLOWS
from tests.core.definition.desk import FILES, load_desk, told
from tests.core.definition.sets import load_set


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    """The desk, whose base `ticket` and kind `opportunity` have workflows."""
    return load_desk(tmp_path_factory.mktemp("desk")).must()


def test_states_and_transitions_are_values(model: Model) -> None:
    flow = model.workflows["ticket"]
    assert (flow.of, flow.field, flow.start) == ("ticket", "state", "draft")
    assert flow.states["open"].fields == {"client": (), "ends": ("assignor",)}
    assert [state.edit for state in flow.states.values()][-3:] == [None, ("boss",), ()]
    close = flow.transitions["close"]
    assert (close.sources, close.to, close.who) == (("open", "suspended"), "closed", ("assignee", "assignor"))
    assert close.undo == Duration(10, "seconds")
    assert close.if_ is not None and close.if_.type == Type("boolean")
    assert close.ask is not None and close.ask.fields["reason"].required is True
    assert flow.transitions["pause"].who == ("assignee",)
    assert flow.transitions["submit"].who == ("owner", "assignee") and flow.transitions["submit"].ask is None
    assert flow.transitions["expire"].who == () and flow.transitions["expire"].auto is not None
    assert flow.worklist["mine"].states == ("open", "suspended") and flow.worklist["submitted"].states == ("submitted",)


def test_steps_of_a_transition_know_the_record_and_the_answers(model: Model) -> None:
    note = model.workflows["ticket"].transitions["close"].steps["note"]
    assert dict(note.scope.given) == {"record": Type("link", "ticket"), "answer.reason": Type("text")}


def test_a_workflow_serves_every_table_under_its_own_that_has_none(model: Model) -> None:
    assert list(model.choices["support_request.state"].values) == list(model.workflows["ticket"].states)
    assert list(model.choices["opportunity.state"].values) == list(model.workflows["opportunity"].states)


def test_states_of_a_kind_can_be_read_at_its_base_and_not_chosen(model: Model) -> None:
    values = model.choices["ticket.state"].values
    assert [name for name, value in values.items() if value.retired] == ["offered", "sold"]
    assert values["closed"].title == "Closed"       # the base's own word, where both have one


def test_a_new_record_begins_with_the_start(model: Model) -> None:
    assert [model.tables[table].fields["state"].default for table in ("support_request", "opportunity")] == [
        "draft", "draft"]


def test_the_start_of_a_kinds_workflow_wins_over_that_of_the_base(tmp_path: Path) -> None:
    flow = FILES["workflows/opportunity.yaml"].replace("states:", "start: open\nstates:").replace(
        "validate: {from: draft, to: open}", "back: {from: open, to: draft}\n  validate: {from: draft, to: open}")
    model = load_desk(tmp_path, {"workflows/opportunity.yaml": flow}).must()
    assert model.tables["opportunity"].fields["state"].default == "open"
    assert model.tables["support_request"].fields["state"].default == "draft"


def test_the_phase_is_a_computed_field_of_each_table(model: Model) -> None:
    for table in ("ticket", "support_request", "opportunity"):
        field = model.tables[table].fields["phase"]
        assert field.virtual and field.expression_type == Type("choice", "phase")
        assert field.formula is not None and field.formula.reads <= {("state",), ("id",)}
    formula = model.tables["opportunity"].fields["phase"].formula
    assert formula is not None and "'waiting' if state in ['offered']" in formula.source


def test_a_state_that_means_two_things_asks_which_kind_of_record_it_is(model: Model) -> None:
    formula = model.tables["ticket"].fields["phase"].formula
    assert formula is not None
    assert "(state == 'closed' and not (record is opportunity))" in formula.source


def test_titles_of_states_are_texts_of_the_workflow(model: Model) -> None:
    assert model.choices["opportunity.state"].values["open"].path == "workflow opportunity.states.open"
    assert text(model, "workflow opportunity.states.open.title", "en") == "Contacted"
    assert text(model, "workflow ticket.transitions.pause.title", "en") == "Pause"


def test_texts_of_workflows_are_translated(tmp_path: Path) -> None:
    catalogue = "".join(f'msgctxt "{path}"\nmsgid "x"\nmsgstr "{word}"\n\n' for path, word in (
        ("workflow ticket.states.open.title", "已开启"), ("workflow ticket.transitions.close.confirm", "关闭？"),
        ("workflow ticket.worklist.mine.title", "我的{plural}")))
    flow = FILES["workflows/ticket.yaml"].replace("    undo: 10 seconds\n", '    undo: 10 seconds\n    confirm: "Close?"\n')
    loaded = load_desk(tmp_path, {"translations/zh_CN.po": catalogue, "workflows/ticket.yaml": flow})
    assert text(loaded.must(), "workflow ticket.states.open.title", "zh_CN") == "已开启"
    assert text(loaded.must(), "workflow ticket.transitions.close.confirm", "zh_CN") == "关闭？"


def test_a_layer_adds_a_state_after_another_and_opens_a_way_to_it(tmp_path: Path) -> None:
    files = {f"addons/desk/{path}": words for path, words in FILES.items()}
    files["metadata/system.yaml"] = "system: main\naddons: [desk]\n"
    files["metadata/ticket.yaml"] = """
change: workflow ticket
states:
  legal: {title: Legal check, phase: open, edit: [assignor], after: submitted}
transitions:
  open:  {from: {add: [legal]}}
  pause: {from: {add: [legal]}, title: Suspend}
  check_it: {title: Have it checked, from: submitted, to: legal, before: open}
  close: {do: {note: {with: {title: Closed.}}, log: {message: Done., before: note}}}
"""
    flow = load_set(tmp_path, files).must().workflows["ticket"]
    assert list(flow.states)[:4] == ["draft", "submitted", "legal", "open"]
    assert flow.transitions["open"].sources == ("draft", "submitted", "suspended", "legal")
    assert flow.transitions["pause"].sources == ("open", "legal")
    assert list(flow.transitions)[:3] == ["submit", "check_it", "open"]
    assert list(flow.transitions["close"].steps) == ["log", "note", "tell"]
    assert flow.transitions["close"].steps["note"].said.with_ == {"title": "Closed.", "ticket": "=record"}


def test_what_a_workflow_names_is_in_the_reference_graph(model: Model) -> None:
    named = {(one.kind, one.to_kind, one.to_name) for one in references(model) if one.name == "ticket"}
    assert {("workflow", "table", "ticket.client"), ("workflow", "role", "boss"), ("workflow", "table", "ticket.assignor"),
            ("workflow", "table", "ticket.complete"), ("workflow", "workflow", "ticket.states.suspended"),
            ("workflow", "table", "event.title"), ("table", "workflow", "ticket.transitions.open")} <= named


def test_a_condition_that_names_a_state_refers_to_its_workflow(tmp_path: Path) -> None:
    lists = {"lists/ticket.yaml": "list: ticket\nof: ticket\ncolumns: {title: {}}\n"
                                  "filters: {sold: {where: state == 'sold'}}\n"}
    model = load_desk(tmp_path, lists).must()
    assert ("workflow", "opportunity.states.sold") in {
        (one.to_kind, one.to_name) for one in references(model) if one.kind == "list"}


@pytest.mark.parametrize("name", WORKFLOWS)
def test_the_workflows_of_a_crm_can_be_said(name: str, tmp_path: Path) -> None:
    other = {"workflows/opportunity.yaml": ""} if name == "ticket" else {}
    words = "workflow: ticket\nof: ticket" + WORKFLOWS[name]
    tables = FILES["tables/ticket.yaml"].replace("at: [open]", "at: []")
    files = {**FILES, **other, "workflows/ticket.yaml": words, "tables/ticket.yaml": tables}
    files = {f"addons/desk/{path}": each for path, each in files.items() if each}
    loaded = load_set(tmp_path, files)
    assert [str(problem) for problem in loaded.problems] == []
    assert loaded.must().workflows["ticket"].states


def test_two_workflows_serve_two_fields_of_a_table(tmp_path: Path) -> None:
    table = FILES["tables/ticket.yaml"].replace("  client:", "  payment:   {type: state}\n  client:", 1)
    payment = """
workflow: payment
of: ticket
field: payment
states:
  unpaid: {phase: open}
  paid:   {phase: done}
transitions:
  pay: {from: unpaid, to: paid}
"""
    model = load_desk(tmp_path, {"tables/ticket.yaml": table, "workflows/payment.yaml": payment}).must()
    fields = model.tables["opportunity"].fields
    assert fields["payment"].default == "unpaid" and "payment_phase" in fields and "phase" in fields


def test_transitions_of_two_workflows_of_a_table_have_different_names(tmp_path: Path) -> None:
    table = FILES["tables/ticket.yaml"].replace("  client:", "  payment:   {type: state}\n  client:", 1)
    payment = ("workflow: payment\nof: ticket\nfield: payment\nstates: {unpaid: {phase: open}, paid: {phase: done}}\n"
               "transitions:\n  close: {from: unpaid, to: paid}\n")
    problems = load_desk(tmp_path, {"tables/ticket.yaml": table, "workflows/payment.yaml": payment}).problems
    assert [str(one) for one in problems] == [
        'addons/desk/workflows/ticket.yaml:17:3: workflow "payment" has a transition "close" for the same table: give one '
        "of them another name"]


@pytest.mark.parametrize(("words", "found"), [
    ("10 seconds", Duration(10, "seconds")), ("1 workday", Duration(1, "workdays")), ("3 workdays", Duration(3, "workdays")),
    ("0 days", None), ("3", None), ("days", None), ("3 fortnights", None), ("3  days", None), ("-1 days", None),
    ("1000000 days", None)])
def test_durations_are_a_number_and_a_unit(words: str, found: Duration | None) -> None:
    assert duration(words) == found
    assert found is None or duration(str(found)) == found


@pytest.mark.parametrize("line", ["0 8 * * *", "*/15 * * * 1-5", "0 0 1 jan,jul *", "5,35 8-18 * * mon-fri", "0 0 * * 7"])
def test_a_timetable_is_five_parts(line: str) -> None:
    assert cron(line) is None


@pytest.mark.parametrize("line", ["", "0 8 * *", "60 8 * * *", "0 8 0 * *", "0 8 * 13 *", "0 8 * * 8", "0 8 * * 5-1",
                                  "0 8 * * mo", "*/0 * * * *", "0 8 * * 1--2", "@daily", "１ 8 * * *"])
def test_what_is_no_timetable_is_told(line: str) -> None:
    assert cron(line)


def test_an_empty_workflow_is_an_error(tmp_path: Path) -> None:
    assert told(tmp_path, "workflows/empty.yaml", "workflow: empty\nof: event\nstates: {}\n") == [
        "workflows/empty.yaml:3:1: at least one is needed here"]


def test_nothing_of_a_workflow_waits_for_expressions_when_a_stored_version_is_read(model: Model) -> None:
    from core.definition import build
    again = build(model.definitions.values())
    assert again.workflows["ticket"].transitions["close"].if_ is not None
    assert again.tables["opportunity"].fields["state"].default == "draft"
    assert list(again.choices["opportunity.state"].values) == list(model.choices["opportunity.state"].values)
