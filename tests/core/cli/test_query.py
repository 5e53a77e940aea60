"""`query`, as somebody types it."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from core.cli import Invocation
from core.cli import query as command_module
from core.errors import NotFound, Refused
from tests.small_system import Small, small_system

QUERIES = {
    "deals_of": """
query: deals_of
title: Deals of a city
of: deal
parameters:
  city:  {type: text, prompt: Which city?}
  least: {type: money, default: 100 EUR}
  begun_since: {type: date, default: =month_start(today())}
where: {city: company.city == parameter.city, large: amount >= parameter.least, new: begun >= parameter.begun_since}
columns: {name: {}, company: {}, stage: {}, amount: {total: sum}}
order: [-amount]
""",
    "by_stage": """
query: by_stage
of: deal
columns: {stage: {}, deals: count(), worth: {is: sum(amount), title: Worth}}
group: [stage]
order: [stage]
""",
    "deals_with": "query: deals_with\nof: deal\nparameters: {company: {type: link, to: company}}\n"
                  "where: company == parameter.company\ncolumns: {name: {}}\norder: [name]\n",
    "secrets": "query: secrets\nof: company\nwhere: secret is not None\ncolumns: {name: {}, secret: {}}\n",
}


@pytest.fixture(scope="module")
def small(database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Small]:
    more = {f"queries/{name}.yaml": text for name, text in QUERIES.items()}
    with small_system(database, tmp_path_factory.mktemp("small"), more) as system:
        acme = system.create("company", name="Acme 中国", city="Ulm", secret="=HYPERLINK()")
        for name, amount, stage in (("-Anvils", 500, "won"), ("Bolts", 1500, "open"), ("Cheap", 20, "open")):
            system.create("deal", name=name, company=acme, amount=Decimal(amount), stage=stage)
        yield system


@pytest.fixture
def run(small: Small):
    def run_(*arguments: str, user: str = "ada") -> Result:
        result = CliRunner().invoke(command_module.command, list(arguments), obj=Invocation(small.settings, user))
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result
    return run_


def test_without_a_name_it_lists_what_one_may_run(run) -> None:
    assert run().output.splitlines() == [
        "by_stage    By stage", "deals_of    Deals of a city  --city [--least] [--begun_since]",
        "deals_with  Deals with  --company", "secrets     Secrets"]
    assert "secrets" not in run(user="bob").output


def test_rows_are_a_table_with_totals(run) -> None:
    assert run("deals_of", "--city", "Ulm").output.splitlines() == [
        "Name     Company    Stage       Amount",
        "-------  ---------  --------  --------",
        "Bolts    Acme 中国  Open      1,500.00",
        "-Anvils  Acme 中国  Won deal    500.00",
        "-------  ---------  --------  --------",
        "                              2,000.00"]


def test_parameters_are_options_read_by_their_types(run) -> None:
    assert "Cheap" in run("deals_of", "--city=Ulm", "--least", "0").output
    assert "Bolts" not in run("deals_of", "--city", "Ulm", "--begun-since", "2099-01-31").output
    assert "Anvils" not in run("deals_of", "--city", "Ulm", "--least", "1,000").output


@pytest.mark.parametrize(("arguments", "said"), [
    (["deals_of"], "query deals_of needs --city (Which city?)"),
    (["deals_of", "--city", "Ulm", "--least", "lots"], '--least (Least): "lots" is not a number.'),
    (["deals_of", "--town", "Ulm"], "query deals_of has no parameter --town; there are: --city, --least, --begun_since"),
    (["deals_of", "--city"], "--city needs a value"),
    (["deals_of", "Ulm"], "'Ulm' belongs to no option"),
    (["by_stage", "--json", "--csv"], "either --json or --csv"),
])
def test_what_is_missing_or_wrong_is_told_as_wrong_usage(run, arguments: list[str], said: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 2 and said in result.output


def test_json_has_values_as_the_api_gives_them(run, small: Small) -> None:
    rows = json.loads(run("deals_of", "--city", "Ulm", "--json").output)
    first = small.all("deal", "name == 'Bolts'", ("company",))[0]
    assert rows[0] == {"name": "Bolts", "company": first["company"], "company_title": "Acme 中国", "stage": "open",
                       "amount": "1500.00", "_table": "deal", "_id": first["id"]}
    assert json.loads(run("by_stage", "--json").output)[1] == {"stage": "won", "deals": 1, "worth": "500.00"}


def test_csv_is_no_place_for_formulas(run, tmp_path: Path) -> None:
    lines = list(csv.DictReader(run("deals_of", "--city", "Ulm", "--csv").output.splitlines()))
    assert [(line["name"], line["amount"]) for line in lines] == [("Bolts", "1500.00"), ("'-Anvils", "500.00")]
    assert "'=HYPERLINK()" in run("secrets", "--csv").output
    assert command_module._plain(["=HYPERLINK()", None], False) == "'=HYPERLINK(), "      # titles of several records


def test_everyone_gets_what_they_may_read(run, small: Small) -> None:
    assert run("by_stage", user="bob").output.splitlines()[2:] == []
    with pytest.raises(Exception, match='There is no field "secret"'):
        run("secrets", user="bob")
    with pytest.raises(NotFound):
        run("nothing")
    with pytest.raises(Refused):
        run("by_stage", user="nobody")


def test_more_rows_than_asked_for_are_told(run) -> None:
    result = run("by_stage", "--limit", "1", "--json")
    assert "there are more than 1 rows" in result.output


def test_a_linked_record_is_said_by_its_title_or_its_id(run, small: Small) -> None:
    small.create("company", name="Twin")
    small.create("company", name="TWIN")
    by_title = run("deals_with", "--company", "acme 中国", "--json").output
    assert [row["name"] for row in json.loads(by_title)] == ["-Anvils", "Bolts", "Cheap"]
    for said, message in (("Nobody", "--company: there is no company 'Nobody'"),
                          ("Acme", "is no company 'Acme'; write the id: Acme 中国 ("),
                          ("Twin", "there are several company 'Twin'; write the id: Twin (")):
        result = run("deals_with", "--company", said)
        assert (result.exit_code, message in result.output) == (2, True), result.output
