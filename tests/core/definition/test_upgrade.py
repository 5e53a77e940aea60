"""A worked upgrade: an addon in three releases under a site that changes it in eight places, and its form."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.cache import Cache, contents
from core.definition import Loaded, load, reviewing
from core.definition.checked import check
from core.definition.overrides import LOCK
from core.definition.reviewing import Answers, Edit
from core.errors import Refused
from tests.core.definition.sets import write

ADDON = "addon: lead\nversion: {}\n"
TABLE_1 = """table: lead
title: Lead
peek: [name, city]
fields:
  name:   {type: text, max: 50}
  cell:   {type: phone, title: Cell}
  city:   {type: text, title: City}
  amount: {type: money, required: false, help: "What it is worth."}
  source: {type: text, title: Source}
  note:   {type: text}
rules:
  named: {check: name != city, message: A name is no city.}
"""
FORM_1 = """<form name="lead" of="lead">
  <group id="main"><field name="name"/><field name="cell"/><field name="city" title="City"/></group>
  <group id="worth"><field name="amount"/></group>
  <group id="rest"><field name="note"/></group>
</form>
"""
# Eight overrides of the table, and a changed form.
SITE_TABLE = """# What we change of leads.
change: table lead
title: Enquiry                         # we never say lead
peek: {add: [amount]}
fields:
  # The boss wants it.
  amount: {required: true, help: "Net, in our currency."}
  cell:   {title: Mobile phone}
  city:   {title: 'Town', after: name}
  source: {title: Where from}          # to be thought over
  region: {type: text, after: city}
rules:
  named:  {message: "That is a city."}
"""
SITE_FORM = """<form change="lead">
  <!-- regions beside cities -->
  <after ref="city"><field name="region"/></after>
  <set ref="city" title="Town"/>
  <move ref="note" into="main"/>
</form>
"""
SITE = {"site/system.yaml": "system: main\naddons: [lead]\n", "site/tables/lead.yaml": SITE_TABLE,
        "site/forms/lead.xml": SITE_FORM}
# The second release changes three of what the site changes (required, help, the rule's message), removes one (source)
# and renames one (cell). It also reorders, reindents, and changes what the site does not touch.
TABLE_2 = """table: lead
title: Lead
fields:
  note:   {type: text, help: What else there is.}
  name:   {max: 80, type: text}
  mobile: {type: phone, title: Cell, was: cell}
  city:
    title: City
    type: text
  amount: {type: money, required: "city != ''", help: "What it is worth, without taxes."}
peek: [name, city]
rules:
  named: {check: name != city, message: A name cannot be a city.}
"""
FORM_2 = FORM_1.replace('<field name="cell"/>', '<field name="mobile"/>').replace("\n  <group", "\n      <group")
REQUIRED, HELP = "table lead.fields.amount.required", "table lead.fields.amount.help"
MESSAGE, SOURCE = "table lead.rules.named.message", "table lead.fields.source.title"


def release(folder: Path, version: str, table: str, form: str) -> None:
    write(folder, {"addons/lead/addon.yaml": ADDON.format(version), "addons/lead/tables/lead.yaml": table,
                   "addons/lead/forms/lead.xml": form})


def loaded(folder: Path) -> Loaded:
    return load([folder / "addons"], folder / "site", root=folder)


def review(folder: Path, **answers: object) -> Loaded:
    """Review with answers by the end of the key: `required=...` answers REQUIRED."""
    found = loaded(folder)
    by_key = {one.locked: answers[one.locked.rpartition(".")[2]] for one in found.overrides.stale
              if one.locked.rpartition(".")[2] in answers}
    return reviewing.review(found, folder / "site", folder, Answers(by_key), lambda: loaded(folder))[1]  # type: ignore[arg-type]


def stale(folder: Path) -> list[str]:
    return [one.locked for one in loaded(folder).overrides.stale]


@pytest.fixture
def system(tmp_path: Path) -> Path:
    """The first release with the site's changes, reviewed: the lock is written."""
    release(tmp_path, "1.0.0", TABLE_1, FORM_1)
    write(tmp_path, SITE)
    assert review(tmp_path).problems == ()
    return tmp_path


