"""The kind agent: what starts it, its steps and their names, its dialogs, verbs of addons."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import pytest
from pydantic import Field as Property

from core.definition import build, load, references
from core.definition.catalogue import units
from core.definition.described import properties, sections
from core.definition.kinds.schema import Expression
from core.definition.kinds.steps import COMMON, Place, Verb, VerbSchema, fixed
from core.definition.kinds.verbs import VERBS
from core.definition.model import Model
from core.definition.processes import Agent, Ask, Step, every_step
from core.definition.scope import Written
from core.definition.texts import text
from core.hookspecs import hook
from core.plugins import Plugins
from core.types.base import Type
from tests.core.definition.desk import FILES, load_desk, told
from tests.core.definition.sets import write

FOLLOW_UP = """
agent: create_follow_up_ticket
of: event
title: Create follow-up ticket
when: {button: actions}
if: status in ['received', 'delivered']
do:
  answer:
    ask:
      existing: {type: link, to: ticket, among: "client == record.party and phase != 'done'", title: Or an open one}
      kind:     {type: table, of: ticket, default: support_request, required: answer.existing is None}
      title:    {like: ticket.title, default: =record.title}
    submit: Create follow-up ticket
  ticket:
    if: answer.existing is None
    create: =answer.kind
    with: {title: =answer.title, client: =record.party, manager: =user.employee}
    else: =answer.existing
  link: {set: record, with: {ticket: =ticket}}
  show: {open: record, message: "Ticket {ticket.title} created."}
"""

LATE = """
agent: follow_up
of: event
when: {button: actions}
run_as: user
do:
  answer: {ask: {kind: {type: table, of: ticket}, title: {like: ticket.title, default: =record.title}}, submit: Create}
  ticket: {create: =answer.kind, with: {title: =answer.title, client: =record.party}}
  link:   {set: record, with: {ticket: =ticket}}
  reply:  {wait: "count(record.replies) > 0", at_most: 3 workdays}
  late:   {if: reply is None, do: {call: {create: event, with: {title: Call}}}, else: {end: {stop: Answered.}}}
  show:   {open: ticket}
"""

EVERYTHING = """
agent: everything
of: opportunity
when: {button: actions, record: [created, changed], fields: [amount], call: true}
who: [owner, boss]
run_as: owner
parameters:
  limit: {type: money, default: 1000}
  since: {type: date}
confirm: "Go on with {title}?"
do:
  pick:
    ask:
      party: {type: link, to: party, required: true}
      lines: {like: opportunity.lines, pick: true, default: "=record.lines[price > parameter.limit]"}
    pages:
      whom: {title: Whom, fields: [party]}
      what: {title: What, fields: [lines], if: pick.party is not None}
    form: pick
    submit: Choose
  due:      {find: {of: opportunity, where: close_date < parameter.since and client == pick.party, order: [-amount]}}
  newest:   {find: {of: event, where: ticket == record, order: [-sent_on], first: true}}
  total:    {let: sum(due.amount) + parameter.limit}
  big:      {if: total > 5000, do: {told: {notify: [assignor], message: "{total} is a lot."}}, else: {
    small: {let: total / 2}}}
  twin:     {copy: record, with: {title: "=concat(record.title, ' again')"}, lines: [lines], without: [close_date]}
  request:  {copy: record, to: support_request}
  other:    {change_type: request, to: opportunity, with: {amount: 5}}
  party:    {upsert: party, key: [name], with: {name: Acme, email: =record.client.email}}
  moved:    {relink: pick.party, into: party, only: [ticket]}
  whose:    {choose: {from: "all.employee[team is not None]", by: load, value: "count(all.ticket[manager == outer.id])"}}
  turn:     {choose: {from: all.employee, per: record.client}}
  each:
    for: due[amount > parameter.limit]
    as: deal
    batch: 100
    skip: true
    do:
      mark: {set: deal, with: {manager: =whose}, once: month(today())}
      fire: {fire: offer, record: deal, if: deal.state == 'open', on_error: {retry: 2, pause: 1 minute, then: {
        sorry: {message: "{deal.title} is not ready.", level: warning}}}}
  rates:    {fetch: {url: "https://example.org/{record.id}", method: POST, with: {sum: =total}, headers: {x: y},
    secret: rates, gives: {rate: {type: decimal}, day: {type: date}}}}
  rate:     {let: rates.rate * 2}
  paper:    {print: {form: opportunity, format: pdf}}
  letter:   {send: {subject: "About {record.title}", body: "See {paper}.", to: =record.client.email, cc: [a@b.org],
    attach: [paper, newest.document]}}
  draft:    {compose: {subject: Hello, body: World, to: =record.owner}}
  both:     {transaction: true, do: {first_step: {delete: newest}, second_step: {set: twin, with: {ends: =today()}}}}
  closed:   {fire: close, record: request, with: {reason: Done.}}
  again:    {call: plain, record: newest, with: {word: Hello}}
  news:     {message: "{whose.name}: {rates.day}", level: success}
  anew:     {refresh: true}
  list:     {open: due, list: opportunity}
  bye:      {stop: "Done with {twin.title}.", undo: false}
