"""`rename`: every file of the site that names the thing is rewritten, with comments and layout kept."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from core.cli import Invocation
from core.cli.rename import command
from core.definition import Loaded, load
from core.definition.overrides import LOCK
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


def test_a_dry_run_shows_what_would_change_and_writes_nothing(site: Path) -> None:
    before = texts(site)
    code, said = run(site, "contact.cell", "mobile", "--dry-run")
    assert code == 0 and texts(site) == before
    assert {"-peek: [name, cell]", "+peek: [name, mobile]", "--- tables/contact.yaml"} <= set(said.splitlines())
    assert said.splitlines()[-1] == "9 files would be changed"


def test_all_former_names_are_kept_in_the_order_they_were_given_up(site: Path) -> None:
    for old, new in (("cell", "mobile"), ("mobile", "handy"), ("handy", "cell_phone")):
        assert run(site, f"contact.{old}", new)[0] == 0
    field = loaded(site).must().tables["contact"].fields["cell_phone"]
    assert field.was == ("handy", "mobile", "cell")
    assert "was: [handy, mobile, cell]" in texts(site)["metadata/tables/contact.yaml"]
    assert "cell_phone_phone" not in "".join(texts(site).values())
    assert loaded(site).notices == ()


def test_a_value_of_choices_is_renamed(site: Path) -> None:
    code, said = run(site, "stage.won", "gained")
    assert code == 0, said
    after = texts(site)
    assert "  gained:  {title: Won, was: won}\n" in after["metadata/choices/stage.yaml"]
    assert "\"stage != 'gained' or stage == 'open'\"" in after["metadata/tables/contact.yaml"]
    assert "stage == 'gained'" in after["metadata/tables/company.yaml"]
    assert "new: {stage: gained}" in after["metadata/objects/contacts.yaml"]
    assert "choices stage.values.gained.title" in after["metadata/translations/de.po"]
    assert "  won:  {check" in after["metadata/tables/contact.yaml"]              # a rule of that name stays
    assert said.endswith("5 files changed\n")


def test_a_table_is_renamed(site: Path) -> None:
    code, said = run(site, "contact", "person")
    assert code == 0, said
    after = texts(site)
    assert after["metadata/tables/contact.yaml"].startswith("# People at companies.\ntable: person\n")
    assert "\nwas: contact\n" in after["metadata/tables/contact.yaml"]
    assert "{type: lines, of: person, by: company}" in after["metadata/tables/company.yaml"]
    assert "count(all.person[cell is not None])" in after["metadata/tables/company.yaml"]
    assert after["metadata/lists/contact.yaml"].startswith("list: contact\nof: person\n")
    assert 'name="contact" of="person"' in after["metadata/forms/contact.xml"]
    assert "  person.cell: {read: false}" in after["metadata/roles/caller.yaml"]
    assert "  person: {read: [self]}" in after["metadata/roles/caller.yaml"]
    assert 'msgctxt "table person.fields.cell.title"' in after["metadata/translations/de.po"]
    assert 'msgctxt "list contact.columns.cell.title"' in after["metadata/translations/de.po"]
    assert loaded(site).notices == () and loaded(site).must().tables["person"].was == ("contact",)


def test_choices_are_renamed(site: Path) -> None:
    code, said = run(site, "stage", "progress")
    assert code == 0, said
    after = texts(site)
    assert "choices: progress\n" in after["metadata/choices/stage.yaml"]
    assert "{type: choice, of: progress, default: open}" in after["metadata/tables/contact.yaml"]
    assert 'msgctxt "choices progress.values.won.title"' in after["metadata/translations/de.po"]


def test_a_field_that_the_site_added_to_an_addons_table_is_the_sites(site: Path) -> None:
    code, said = run(site, "company.contacts", "people")
    assert code == 0, said
    after = texts(site)["metadata/tables/company.yaml"]
    assert "  people:    {type: lines, of: contact, by: company, was: contacts}" in after
    assert '"count(people[cell == outer.cell' in after and "first(people.cell)" in after


@pytest.mark.parametrize("name, new, said", [
    ("company.cell", "mobile", 'table company.cell belongs to the addon "party", so the site cannot rename it: set its '
                               "title instead"),
    ("company", "firm", 'table company belongs to the addon "party", so the site cannot rename it: set its title instead'),
    ("contact.cel", "mobile", 'table "contact" has no "cel" (did you mean "cell"?)'),
    ("contract.cell", "mobile", 'there is no table, mixin or choices "contract" (did you mean "contact"?)'),
    ("contact.cell", "second", 'table "contact" has a "second" already'),
    ("contact.cell", "cell", "table contact.cell is called so already"),
    ("contact.cell", "Mobile Phone", '"Mobile Phone" cannot be a name: names are a-z, 0-9 and _, and begin with a letter'),
    ("contact.cell", "from", '"from" cannot be a name: it is a word of the expression language'),
    ("contact", "company", 'there is a table "company" already'),
    ("contact.cell", "user", "table contact.cell cannot be renamed user:"),
])
def test_what_cannot_be_renamed_is_refused_and_nothing_is_written(site: Path, name: str, new: str, said: str) -> None:
    before = texts(site)
    code, told = run(site, name, new)
    assert code == 1 and told.startswith(said), told
    assert texts(site) == before


def test_a_set_with_problems_is_mended_first(site: Path) -> None:
    write(site, {"metadata/lists/bad.yaml": "list: bad\nof: contact\ncolumns: {clel: {}}\n"})
    code, said = run(site, "contact.cell", "mobile")
    assert code == 1
    assert said.startswith("the definitions have problems; mend them first:\n  ") and "clel" in said


def test_a_file_that_cannot_be_written_leaves_all_as_they_were(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import os
    before, replace, done = texts(site), os.replace, []

    def failing(old: Path, new: Path) -> None:
        if len(done) == 4:
            raise OSError("the disk is full")
        done.append(new)
        replace(old, new)
    monkeypatch.setattr(os, "replace", failing)
    settings = Set(addons=(site / "addons",), metadata=site / "metadata")
    result = CliRunner().invoke(command, ["contact.cell", "mobile"], obj=Invocation(settings))
    assert isinstance(result.exception, OSError)
    assert texts(site) == before


def test_one_name_of_two_things_asks_which(site: Path) -> None:
    write(site, {"metadata/tables/stage.yaml": "table: stage\nfields: {won: {type: text}}\n"})
    assert run(site, "stage.won", "gained")[1] == '"stage.won" is a table and a choices: say which with --kind'
    assert run(site, "stage.won", "gained", "--kind", "table")[0] == 0
    assert "fields: {gained: {type: text, was: won}}" in texts(site)["metadata/tables/stage.yaml"]


def test_a_file_that_only_happens_to_be_called_so_stays(site: Path) -> None:
    mine = site / "metadata/tables/contact.yaml.renamed"
    mine.symlink_to(site / "outside.txt")
    (site / "outside.txt").write_text("mine")
    code, _ = run(site, "contact.cell", "mobile")
    assert code == 0 and mine.is_symlink() and (site / "outside.txt").read_text() == "mine"


def test_nothing_is_written_outside_of_the_site(site: Path) -> None:
    linked, elsewhere = site / "metadata/tables/contact.yaml", site / "elsewhere.yaml"
    linked.rename(elsewhere)
    linked.symlink_to(elsewhere)
    before = texts(site)
    code, said = run(site, "contact.cell", "mobile")
    assert code == 1 and "is a link that leads out of" in said
    assert texts(site) == before and linked.is_symlink()


def test_a_field_of_a_mixin_is_renamed_where_the_mixin_writes_it(site: Path) -> None:
    write(site, {
        "metadata/tables/owned.yaml": "mixin: owned\nfields:\n  owner: {type: link, to: user}\n",
        "metadata/tables/desk.yaml": "table: desk\nuses: [owned]\ndisplay: '{owner.name}'\nfields: {mine: "
                                     "{type: boolean, formula: owner == user}}\n",
        "metadata/lists/desk.yaml": "list: desk\nof: desk\ncolumns: {owner: {}, who: {path: owner.name}}\n"})
    assert run(site, "desk.owner", "boss")[1] == '"owner" of desk comes from owned: rename owned.owner'
    assert run(site, "owned.owner", "boss")[0] == 0
    after = texts(site)
    assert "  boss: {type: link, to: user, was: owner}" in after["metadata/tables/owned.yaml"]
    assert "display: '{boss.name}'" in after["metadata/tables/desk.yaml"]
    assert "formula: boss == user" in after["metadata/tables/desk.yaml"]
    assert "columns: {boss: {}, who: {path: boss.name}}" in after["metadata/lists/desk.yaml"]
    assert loaded(site).must().tables["desk"].fields["boss"].was == ("owner",)


def test_follow_rewrites_former_names_of_an_addon(site: Path) -> None:
    write(site, {"metadata/tables/company.yaml": SITE["metadata/tables/company.yaml"]
                 + "  cell: {title: Call, after: name}\npeek: {add: [cell]}\n"})
    whole = loaded(site).must()
    party = site / "addons" / "party"
    for path in party.rglob("*.yaml"):
        path.write_text(path.read_text().replace("  cell: {type: phone}", "  phone: {type: phone, was: cell}")
                        .replace("cell: {}", "phone: {}"))
    found = loaded(site)
    assert found.problems == ()
    assert len(found.notices) == 9
    assert str(found.notices[0]).endswith('"cell" is called "phone" now: run server.py rename --follow')
    assert set(found.must().definitions) == set(whole.definitions)
    code, said = run(site, "--follow")
    assert code == 0, said
    assert loaded(site).notices == () and loaded(site).must().hash == found.must().hash
    after = texts(site)
    assert "  phone: {title: Call, after: name}\npeek: {add: [phone]}" in after["metadata/tables/company.yaml"]
    assert "contacts[cell == outer.phone and" in after["metadata/tables/company.yaml"]
    assert "default: =company.phone" in after["metadata/tables/contact.yaml"]
    assert "company_cell: {path: company.phone}" in after["metadata/lists/contact.yaml"]
    assert run(site, "--follow")[1] == "0 files changed\n"


def test_wrong_usage(site: Path) -> None:
    for arguments in ([], ["contact.cell"], ["contact.cell", "mobile", "--follow"], ["contact.cell", "--follow"]):
        assert run(site, *arguments)[0] == 2


def test_what_was_written_against_a_release_needs_no_review_after_a_rename(site: Path) -> None:
    write(site, {"metadata/zz/company.yaml": "change: table company\nfields:\n  name: {required: cells > 3, title: Firm}\n"
                                             "  contacts: {title: Who}\n"})
    (site / "metadata" / LOCK).write_bytes(loaded(site).overrides.next_lock())
    assert loaded(site).problems == ()
    for name, new in (("company.cells", "phones"), ("company.contacts", "people"), ("contact.cell", "mobile")):
        code, said = run(site, name, new)
        assert code == 0, said
    assert loaded(site).problems == ()
    after = texts(site)
    assert "name: {required: phones > 3, title: Firm}\n  people: {title: Who}" in after["metadata/zz/company.yaml"]
    # the next release of the addon changes nothing of it, and one that does is still noticed
    company = site / "addons" / "party" / "tables" / "company.yaml"
    company.write_text(company.read_text().replace("required: true", "required: false"))
    (problem,) = loaded(site).problems
    assert "it was true, is false" in problem.message


def test_what_speaks_of_the_version_before_is_left_and_told_and_what_is_set_follows(site: Path) -> None:
    write(site, {
        "addons/party/addon.yaml": "addon: party\nversion: 2.0.0\n",
        "addons/party/migrations/2.0.0.yaml":
            "migration: 2.0.0\nsteps:\n  named: {fill: company, set: {name: =concat(name)}}\n",
        "metadata/migrations/party_2_0_0.yaml":
            "change: migration party_2_0_0\nsteps:\n  called: {fill: contact, set: {cell: =concat(cell)}, where: cell != ''}\n",
        "metadata/tables/contact_more.yaml":
            'change: table contact\nfields:\n  third: {type: text, fill: "=concat(company.cell, cell)"}\n'})
    code, said = run(site, "contact.cell", "mobile")
    assert code == 0, said
    after = texts(site)
    assert "set: {mobile: =concat(cell)}, where: cell != ''" in after["metadata/migrations/party_2_0_0.yaml"]
    assert 'fill: "=concat(company.cell, cell)"' in after["metadata/tables/contact_more.yaml"]
    told = [line.replace(f"{site}/", "") for line in said.splitlines() if line.startswith("left ")]
    assert told == [
        f"left metadata/{place}: {what} speaks of the version before, which has the old name" for place, what in (
            ("migrations/party_2_0_0.yaml:3", "migration party_2_0_0"), ("tables/contact_more.yaml:3", "table contact"))]