def test_the_lock_keeps_what_was_shipped_a_line_each(system: Path) -> None:
    lines = (system / "site" / LOCK).read_text().splitlines()
    assert [line for line in lines if not line.startswith("#")] == [
        "form lead.city.title: {base: City, from: lead 1.0.0}",
        "form lead.note into: {base: \"group:rest > form\", from: lead 1.0.0}",
        "form lead.region: {from: lead 1.0.0}",
        "form lead.region after: {base: \"group:main\", from: lead 1.0.0}",
        'table lead.fields.amount.help: {base: What it is worth., from: lead 1.0.0}',
        "table lead.fields.amount.required: {base: false, from: lead 1.0.0}",
        "table lead.fields.cell.title: {base: Cell, from: lead 1.0.0}",
        "table lead.fields.city after: {base: true, from: lead 1.0.0}",
        "table lead.fields.city.title: {base: City, from: lead 1.0.0}",
        "table lead.fields.region: {from: lead 1.0.0}",
        "table lead.fields.region after: {from: lead 1.0.0}",
        "table lead.fields.source.title: {base: Source, from: lead 1.0.0}",
        'table lead.peek +amount: {from: lead 1.0.0}',
        "table lead.rules.named.message: {base: A name is no city., from: lead 1.0.0}",
        "table lead.title: {base: Lead, from: lead 1.0.0}"]


def test_the_lock_is_the_same_each_time(system: Path) -> None:
    before = (system / "site" / LOCK).read_bytes()
    review(system)
    assert (system / "site" / LOCK).read_bytes() == before


def test_check_tells_exactly_what_the_release_changed_under_the_site(system: Path) -> None:
    release(system, "2.0.0", TABLE_2, FORM_2)
    assert [str(one) for one in loaded(system).problems] == [
        'site/tables/lead.yaml:7:12: lead 2.0.0 changed what this overrides: it was false, is "city != \'\'", and ours '
        "is true; run server.py review",
        'site/tables/lead.yaml:7:28: lead 2.0.0 changed what this overrides: it was "What it is worth.", is "What it '
        'is worth, without taxes.", and ours is "Net, in our currency."; run server.py review',
        'site/tables/lead.yaml:10:12: lead 2.0.0 changed what this overrides: it was "Source" and is gone, and ours is '
        '"Where from"; run server.py review',
        'site/tables/lead.yaml:13:12: lead 2.0.0 changed what this overrides: it was "A name is no city.", is "A name '
        'cannot be a city.", and ours is "That is a city."; run server.py review']
    assert stale(system) == [HELP, REQUIRED, SOURCE, MESSAGE]


def test_a_renamed_field_is_followed_and_the_file_says_so(system: Path) -> None:
    release(system, "2.0.0", TABLE_2, FORM_2)
    found = loaded(system)
    assert [str(one) for one in found.notices] == [
        'site/tables/lead.yaml:8:3: "cell" is called "mobile" now: run server.py rename --follow']
    assert found.merge.merged["table", "lead"].body["fields"]["mobile"]["title"] == "Mobile phone"  # type: ignore[index]


def test_answers_are_written_into_the_files_with_their_comments(system: Path) -> None:
    release(system, "2.0.0", TABLE_2, FORM_2)
    after = review(system, required="keep", help="take", title="take", message=Edit("No cities here."))
    assert (after.problems, after.overrides.stale) == ((), ())
    assert (system / "site/tables/lead.yaml").read_text() == SITE_TABLE.replace(
        ', help: "Net, in our currency."', "").replace(
        "  source: {title: Where from}          # to be thought over\n", "").replace("That is a city.", "No cities here.")
    lead = after.must().tables["lead"]
    assert (lead.fields["amount"].required, lead.fields["amount"].help) == (True, "What it is worth, without taxes.")
    assert lead.rules["named"].message == "No cities here."


def test_the_answers_hold_at_the_next_upgrade(system: Path) -> None:
    release(system, "2.0.0", TABLE_2, FORM_2)
    review(system, required="keep", help="take", title="take", message=Edit("No cities here."))
    release(system, "3.0.0", TABLE_2.replace("max: 80", "max: 90").replace("title: Lead", "title: Leads"), FORM_2)
    assert stale(system) == ["table lead.title"]
    review(system, title="keep")
    release(system, "4.0.0", TABLE_2.replace("city != ''", "amount > 5"), FORM_2)
    assert stale(system) == [REQUIRED, "table lead.title"]


