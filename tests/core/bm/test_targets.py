"""A link leads to other tables: to several, to one of them, to any; records that it may not lead to stand against it."""

from __future__ import annotations

import pytest

from core.errors import Refused
from tests.core.bm.conftest import Live

DEAL = """
    table: deal
    title: Deal
    plural: Deals
    base: ticket
    display: "{{title}}"
    fields:
      company: {company}
      amount: {{type: decimal}}
    """


@pytest.fixture
def linked(system: Live) -> tuple[Live, int, int]:
    """A deal that leads to a company."""
    company = system.create("company", name="Acme")
    return system, company, system.create("deal", title="Pilot", company=company)


def lead(system: Live, field: str) -> None:
    system.site.addon("deal.yaml", DEAL.format(company=field))


def test_to_several_tables_and_back_to_one(linked: tuple[Live, int, int]) -> None:
    system, company, deal = linked
    lead(system, "{type: link, to: [company, ticket]}")
    system.promote()
    assert system.read("deal", deal)["company"] == company
    other = system.create("ticket", title="Other")
    second = system.create("deal", title="Second", company=other)
    lead(system, "{type: link, to: company, help: No other}")
    with pytest.raises(Refused, match="cannot lead to fewer tables"):
        system.promote()
    system.records(lambda records: records.update("deal", [{"id": second, "company": company}]))
    system.promote()
    assert [system.read("deal", one)["company"] for one in (deal, second)] == [company, company]
    assert system.sql("select count(*) from pg_constraint where contype = 'f' and not convalidated") == [(0,)]
    assert system.plan().plan.empty


def test_to_any_table_and_the_way_back(linked: tuple[Live, int, int]) -> None:
    system, company, deal = linked
    lead(system, "{type: any_link}")
    system.promote()
    assert system.read("deal", deal)["company"] == company
    ticket = system.create("ticket", title="Other")
    second = system.create("deal", title="Second", company=ticket)
    there = system.version
    system.rollback()
    assert system.read("deal", deal)["company"] == company and system.read("deal", second)["company"] is None
    system.promote()
    assert system.version == there and system.read("deal", second)["company"] == ticket


def test_many_links_lead_to_the_base_of_their_table(system: Live) -> None:
    lead(system, "{type: link, to: deal, many: true}")
    system.promote()
    first = system.create("deal", title="First")
    second = system.create("deal", title="Second", company=[first])
    lead(system, "{type: link, to: ticket, many: true}")
    system.promote()
    assert system.read("deal", second)["company"] == [first]