"""

PLAIN = """
agent: plain
of: event
when: {call: true}
parameters: {word: {type: text}}
do:
  say: {set: record, with: {title: =parameter.word}}
"""

MORNING = """
agent: morning
when: {schedule: "0 8 * * 1-5", zone: Europe/Berlin}
run_as: system
do:
  due:  {find: {of: support_request, where: "ends < today() and phase == 'open'"}}
  each: {for: due, do: {late: {notify: [assignee], record: each, message: "{each.title} is late."}}}
"""

OTHERS = {
    "agents/everything.yaml": EVERYTHING, "agents/plain.yaml": PLAIN, "agents/morning.yaml": MORNING,
    "agents/follow_up.yaml": LATE, "agents/create.yaml": FOLLOW_UP,
    "forms/pick.xml": '<form name="pick"><field name="party"/><field name="lines"/></form>\n',
    "forms/opportunity.xml": '<form name="opportunity" of="opportunity"><field name="title"/></form>\n',
    "lists/opportunity.yaml": "list: opportunity\nof: opportunity\ncolumns: {title: {}}\n",
}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    """The desk with agents that use every verb."""
    return load_desk(tmp_path_factory.mktemp("desk"), OTHERS).must()


def step(model: Model, agent: str, name: str) -> Step:
    return next(one for one in every_step(model.agents[agent].steps) if one.name == name)


def test_the_agents_of_the_language_are_understood(model: Model) -> None:
    assert list(model.agents) == ["create_follow_up_ticket", "everything", "follow_up", "morning", "plain"]
    agent = model.agents["create_follow_up_ticket"]
    assert (agent.of, agent.when.button, agent.run_as, list(agent.steps)) == (
        "event", "actions", "user", ["answer", "ticket", "link", "show"])
    assert agent.if_ is not None and agent.if_.reads == {("status",)}


def test_every_verb_of_agents_is_used_here(model: Model) -> None:
    used = {one.verb for agent in model.agents.values() for one in every_step(agent.steps)}
    assert used == {name for name, verb in VERBS.items() if "agent" in verb.places}


@pytest.mark.parametrize(("agent", "at", "name", "kind"), [
    ("create_follow_up_ticket", "ticket", "answer.kind", Type("table", "ticket")),
    ("create_follow_up_ticket", "link", "ticket", Type("link", "ticket")),
    ("create_follow_up_ticket", "link", "answer.title", Type("text")),
    ("follow_up", "late", "reply", Type("boolean")),
    ("follow_up", "show", "call", Type("link", "event")),
    ("everything", "total", "due", Type("link", "opportunity", True)),
    ("everything", "total", "newest", Type("link", "event")),
    ("everything", "big", "total", Type("money")),
    ("everything", "big", "parameter.since", Type("date")),
    ("everything", "twin", "small", Type("money")),
    ("everything", "each", "twin", Type("link", "opportunity")),
    ("everything", "each", "request", Type("link", "support_request")),
    ("everything", "each", "other", Type("link", "opportunity")),
    ("everything", "each", "whose", Type("link", "employee")),
    ("everything", "mark", "deal", Type("link", "opportunity")),
    ("everything", "rate", "rates.rate", Type("decimal")),
    ("everything", "letter", "paper", Type("link", "file"))])
def test_the_name_of_a_step_is_its_result(model: Model, agent: str, at: str, name: str, kind: Type) -> None:
    assert step(model, agent, at).scope.given[name] == kind


def test_what_a_loop_does_inside_is_not_known_after_it(model: Model) -> None:
    assert not {"deal", "mark", "sorry"} & set(step(model, "everything", "rates").scope.given)


def test_a_step_that_gives_nothing_has_no_name(model: Model) -> None:
    assert not {"link", "moved", "closed", "news"} & set(step(model, "everything", "bye").scope.given)


def test_steps_stand_in_blocks_loops_and_rescues(model: Model) -> None:
    big, each = step(model, "everything", "big"), step(model, "everything", "each")
    assert (list(big.steps), list(big.otherwise), big.verb) == (["told"], ["small"], "if")
    assert list(each.steps) == ["mark", "fire"] and list(each.steps["fire"].rescue) == ["sorry"]
    assert [one.name for one in each.walk()] == ["each", "mark", "fire", "sorry"]


def test_a_dialog_has_fields_pages_and_a_form(model: Model) -> None:
    ask = step(model, "everything", "pick").part("ask")
    assert isinstance(ask, Ask)
    assert list(ask.fields) == ["party", "lines"] and ask.fields["party"].required is True
    assert (list(ask.pages), ask.form, ask.submit) == (["whom", "what"], "pick", "Choose")
    assert ask.pages["what"].if_ is not None and ask.pages["whom"].if_ is None


def test_expressions_are_parsed_on_first_use(model: Model) -> None:
    again = build(model.definitions.values())
    part = step(again, "everything", "due").parts["find.where"]
    assert isinstance(part, Written) and "_checked" not in vars(part)
    assert part.expression.type == Type("boolean")


def test_texts_of_steps_are_units_of_translation(model: Model) -> None:
    paths = {unit.path for unit in units(model, Plugins().kinds)}
    assert {"agent create_follow_up_ticket.do.answer.submit", "agent create_follow_up_ticket.do.show.message",
            "agent everything.do.bye.stop", "agent everything.do.letter.send.subject", "agent everything.confirm",
            "agent everything.do.big.do.told.message", "agent everything.do.pick.pages.whom.title",
            "agent create_follow_up_ticket.do.answer.ask.existing.title",
            "workflow ticket.transitions.close.do.tell.message"} <= paths
    assert text(model, "agent create_follow_up_ticket.do.answer.ask.title.title", "en") == "Title"


def test_texts_of_steps_can_be_translated(tmp_path: Path) -> None:
    catalogue = 'msgctxt "agent follow_up.do.late.else.end.stop"\nmsgid "Answered."\nmsgstr "已答复。"\n'
    model = load_desk(tmp_path, {**OTHERS, "translations/zh_CN.po": catalogue}).must()
    assert text(model, "agent follow_up.do.late.else.end.stop", "zh_CN") == "已答复。"


def test_what_steps_name_is_in_the_reference_graph(model: Model) -> None:
    named = {(one.to_kind, one.to_name) for one in references(model) if one.name == "everything"}
    assert {("table", "opportunity.amount"), ("table", "ticket.title"), ("table", "party"), ("table", "party.name"),
            ("workflow", "opportunity.transitions.offer"), ("workflow", "opportunity.states.open"), ("agent", "plain"),
            ("form", "opportunity"), ("form", "pick"), ("form", "ticket.actions"), ("list", "opportunity"),
            ("role", "boss"), ("table", "ticket.owner"), ("table", "event.document")} <= named


def test_a_layer_changes_a_step_by_its_name(tmp_path: Path) -> None:
    files = {f"addons/desk/{path}": words for path, words in {**FILES, **OTHERS}.items()}
    files["metadata/system.yaml"] = "system: main\naddons: [desk]\n"
    files["metadata/follow_up.yaml"] = """