def test_what_has_no_answer_waits(system: Path) -> None:
    release(system, "2.0.0", TABLE_2, FORM_2)
    after = review(system, required="keep")
    assert [one.locked for one in after.overrides.stale] == [HELP, SOURCE, MESSAGE]
    assert len(after.problems) == 3


def test_only_in_its_own_files_is_the_site_told_to_follow_a_new_name(system: Path) -> None:
    release(system, "2.0.0", TABLE_2, FORM_1)
    assert [str(one) for one in loaded(system).notices] == [
        'addons/lead/forms/lead.xml:2:53: "cell" is called "mobile" now',
        'site/tables/lead.yaml:8:3: "cell" is called "mobile" now: run server.py rename --follow']


def test_a_slip_of_the_site_is_no_change_of_the_release(system: Path) -> None:
    form = SITE_FORM.replace('<after ref="city">', '<after ref="cty">')
    write(system, {"site/forms/lead.xml": form})
    assert [str(one) for one in loaded(system).problems] == [
        'site/forms/lead.xml:3:10: form "lead" has no node "cty" (did you mean "city"?)']


def test_what_is_gone_cannot_be_kept_and_nothing_is_written(system: Path) -> None:
    release(system, "2.0.0", TABLE_2, FORM_2)
    before = (system / "site/tables/lead.yaml").read_bytes()
    with pytest.raises(Refused, match="cannot be kept: what it changes is not shipped any more"):
        review(system, help="take", title="keep")
    assert (system / "site/tables/lead.yaml").read_bytes() == before


def test_a_file_of_answers_is_printed_and_read(system: Path) -> None:
    release(system, "2.0.0", TABLE_2, FORM_2)
    text = reviewing.template(loaded(system).overrides.stale)
    assert f"{REQUIRED}:\n" in text
    assert '# base:   false\n# theirs: "city != \'\'"  (lead 2.0.0)\n# ours:   true\n' in text
    filled = text.replace(f"{REQUIRED}:\n", f"{REQUIRED}: keep\n").replace(f"{HELP}:\n", f"{HELP}: {{edit: Net.}}\n")
    assert reviewing.read_answers(filled.encode(), "answers.yaml").by_key == {REQUIRED: "keep", HELP: Edit("Net.")}
    with pytest.raises(Refused, match="answers.yaml:1:1: the answer is keep, take or"):
        reviewing.read_answers(b"table lead.title: perhaps\n", "answers.yaml")


def test_the_changed_form_is_told_where_the_release_moves_what_it_aims_at(system: Path) -> None:
    form = FORM_1.replace('<field name="city" title="City"/>', "").replace(
        '<group id="worth">', '<group id="worth"><field name="city" title="Place"/>').replace(
        '<group id="rest"><field name="note"/></group>', "")
    release(system, "2.0.0", TABLE_1, form)
    assert [str(one) for one in loaded(system).problems] == [
        'site/forms/lead.xml:3:10: lead 2.0.0 changed what this overrides: it was "group:main", is "group:worth", and '
        'ours is "city"; run server.py review',
        'site/forms/lead.xml:4:19: lead 2.0.0 changed what this overrides: it was "City", is "Place", and ours is '
        '"Town"; run server.py review',
        'site/forms/lead.xml:5:20: lead 2.0.0 changed what this overrides: it was "group:rest > form" and is gone, and ours '
        'is "main"; run server.py review']
    found = loaded(system)
    answers = Answers({"form lead.region after": "keep", "form lead.city.title": "take", "form lead.note into": "take"})
    after = reviewing.review(found, system / "site", system, answers, lambda: loaded(system))[1]
    assert (after.problems, after.overrides.stale) == ((), ())
    assert (system / "site/forms/lead.xml").read_text() == (
        '<form change="lead">\n  <!-- regions beside cities -->\n'
        '  <after ref="city"><field name="region"/></after>\n</form>\n')


