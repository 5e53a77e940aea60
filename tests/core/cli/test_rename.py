"""`rename`: every file of the site that names the thing is rewritten, with comments and layout kept."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from core.cli import Invocation
from core.cli.rename import command
from core.definition import Loaded, load
from core.errors import TesseraError
from core.settings import Settings
from tests.core.definition.sets import write

PARTY = {
    "addons/party/tables/company.yaml": """\
table: company
display: "{name}"
fields:
  name: {type: text, required: true}
  cell: {type: phone}
""",
    "addons/party/tables/user.yaml": "table: user\npeople: id\nfields:\n  name: {type: text}\n",
    "addons/party/lists/company.yaml": "list: company\nof: company\ncolumns: {name: {}, cell: {}}\n",
    "addons/party/roles/clerk.yaml": "role: clerk\ngrants:\n  company: {read: true}\n",
}
SITE = {
    "metadata/system.yaml": "system: main\naddons: [party]\nlanguages: [en, de]\n",
    "metadata/choices/stage.yaml": """\
# How far it is.
choices: stage
values:
  open: {title: Open}   # at first
  won:  {title: Won}
""",
    "metadata/tables/contact.yaml": """\
# People at companies.
table: contact
display: "{name} ({cell})"     # cell, so that one can call
peek: [name, cell]
fields:
  name:    {type: text, required: true}
  company: {type: link, to: company}
  cell:    {type: phone, title: Cell}      # the pocket one
  stage:   {type: choice, of: stage, default: open}
  second:  {type: phone, required: "cell is None and company.cell is not None", default: =company.cell}
  shown:
    type: text
    formula: >-
      concat(name, ' cell ',
      record.cell)
roles:
  self: {is: created_by}
rules:
  cell: {check: "cell != company.cell", message: "{cell} is the company's {company.cell}."}
  won:  {check: "stage != 'won' or stage == 'open'"}
unique:
  cell: {fields: [cell], where: cell is not None}
indexes:
  call: {fields: [company, cell]}
""",
    "metadata/tables/company.yaml": """\
change: table company
fields:
  contacts:    {type: lines, of: contact, by: company}
  cells:       {type: integer, formula: "count(contacts[cell == outer.cell and stage == 'won'])"}
  cell_of_one: {type: text, formula: first(contacts.cell)}
  others:      {type: integer, formula: "count(all.contact[cell is not None])"}
""",
    "metadata/lists/contact.yaml": """\
list: contact
of: contact
columns:
  name: {}
  cell: {title: Cell}     # widest
  company_cell: {path: company.cell}
order: [-cell, name]
filters:
  cell: {title: With cell, where: cell is not None}
views:
  kanban: {by: stage, card: [name, cell]}
""",
    "metadata/forms/contact.xml": """\
<!-- cell stays in comments -->
<form name="contact" of="contact">
  <group id="main" columns="2">
    <field name="name"/>
    <field name='cell'   title="Cell"/>
    <field name="company.cell"/>
  </group>
</form>
""",
    "metadata/zz/contact.xml": """\
<form change="contact">
  <after ref="cell"><field name="stage"/></after>
  <set ref="field:cell" wide="true"/>
</form>
""",
    "metadata/roles/caller.yaml": """\
role: caller
grants:
  company: {read: true}
  contact: {read: [self]}
  contact.cell: {read: false}
""",
    "metadata/data/contacts.yaml": """\
data: contacts
of: contact
key: name
records:
  Ann: {cell: +49 30 901820, stage: open}
""",
    "metadata/objects/contacts.yaml": "object: contacts\nof: contact\nwhere: cell is not None\nnew: {stage: won}\n",
    "metadata/translations/de.po": '''\
msgid ""
msgstr ""
"Content-Type: text/plain; charset=utf-8\\n"

#. people call it so
msgctxt "table contact.fields.cell.title"
msgid "Cell"
msgstr "Handy (cell)"

msgctxt "list contact.columns.cell.title"
msgid "Cell"
msgstr "Handy"

msgctxt "form contact.cell.title"
msgid "Cell"
msgstr "Handy"

msgctxt "choices stage.values.won.title"
msgid "Won"
msgstr "Gewonnen"
''',
}


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with one addon, and a site that names `contact.cell` in every way there is."""
    monkeypatch.chdir(tmp_path)
    write(tmp_path, PARTY | SITE)
    return tmp_path


