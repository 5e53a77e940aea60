"""`where-used`: each user with its place and line, grouped by layer; as JSON; with what stands on it; in live records."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from core.cli import Invocation
from core.cli.where_used import command
from core.errors import TesseraError
from core.settings import Settings
from tests.core.bm.conftest import Live, database_of_test, system  # noqa: F401
from tests.core.cli.test_rename import PARTY, SITE, Set
from tests.core.definition.sets import write


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The site of the tests of `rename`."""
    monkeypatch.chdir(tmp_path)
    write(tmp_path, PARTY | SITE)
    return tmp_path


def run(settings: Settings, *arguments: str) -> tuple[int, str]:
    """Run the command; its exit code and what it printed."""
    result = CliRunner().invoke(command, list(arguments), obj=Invocation(settings))
    if isinstance(result.exception, TesseraError):
        return 1, str(result.exception)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output


def used(site: Path, *arguments: str) -> str:
    code, said = run(Set(addons=(site / "addons",), metadata=site / "metadata"), *arguments)
    assert code == 0, said
    return said.replace(str(site) + "/", "")


def test_users_are_printed_with_place_and_line_by_layer(site: Path) -> None:
    assert used(site, "table", "company.cell") == """\
party:
  list company columns.cell  addons/party/lists/company.yaml:3:21
      columns: {name: {}, cell: {}}
site:
  form contact main.company.cell  metadata/forms/contact.xml:6:26
      <field name="company.cell"/>
  list contact columns.company_cell.path  metadata/lists/contact.yaml:6:32
      company_cell: {path: company.cell}
  table company fields.cells.formula  metadata/tables/company.yaml:4:71
      cells:       {type: integer, formula: "count(contacts[cell == outer.cell and stage == 'won'])"}
  table contact fields.second.required  metadata/tables/contact.yaml:10:62
      second:  {type: phone, required: "cell is None and company.cell is not None", default: =company.cell}
  table contact fields.second.default  metadata/tables/contact.yaml:10:99
      second:  {type: phone, required: "cell is None and company.cell is not None", default: =company.cell}
  table contact rules.cell.check  metadata/tables/contact.yaml:19:34
      cell: {check: "cell != company.cell", message: "{cell} is the company's {company.cell}."}
  table contact rules.cell.message  metadata/tables/contact.yaml:19:84
      cell: {check: "cell != company.cell", message: "{cell} is the company's {company.cell}."}
table company.cell: 8 uses
"""


RELEASE = {
    "addons/party/addon.yaml": "addon: party\nversion: 2.0.0\n",
    "addons/party/migrations/2.0.0.yaml": """\
migration: 2.0.0
steps:
  phone:
    merge: [company.phone, company.mobile]
    set: {cell: "=cell if cell is not None else phone"}
  short:
    fill: company
    set:
      name: >-
        =concat(name, cell)
    where: cell is None
""",
    "metadata/tables/visit.yaml": """\
table: visit
display: "{note}"
fields:
  company: {type: link, to: company}
  note: {type: text, fill: "=company.cell"}
""",
}


def test_what_speaks_of_the_version_before_is_told_too_with_its_place(site: Path) -> None:
    write(site, RELEASE)
    said = used(site, "table", "company.cell")
    for line in ("migration party_2_0_0 steps.phone.set.cell  addons/party/migrations/2.0.0.yaml:5:11",
                 "migration party_2_0_0 steps.phone.set.cell  addons/party/migrations/2.0.0.yaml:5:19",
                 "migration party_2_0_0 steps.phone.set.cell  addons/party/migrations/2.0.0.yaml:5:27",
                 "migration party_2_0_0 steps.short.where  addons/party/migrations/2.0.0.yaml:11:12",
                 "table visit fields.note.fill  metadata/tables/visit.yaml:5:38"):
        assert line in said, said
    assert "migration party_2_0_0 steps.short.set.name" in said
    said = used(site, "table", "company")
    for line in ("steps.phone.merge.0  addons/party/migrations/2.0.0.yaml:4:13",
                 "steps.phone.merge.1  addons/party/migrations/2.0.0.yaml:4:28",
                 "steps.short.fill  addons/party/migrations/2.0.0.yaml:7:11"):
        assert line in said, said


