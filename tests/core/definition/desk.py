"""A small addon with people, parties, tickets and events, on which tests of workflows, agents and scenarios stand."""

from __future__ import annotations

from pathlib import Path

from core.definition import Loaded
from tests.core.definition.sets import load_set

FILES = {
    "tables/user.yaml": """
table: user
people: id
fields:
  name:     {type: text}
  email:    {type: email}
  employee: {type: link, to: employee}
""",
    "tables/employee.yaml": """
table: employee
people: user
fields:
  name: {type: text}
  user: {type: link, to: user}
  team: {type: link, to: team}
""",
    "tables/team.yaml": """
table: team
people: members
fields:
  name:    {type: text, required: true}
  members: {type: link, to: user, many: true}
""",
    "tables/party.yaml": """
table: party
fields:
  name:  {type: text, required: true}
  email: {type: email}
""",
    "tables/ticket.yaml": """
table: ticket
abstract: true
fields:
  title:     {type: text, required: true}
  state:     {type: state}
  client:    {type: link, to: party}
  manager:   {type: link, to: employee}
  owner:     {type: link, to: user, default: =user}
  supervisor: {type: link, to: user}
  operators: {type: link, to: user, many: true}
  starts:    {type: date}
  ends:      {type: date}
  events:    {type: lines, of: event, by: ticket}
roles:
  owner:    {is: owner}
  assignee: {is: [manager, operators]}
  assignor: {is: supervisor}
rules:
  dates:    {check: ends >= starts, message: A ticket cannot end before it starts.}
  complete: {check: "client is not None and supervisor is not None", at: [open]}
""",
    "tables/support_request.yaml": """
table: support_request
base: ticket
fields:
  severity: {type: choice, of: severity, default: low}
""",
    "tables/opportunity.yaml": """
table: opportunity
base: ticket
fields:
  amount:      {type: money}
  close_date:  {type: date}
  lines:       {type: lines, of: deal_line, by: opportunity}
""",
    "tables/deal_line.yaml": """
table: deal_line
fields:
  opportunity: {type: link, to: opportunity}
  product:     {type: text}
  price:       {type: money}
""",
    "tables/event.yaml": """
table: event
fields:
  title:     {type: text, required: true}
  direction: {type: choice, of: direction, default: in}
  status:    {type: text, max: 20}
  party:     {type: link, to: party}
  ticket:    {type: link, to: ticket}
  origin:    {type: link, to: event}
  sent_on:   {type: date}
  document:  {type: file}
  replies:   {type: lines, of: event, by: origin}
""",
    "choices/severity.yaml": "choices: severity\nvalues: {low: {}, high: {}}\n",
    "choices/direction.yaml": "choices: direction\nvalues: {in: {}, out: {}}\n",
    "roles/clerk.yaml": "role: clerk\ngrants:\n  event: {create: true, read: true, change: true}\n",
    "roles/boss.yaml": "role: boss\nincludes: [clerk]\n",
    "forms/event.xml": '<form name="event" of="event"><header><menu id="actions"/></header><field name="title"/></form>\n',
    "forms/ticket.xml": '<form name="ticket" of="ticket"><header><workflow/><menu id="actions"/></header>'
                        '<field name="title"/></form>\n',
    "lists/event.yaml": "list: event\nof: event\ncolumns: {title: {}}\n",
    "workflows/ticket.yaml": """
workflow: ticket
of: ticket
start: draft
states:
  draft:     {title: Draft, phase: draft, edit: [owner, assignee, assignor]}
  submitted: {title: Submitted, phase: waiting, edit: [assignor], requires: [client, title]}
  open:      {title: Open, phase: open, edit: [assignee, assignor], fields: {client: none, ends: [assignor]}}
  suspended: {title: Suspended, phase: paused}
  closed:    {title: Closed, phase: done, edit: [boss]}
  cancelled: {title: Cancelled, phase: void, edit: none}
transitions:
  submit: {title: Submit, from: draft, to: submitted, who: [owner, assignee]}
  open:   {title: Open, from: [draft, submitted, suspended], to: open, who: [assignor], check: [complete]}
  pause:  {from: open, to: suspended, who: assignee}
  cancel: {from: [draft, submitted], to: cancelled, who: [owner, assignor], confirm: "Cancel {title}?"}
  close:
    title: Close
    from: [open, suspended]
    to: closed
    who: [assignee, assignor]
    if: ends is None or ends <= today()
    undo: 10 seconds
    ask:
      reason: {type: memo, required: true}
    submit: Close
    do:
      note: {create: event, with: {title: "=answer.reason", ticket: =record}}
      tell: {notify: [assignor], message: "{record.title} is closed: {answer.reason}"}
  reopen: {from: closed, to: open, who: [assignor, boss]}
  expire: {from: submitted, to: cancelled, who: none, auto: starts < today() - days(90)}
worklist:
  submitted: {title: "{plural} to open", for: [assignor]}
  mine:      {title: "Open {plural}", state: [open, suspended], for: [assignee], where: client is not None}
""",
    "workflows/opportunity.yaml": """
workflow: opportunity
of: opportunity
states:
  draft:   {phase: draft}
  open:    {title: Contacted, phase: open, requires: [client]}
  offered: {phase: waiting, requires: [amount, close_date]}
  sold:    {phase: done, result: won}
  closed:  {title: Rejected, phase: void, result: lost}
transitions:
  validate: {from: draft, to: open}
  offer:    {from: open, to: offered}
  sell:     {from: offered, to: sold}
  reject:   {from: offered, to: closed}
""",
}


def load_desk(folder: Path, more: dict[str, str] | None = None) -> Loaded:
    """Load the addon, with other files or more of them."""
    files = {f"addons/desk/{path}": text for path, text in {**FILES, **(more or {})}.items()}
    return load_set(folder, files)


def told(folder: Path, path: str, text: str) -> list[str]:
    """What `check` says of the addon with one file more."""
    return [str(problem).removeprefix("addons/desk/") for problem in load_desk(folder, {path: text}).problems]
