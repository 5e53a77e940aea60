"""What was exported and imported into an empty system of the same definitions is the same records: each type and form."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import pytest

from core.ed import mapping as mappings
from core.ed import table_file
from core.ed.exporting import Wanted, export, format_of
from core.ed.importing import Import
from tests.databases import fresh_database
from tests.small_system import Small, small_system

THING = {"tables/thing.yaml": """
table: thing
title: Thing
plural: Things
display: "{name}"
keeps: [history]
fields:
  name:      {type: text, required: true}
  memo:      {type: memo}
  rich:      {type: html}
  whole:     {type: integer}
  exact:     {type: decimal, scale: 4}
  measured:  {type: float}
  price:     {type: money}
  share:     {type: percent}
  yes:       {type: boolean}
  day:       {type: date}
  moment:    {type: datetime}
  clock:     {type: time}
  span:      {type: duration}
  stage:     {type: choice, of: stage}
  stages:    {type: choice, of: stage, many: true}
  company:   {type: link, to: company}
  companies: {type: link, to: company, many: true}
  mail:      {type: email}
  mails:     {type: email, many: true}
  phone:     {type: phone, region: DE}
  fax:       {type: fax}
  web:       {type: url}
  colour:    {type: color}
  stars:     {type: rating}
  words:     {type: tags}
  data:      {type: json}
  code:      {type: sequence, sequence: deal}
  rule:      {type: expression, on: company}
  about:     {type: table}
"""}
FULL = {
    "name": "=1+1", "memo": "two\nlines, \"quoted\"; and 'more'", "rich": "<p>A <b>bold</b> word</p>", "whole": -7,
    "exact": Decimal("-1234.5678"), "measured": Decimal("0.125"), "price": Decimal("1234567.89"),
    "share": Decimal("12.5"), "yes": True, "day": date(2024, 2, 29), "moment": datetime(2024, 3, 31, 1, 30, tzinfo=UTC),
    "clock": time(23, 59, 5), "span": timedelta(days=1, hours=2, seconds=3), "stage": "won", "stages": ["lost", "open"],
    "mail": "a@example.com", "mails": ["a@example.com", "b@example.org"], "phone": "+49 30 123456",
    "fax": "030 654321", "web": "https://example.com/?a=b", "colour": "#1a7f37", "stars": 4,
    "words": ["one", "zwei drei"], "data": '{"a": [1, 2, {"b": null}]}', "rule": "city == 'Ulm'", "about": "company"}
OTHERS = [
    {"name": "'quoted", "memo": "  =SUM(A1)", "yes": False, "whole": 0, "exact": Decimal(0), "phone": "-12345"},
    {"name": "[1, 2]", "memo": "{\"json\": 1}", "day": date(1900, 1, 5), "moment": datetime(2024, 1, 1, tzinfo=UTC)},
    {"name": "nothing else"}, {"name": "华为, 技术", "memo": "Ünïcödé \u200b🎉", "words": ["华为"]},
    {"name": "TRUE"}, {"name": "12e3"}, {"name": "null"}, {"name": "''=x"}]
MAPPING = """
fields:
  company:   {{column: company, {by}}}
  companies: {{column: companies, {by}}}
  {rest}
"""


@pytest.fixture(scope="module")
def systems(server, tmp_path_factory) -> Iterator[tuple[Small, Small]]:
    """One with things, and an empty one with companies of the same names and other ids."""
    with fresh_database(server, tmp_path_factory) as one, fresh_database(server, tmp_path_factory) as two, \
            small_system(one, tmp_path_factory.mktemp("one"), THING) as full, \
            small_system(two, tmp_path_factory.mktemp("two"), THING) as empty:
        full.create("company", name="Acme")
        empty.create("company", name="Zeta")
        for small in (full, empty):
            for name in ("Bolt", "Crane"):
                small.create("company", name=name)
        companies = {record["name"]: record["id"] for record in full.all("company")}
        with full.records() as records:
            links = {"company": companies["Bolt"], "companies": [companies["Crane"], companies["Bolt"]]}
            records.create("thing", [{**FULL, **links}, *OTHERS])
        yield full, empty


def things(small: Small) -> dict[str, dict[str, object]]:
    """All things by name, their links by title, without what every system has of its own."""
    with small.records() as records:
        fields = [name for name, field in records.session.system.model.tables["thing"].fields.items()]
        found = records.page("thing", fields, limit=100).records
    told = {}
    for record in found:
        values = {key: value for key, value in record.items() if key not in ("id", "_version", "company", "companies")}
        values["rich"] = getattr(record["rich"], "html", record["rich"])
        told[str(record["name"])] = values
    return told


@pytest.mark.parametrize(("format_", "links"), [("csv", "title"), ("xlsx", "title"), ("json", "id"), ("jsonl", "id")])
def test_every_type_comes_back_as_it_was(systems: tuple[Small, Small], tmp_path, format_, links):
    full, empty = systems
    expected = things(full)
    assert len(expected) == 1 + len(OTHERS) and all(expected["=1+1"][name] is not None for name in FULL)
    file = io.BytesIO()
    with full.session() as session:
        fields = list(session.system.model.tables["thing"].fields)
        export(session, Wanted("thing", fields, order=["id"]), format_of(format_, {}), file)
    read = table_file.read(file.getvalue(), f"things.{format_}")
    assert set(read.header) == set(fields)
    rest = "\n  ".join(f"{name}: {name}" for name in fields if name not in ("company", "companies"))
    text = MAPPING.format(by="by: name", rest=rest)
    if links == "id":
        text = MAPPING.format(by="empty: keep", rest=rest)       # ids are another system's: see below
        read = without_links(read)
    result = Import(lambda: empty.session("ada", "import"), "thing", read, mappings.load(text.encode(), "map.yaml"),
                    tmp_path).run()
    try:
        assert result.failed == 0, result.reasons
        found = things(empty)
        if links == "id":
            for record in (*found.values(), *expected.values()):
                record["company_title"] = record["companies_title"] = None
        assert found == expected
    finally:
        with empty.records() as records:
            ids = [record["id"] for record in records.page("thing", ["name"], limit=100).records]
            records.delete("thing", ids)


def without_links(read: table_file.TableFile) -> table_file.TableFile:
    """The file with its links emptied: JSON tells ids, which are of the system that it came from."""
    places = [read.header.index(name) for name in ("company", "companies")]
    return replace(read, rows=tuple(replace(row, cells=tuple(
        "" if place in places else cell for place, cell in enumerate(row.cells))) for row in read.rows))


def test_the_same_system_takes_json_back_with_its_links(systems: tuple[Small, Small], tmp_path):
    full, _ = systems
    before = things(full)
    file = io.BytesIO()
    with full.session() as session:
        fields = [name for name in session.system.model.tables["thing"].fields if name != "code"]
        export(session, Wanted("thing", fields, "company is not None"), format_of("json", {}), file)
    read = table_file.read(file.getvalue(), "things.json")
    with full.session() as session:
        mapping = mappings.plain(session.system.model.tables["thing"], read.header, ["name"])
    result = Import(lambda: full.session("ada", "import"), "thing", read, mapping, tmp_path).run()
    assert (result.unchanged, result.failed) == (1, 0), result.reasons
    assert things(full) == before