def test_a_release_that_ships_what_the_site_had_added(system: Path) -> None:
    release(system, "2.0.0", TABLE_1 + "", FORM_1)
    release(system, "2.0.0", TABLE_1.replace("  note:", "  region: {type: choice, of: region}\n  note:"), FORM_1)
    write(system, {"addons/lead/choices/region.yaml": "choices: region\nvalues: {north: {}}\n"})
    assert stale(system) == ["table lead.fields.region"]
    one = loaded(system).overrides.stale[0]
    assert (one.base, one.override.shipped) == (None, {"type": "choice", "of": "region"})
    after = reviewing.review(loaded(system), system / "site", system, Answers({"table lead.fields.region": "take"}),
                             lambda: loaded(system))[1]
    assert (after.problems, after.overrides.stale) == ((), ())
    assert after.must().tables["lead"].fields["region"].type.name == "choice"


def test_a_release_that_says_what_the_site_says_needs_no_review(system: Path) -> None:
    release(system, "2.0.0", TABLE_1.replace("title: City", "title:   Town").replace("required: false", "required: true"),
            FORM_1)
    assert (loaded(system).problems, stale(system)) == ((), [])


def test_lists_and_removals(tmp_path: Path) -> None:
    release(tmp_path, "1.0.0", TABLE_1, FORM_1)
    write(tmp_path, {"site/system.yaml": "system: main\naddons: [lead]\n", "site/tables/lead.yaml":
                     "change: table lead\npeek: {remove: [city]}\nrules: {named: null}\nfields: {source: null}\n"})
    review(tmp_path)
    release(tmp_path, "2.0.0", TABLE_1.replace("peek: [name, city]", "peek: [name]").replace(
        "message: A name is no city.", "message: Name it."), FORM_1)
    assert stale(tmp_path) == ["table lead.peek -city", "table lead.rules.named"]
    after = reviewing.review(loaded(tmp_path), tmp_path / "site", tmp_path, Answers(
        {"table lead.peek -city": "take", "table lead.rules.named": "keep"}), lambda: loaded(tmp_path))[1]
    assert (after.problems, after.overrides.stale) == ((), ())
    assert (tmp_path / "site/tables/lead.yaml").read_text() == (
        "change: table lead\nrules: {named: null}\nfields: {source: null}\n")


def test_a_file_that_says_nothing_any_more_is_removed(tmp_path: Path) -> None:
    release(tmp_path, "1.0.0", TABLE_1, FORM_1)
    write(tmp_path, {"site/system.yaml": "system: main\naddons: [lead]\n",
                     "site/tables/lead.yaml": "change: table lead\nfields: {amount: {required: true}}\n"})
    review(tmp_path)
    release(tmp_path, "2.0.0", TABLE_2, FORM_2)
    assert review(tmp_path, required="take").problems == ()
    assert not (tmp_path / "site/tables/lead.yaml").exists()
    assert "required" not in (tmp_path / "site" / LOCK).read_text()


def test_a_lock_that_is_no_lock_is_told(system: Path) -> None:
    (system / "site" / LOCK).write_text("table lead.title: {base: Lead}\n")
    assert [str(one) for one in loaded(system).problems] == [
        "site/customisation.lock:1:1: an entry says what was shipped and by whom: {base: VALUE, from: ADDON VERSION}"]


def test_a_check_of_what_changed_alone_tells_it_too(system: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(system)

    def problems() -> list[str]:
        folders = [system / "addons", system / "site"]
        return list(check(folders[:1], folders[1], contents(folders), Cache(tmp_path / "cache"), "test").problems)

    assert problems() == []
    release(system, "1.0.0", TABLE_1.replace("title: City", "title: Place"), FORM_1)
    assert problems() == ['site/tables/lead.yaml:9:12: lead 1.0.0 changed what this overrides: it was "City", is '
                          '"Place", and ours is "Town"; run server.py review']


def test_the_lock_follows_a_rename_too(system: Path) -> None:
    release(system, "2.0.0", TABLE_2, FORM_2)
    review(system, required="keep", help="take", title="take", message="keep")
    write(system, {"site/tables/lead.yaml": (system / "site/tables/lead.yaml").read_text().replace("cell: ", "mobile: ")})
    assert (loaded(system).notices, stale(system)) == ((), [])
    release(system, "3.0.0", TABLE_2.replace("title: Cell", "title: Pocket phone"), FORM_2)
    assert stale(system) == ["table lead.fields.mobile.title"]