class Set(Settings):
    """Settings whose only addons are those of the test."""

    @property
    def addon_folders(self) -> tuple[Path, ...]:
        return self.addons


def run(site: Path, *arguments: str) -> tuple[int, str]:
    """Run the command; its exit code and what it printed."""
    settings = Set(addons=(site / "addons",), metadata=site / "metadata")
    result = CliRunner().invoke(command, list(arguments), obj=Invocation(settings))
    if isinstance(result.exception, TesseraError):
        return 1, str(result.exception)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output


def loaded(site: Path) -> Loaded:
    return load([site / "addons"], site / "metadata", root=site)


def texts(site: Path) -> dict[str, str]:
    return {str(path.relative_to(site)): path.read_text() for path in sorted((site / "metadata").rglob("*"))
            if path.is_file()}


def test_the_set_is_whole(site: Path) -> None:
    assert loaded(site).problems == ()
    assert loaded(site).notices == ()


def test_a_field_is_renamed_everywhere_and_nothing_else_is_touched(site: Path) -> None:
    before = loaded(site).must()
    code, said = run(site, "contact.cell", "mobile")
    assert code == 0, said
    after = texts(site)
    expected = {path: text for path, text in SITE.items() if path.startswith("metadata")}
    for path, edits in {
        "metadata/tables/contact.yaml": [
            ('"{name} ({cell})"     # cell', '"{name} ({mobile})"     # cell'),
            ("peek: [name, cell]", "peek: [name, mobile]"),
            ("  cell:    {type: phone, title: Cell}      # the pocket one",
             "  mobile:    {type: phone, title: Cell, was: cell}      # the pocket one"),
            ('"cell is None and company.cell', '"mobile is None and company.cell'),
            ("record.cell)", "record.mobile)"),
            ('check: "cell != company.cell", message: "{cell} is', 'check: "mobile != company.cell", message: "{mobile} is'),
            ("{fields: [cell], where: cell is", "{fields: [mobile], where: mobile is"),
            ("[company, cell]", "[company, mobile]")],
        "metadata/tables/company.yaml": [
            ("contacts[cell == outer.cell", "contacts[mobile == outer.cell"), ("first(contacts.cell)", "first(contacts.mobile)"),
            ("all.contact[cell is", "all.contact[mobile is")],
        "metadata/lists/contact.yaml": [
            ("  cell: {title: Cell}     # widest", "  mobile: {title: Cell}     # widest"), ("[-cell, name]", "[-mobile, name]"),
            ("where: cell is", "where: mobile is"), ("card: [name, cell]", "card: [name, mobile]")],
        "metadata/forms/contact.xml": [("name='cell' ", "name='mobile' ")],
        "metadata/zz/contact.xml": [('ref="cell"', 'ref="mobile"'), ('ref="field:cell"', 'ref="field:mobile"')],
        "metadata/roles/caller.yaml": [("contact.cell:", "contact.mobile:")],
        "metadata/data/contacts.yaml": [("Ann: {cell:", "Ann: {mobile:")],
        "metadata/objects/contacts.yaml": [("where: cell", "where: mobile")],
        "metadata/translations/de.po": [
            ("contact.fields.cell.title", "contact.fields.mobile.title"),
            ("contact.columns.cell.title", "contact.columns.mobile.title"),
            ("form contact.cell.title", "form contact.mobile.title")],
    }.items():
        for old, new in edits:
            assert expected[path].count(old) == 1, old
            expected[path] = expected[path].replace(old, new)
    assert after == expected
    model = loaded(site).must()
    assert loaded(site).notices == ()
    assert model.tables["contact"].fields["mobile"].was == ("cell",)
    assert set(model.definitions) == set(before.definitions)
    assert "9 files changed" in said