@pytest.mark.parametrize("what, uses", [
    (("choices", "stage.won"), ["object contacts new.stage", "table company fields.cells.formula",
                                "table contact rules.won.check",
                                "translation de texts.choices stage.values.won.title"]),
    (("choices", "stage"), ["object contacts new.stage", "table company fields.cells.formula",
                            "table contact fields.stage.of", "table contact fields.stage.default",
                            "table contact rules.won.check", "table contact rules.won.check",
                            "data contacts records.Ann.stage",
                            "translation de texts.choices stage.values.won.title"]),
    (("table", "contact.self"), ["role caller grants.contact.read.0"]),
    (("table", "contact.roles.self"), ["role caller grants.contact.read.0"]),
    (("form", "contact"), ["translation de texts.form contact.cell.title"]),
    (("list", "contact.columns.cell"), ["translation de texts.list contact.columns.cell.title"]),
    (("addon", "party"), ["system main addons.0"]),
    (("role", "clerk"), []),
])
def test_any_kind_of_thing_can_be_asked_for(site: Path, what: tuple[str, str], uses: list[str]) -> None:
    lines = [line.strip().partition("  ")[0] for line in used(site, *what).splitlines()[:-1]
             if line.startswith("  ") and not line.startswith("      ")]
    assert sorted(lines) == sorted(uses)
    if not uses:
        assert used(site, *what) == f"nothing uses {' '.join(what)}\n"


def test_as_json(site: Path) -> None:
    (found,) = json.loads(used(site, "table", "contact.self", "--json"))
    assert found == {
        "layer": "site", "kind": "role", "name": "caller", "file": "metadata/roles/caller.yaml", "line": 4, "column": 20,
        "path": "grants.contact.read.0", "uses": "table contact.roles.self", "level": 1,
        "source": "contact: {read: [self]}"}


def test_with_all_what_stands_on_the_users_is_told_too(site: Path) -> None:
    write(site, {"metadata/lists/cells.yaml": "list: cells\nof: company\ncolumns: {cells: {}}\n"})
    said = used(site, "choices", "stage.won", "--all")
    first, _, further = said.partition("2 steps away:")
    assert "table company fields.cells.formula" in first
    assert "list cells columns.cells" in further
    assert "list cells" not in used(site, "choices", "stage.won")


@pytest.mark.parametrize("what, said", [
    (("table", "contct"), 'there is no table "contct" (did you mean "contact"?)'),
    (("tabel", "contact"), 'there is no kind "tabel" in use (did you mean "table"?)'),
    (("table", "contact.cel"), 'table "contact" has no "cel" (did you mean "cell"?)'),
])
def test_what_is_not_there_is_said(site: Path, what: tuple[str, str], said: str) -> None:
    assert run(Set(addons=(site / "addons",), metadata=site / "metadata"), *what) == (1, said)


def test_live_records_are_users_too(system: Live, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    monkeypatch.chdir(system.site.folder)
    system.site.write("policy.yaml", """
        table: policy
        fields:
          name: {type: text}
          rule: {type: expression, on: company}
        """)
    system.promote()
    record = system.create("policy", name="Large", rule="name is not None and\nsize > 100")
    settings = Set(**{**system.settings.model_dump(), "addons": (system.site.folder / "addons",)})
    code, said = run(settings, "table", "company.size", "--live")
    assert (code, said) == (0, "live records\n"
                               f"  policy {record} (Large) policy.rule:22\n      name is not None and size > 100\n"
                               "table company.size: 1 use\n")
    assert run(settings, "table", "company.size")[1] == "nothing uses table company.size\n"
    (found,) = json.loads(run(settings, "table", "company.size", "--live", "--json")[1])
    assert (found["record"], found["field"], found["column"]) == (record, "policy.rule", 22)