change: agent follow_up
do:
  ticket: {with: {starts: =today(), client: null}}
  told:   {notify: [clerk], message: A new ticket., after: ticket}
  late:   {do: {call: {with: {title: Late}}, tell: {message: Late., before: call}}}
  show:   null
"""
    write(tmp_path, files)
    agent = load([tmp_path / "addons"], tmp_path / "metadata", root=tmp_path).must().agents["follow_up"]
    assert list(agent.steps) == ["answer", "ticket", "told", "link", "reply", "late"]
    assert agent.steps["ticket"].said.with_ == {"title": "=answer.title", "starts": "=today()"}
    assert list(agent.steps["late"].steps) == ["tell", "call"]


class CountSchema(VerbSchema):
    """Counts."""

    count_up: Expression = Property(description="From what.")


class CountUp(Verb):
    """Counts from a number on."""

    name: ClassVar[str] = "count_up"
    schema: ClassVar[type[VerbSchema]] = CountSchema

    def build(self, place: Place, schema: Any) -> dict[str, object]:
        return {"count_up": Written(schema.count_up, place.scope, "integer")}

    def gives(self, place: Place, schema: Any, parts: object) -> Any:
        return fixed(Type("integer"))

    def check(self, place: Place, step: Step) -> None:
        place.check(step.parts["count_up"], "count_up")


class Plugin:
    """What a plugin.py would be."""

    @staticmethod
    @hook
    def verbs() -> list[Verb]:
        return [CountUp()]


def test_an_addon_adds_a_verb(tmp_path: Path) -> None:
    plugins = Plugins()
    plugins.add("desk", Plugin)
    agent = "agent: counting\nof: ticket\nwhen: {call: true}\ndo:\n  three: {count_up: 1 + 2}\n  four: {let: three + 1}\n" \
            "  five: {count_up: record.title}\n"
    write(tmp_path, {f"addons/desk/{path}": words for path, words in FILES.items()} | {
        "addons/desk/agents/counting.yaml": agent})
    problems = load([tmp_path / "addons"], None, plugins, root=tmp_path).problems
    assert [str(one) for one in problems] == [
        "addons/desk/agents/counting.yaml:7:20: this is text, where a whole number is expected"]
    assert told(tmp_path / "without", "agents/counting.yaml", agent)[0] == (
        "agents/counting.yaml:5:3: a step has one verb, such as create, set or send, and this has none")


@pytest.mark.parametrize("verb", VERBS.values(), ids=VERBS)
def test_every_property_of_a_verb_is_described(verb: Verb) -> None:
    assert (type(verb).__doc__ or "").strip() and (verb.schema.__doc__ or "").strip()
    names = {name for name, _ in properties(verb.schema)}
    assert verb.name in names or verb.name == "if"
    assert not names & COMMON
    assert [name for section in sections(verb.schema) for name, info in properties(section.model)
            if not (info.description or "").endswith(".")] == []


def test_an_agent_that_is_broken_does_not_hide_others(tmp_path: Path) -> None:
    found = told(tmp_path, "agents/bad.yaml", "agent: bad\nof: ticket\nwhen: {call: true}\ndo:\n  a: {create: {}}\n"
                                              "  b: {set: a, with: {title: x}}\n  c: {set: record, with: {titel: x}}\n")
    assert found == ["agents/bad.yaml:5:7: a text is expected here: put it in quotes",
                     'agents/bad.yaml:7:27: field "titel" is not on table "ticket" (did you mean "title"?)']


def test_a_hundred_steps_are_checked_in_proportion(tmp_path: Path) -> None:
    from tests.work import calls

    def work(count: int) -> int:
        steps = "".join(f"  s{n}: {{create: event, with: {{title: =s{n - 1}.title}}}}\n" for n in range(1, count))
        agent = f"agent: long\nof: ticket\nwhen: {{call: true}}\ndo:\n  s0: {{create: event, with: {{title: x}}}}\n{steps}"
        return calls(lambda: load_desk(tmp_path / str(count), {"agents/long.yaml": agent}).must())
    base, some, many = work(1), work(40), work(160)
    assert many - base < 8 * (some - base)


def test_agents_are_frozen_values(model: Model) -> None:
    agent: Agent = model.agents["plain"]
    with pytest.raises(AttributeError):
        agent.title = "x"       # type: ignore[misc]
