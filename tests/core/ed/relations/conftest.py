"""A system with relations of every kind: to several tables, to any, through a table, trees, lines in lines."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from core.settings import Settings
from tests.small_system import Small, small_system

FILES = {
    "tables/party.yaml": """
table: party
title: Party
plural: Parties
abstract: true
peek: [name]
display: "{name}"
fields:
  name: {type: text, required: true, search: contains}
  nick: {type: text}
""",
    "tables/person.yaml": """
table: person
title: Person
plural: People
base: party
fields:
  mobile: {type: text}
  secret: {type: text}
  firms:  {type: links, to: firm, through: affiliation}
""",
    "tables/firm.yaml": """
table: firm
title: Firm
plural: Firms
base: party
keeps: [history]
fields:
  town:    {type: text}
  people:  {type: links, to: person, through: affiliation}
  members: {type: lines, of: affiliation, by: firm}
""",
    "tables/affiliation.yaml": """
table: affiliation
title: Affiliation
plural: Affiliations
display: "{person} at {firm}"
keeps: [history]
fields:
  firm:   {type: link, to: firm, required: true, on_delete: cascade}
  person: {type: link, to: person, required: true, on_delete: cascade}
  job:    {type: text}
rules:
  rivals: {check: "firm.town != 'Rival'", message: "Not with them."}
unique:
  once: {fields: [firm, person]}
""",
    "tables/employee.yaml": """
table: employee
title: Employee
plural: Employees
display: "{name}"
people: account
fields:
  name:    {type: text, required: true}
  wage:    {type: integer}
  account: {type: link, to: user}
  active:  {type: boolean, default: true}
""",
    "tables/event.yaml": """
table: event
title: Event
plural: Events
display: "{name}"
keeps: [history]
fields:
  name:      {type: text, required: true}
  recipient: {type: link, to: [party, employee], among: {employee: active}}
  guest:     {type: link, to: [party, employee], on_delete: restrict}
  host:      {type: link, to: [firm, employee], on_delete: cascade}
  subject:   {type: any_link}
  either:    {type: link, to: [person, firm]}
  town:      {type: text, formula: recipient.party.nick}
  inside:    {type: boolean, formula: recipient is employee}
  greeting:  {type: text, default: "=coalesce(recipient.employee.name, recipient.party.nick, 'nobody')"}
roles:
  addressee: {is: recipient.employee}
""",
    "tables/place.yaml": """
table: place
title: Place
plural: Places
display: "{name}"
keeps: [history]
fields:
  name: {type: text, required: true}
  into: {type: link, to: place, tree: true, on_delete: restrict}
""",
    "tables/label.yaml": """
table: label
title: Label
plural: Labels
display: "{name}"
fields:
  name: {type: text, required: true}
""",
    "tables/paper.yaml": """
table: paper
title: Paper
plural: Papers
display: "{name}"
keeps: [history]
fields:
  name:   {type: text, required: true}
  labels: {type: link, to: label, many: true}
""",
    "roles/clerk.yaml": """
role: clerk
title: Clerk
grants:
  party: {read: true, change: true, create: true}
  person: {read: false, change: false, peek: true}
  affiliation: {read: true, create: true, change: true, delete: true}
  event: {read: true, create: true, change: true, delete: true}
""",
    "roles/reader.yaml": """
role: reader
title: Reader
grants:
  firm: {read: true, change: true}
  person: {read: true}
  affiliation: {read: true}
  event: {read: true}
""",
    "roles/linker.yaml": """
role: linker
title: Linker
grants:
  firm: {read: true, change: true}
  person: {read: true, where: "nick != 'boss'"}
  affiliation: {read: true, create: true, delete: true}
""",
    "roles/invited.yaml": """
role: invited
title: Invited
grants:
  event: {read: [addressee]}
  employee: {read: true}
  employee.wage: {read: false}
""",
}


@pytest.fixture(scope="module")
def small(server: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Small]:
    """The system with its people: `ada` administers, `kim` is a clerk, `ron` only reads, `ina` is invited, `lin` links."""
    from tests.databases import fresh_database
    with fresh_database(server, tmp_path_factory) as database, \
            small_system(database, tmp_path_factory.mktemp("relations"), FILES) as made:
        for login, role in (("kim", "clerk"), ("ron", "reader"), ("ina", "invited"), ("lin", "linker")):
            made.users[login] = made.create("user", name=login.title())
            made.create("role_assignment", user=made.users[login], role=role)
        yield made
