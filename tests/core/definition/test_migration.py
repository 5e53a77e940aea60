"""Upgrade steps of addons and `fill:` of fields: what check says of them before anybody knows which version is live."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.definition.migrations import Past, version_key
from tests.core.definition.sets import load_set

SITE = "system: main\naddons: [crm]\nlanguages: [en]\ncurrency: EUR\ntime_zone: UTC\n"
CONTACT = """table: contact
fields:
  first_name: {type: text}
  last_name: {type: text, max: 5}
  company: {type: link, to: company}
  stage: {type: choice, of: stage}
  twice: {type: integer, formula: "2"}
"""
FILES = {
    "addons/crm/addon.yaml": "addon: crm\nversion: 2.1.0\n",
    "addons/crm/tables/contact.yaml": CONTACT,
    "addons/crm/tables/company.yaml": "table: company\nfields:\n  city: {type: text}\n",
    "addons/crm/stages.yaml": "choices: stage\nvalues:\n  open: {title: Open}\n  won: {title: Won}\n",
    "metadata/system.yaml": SITE,
}


def problems(folder: Path, **files: str) -> list[str]:
    """What check says of an addon with these files, beside those that are always there."""
    written = {f"addons/crm/{name.replace('__', '/')}.yaml": text for name, text in files.items()}
    return [str(one) for one in load_set(folder, FILES | written).problems]


def migration(folder: Path, steps: str, version: str = "2.0.0") -> list[str]:
    """What check says of one migration."""
    return problems(folder, migrations__one=f"migration: {version}\nsteps:\n  {steps}\n")


def test_a_migration_is_known_by_its_addon_and_version(tmp_path: Path) -> None:
    loaded = load_set(tmp_path, FILES | {"addons/crm/migrations/2.0.0.yaml": """migration: 2.0.0
steps:
  names: {split: contact.name, set: {first_name: "=before(name, ' ')", last_name: X}, where: name is not None}
  city: {move: contact.city, set: {company.city: "=first(contacts, order=id).city"}}
"""})
    found = loaded.must().migrations["crm_2_0_0"]
    assert (found.addon, found.version) == ("crm", "2.0.0")
    names, city = found.steps.values()
    assert names.ends == ("contact.name",) and names.fills[0].value == Past("before(name, ' ')")
    assert names.fills[1].value == "X" and names.fills[1].where == Past("name is not None")
    assert (city.fills[0].table, city.fills[0].field) == ("company", "city")


@pytest.mark.parametrize(("steps", "told"), [
    ("a: {fill: contact, set: {firstname: x}}",
     '3:28: field "firstname" is not on table "contact" (did you mean "first_name"?)'),
    ("a: {fill: contacts, set: {first_name: x}}", 'there is no table "contacts" (did you mean "contact"?)'),
    ("a: {fill: contact, set: {first_name: '=before(name'}}", '"(" is never closed'),
    ("a: {fill: contact, set: {first_name: =user.name}}", 'records are filled by no user, so "user" means nothing here'),
    ("a: {fill: contact, set: {first_name: x}, where: 'name ='}", 'a comparison is written "=="'),
    ("a: {fill: contact, set: {last_name: too long}}", "this may have 5 characters and has 8"),
    ("a: {fill: contact, set: {stage: lost}}", '"lost" is not one of the choices "stage"'),
    ("a: {fill: contact, set: {company: Acme}}", "a link's value is an expression"),
    ("a: {fill: contact, set: {twice: 3}}", 'field "twice" cannot be filled: it is worked out'),
    ("a: {fill: contact, split: contact.name, set: {first_name: x}}", "this has fill and split"),
    ("a: {set: {first_name: x}}", "a step is one of fill, split, merge, move"),
    ("a: {split: name, set: {first_name: x}}", "write the table and the field, such as company.name"),
    ("a: {merge: [contact.name, company.name], set: {first_name: x}}", "these are of company and contact"),
    ("a: {split: contact.last_name, set: {first_name: x}}", 'field "contact.last_name" is still there'),
    ("a: {fill: contact, set: {first_name: x}}\n  b: {fill: contact, set: {first_name: y}}",
     '"contact.first_name" is set by step "a" already'),
    ("a: {fill: contact, set: {}}", "it sets nothing"),
])
def test_what_is_wrong_with_a_step_is_told_at_its_place(tmp_path: Path, steps: str, told: str) -> None:
    found = migration(tmp_path, steps)
    assert len(found) == 1 and told in found[0] and "migrations/one.yaml:" in found[0], found


def test_a_version_is_one_that_the_addon_has_come_to(tmp_path: Path) -> None:
    found = migration(tmp_path, "a: {fill: contact, set: {first_name: x}}", "2.2.0")
    assert found == ['addons/crm/migrations/one.yaml:1:1: addon "crm" is of version 2.1.0, so nothing comes to 2.2.0 yet']


@pytest.mark.parametrize("version", ["next", "2.x", "2.0", "[2]"])
def test_a_migration_is_called_by_a_version(tmp_path: Path, version: str) -> None:
    found = migration(tmp_path, "a: {fill: contact, set: {first_name: x}}", version)
    assert len(found) == 1 and "a migration is called by the version it leads to, such as 2.0.0, not" in found[0]


def test_the_site_has_no_versions_but_may_change_a_step_or_take_it_away(tmp_path: Path) -> None:
    files = FILES | {"addons/crm/migrations/2.0.0.yaml": """migration: 2.0.0
steps:
  a: {fill: contact, set: {first_name: x}}
  b: {fill: contact, set: {last_name: x}}
"""}
    loaded = load_set(tmp_path, files | {"metadata/upgrade.yaml": """change: migration crm_2_0_0
steps:
  a: {set: {first_name: y}}
  b: null
"""})
    (step,) = loaded.must().migrations["crm_2_0_0"].steps.values()
    assert step.fills[0].value == "y"
    loaded = load_set(tmp_path, {"metadata/upgrade.yaml":
                                 "migration: 2.0.0\nsteps:\n  a: {fill: contact, set: {first_name: x}}\n"})
    assert [one.message for one in loaded.problems] == [
        "only an addon has versions to come to; write fill: on a field of the site"]


def test_a_field_that_only_a_later_migration_reads_needs_not_be_there(tmp_path: Path) -> None:
    first = "migration: 2.0.0\nsteps:\n  a: {fill: contact, set: {middle: x}}\n"
    then = "migration: 2.1.0\nsteps:\n  a: {merge: [contact.middle], set: {first_name: =middle}}\n"
    assert problems(tmp_path / "both", migrations__one=first, migrations__two=then) == []
    assert 'field "middle" is not on table "contact"' in problems(tmp_path / "one", migrations__one=first)[0]


@pytest.mark.parametrize(("field", "told"), [
    ("a: {type: text, fill: =name}", None),
    ("a: {type: text, fill: plain}", None),
    ("a: {type: integer, fill: '=nowhere.was + that'}", None),
    ("a: {type: text, fill: '=name +'}", "this is not understood here"),
    ("a: {type: text, fill: =user.name}", 'records are filled by no user, so "user" means nothing here'),
    ("a: {type: integer, fill: many}", "whole number"),
    ("a: {type: link, to: company, fill: Acme}", "a link's value is an expression"),
    ("a: {type: choice, of: stage, fill: lost}", '"lost" is not one of the choices "stage"'),
    ("a: {type: text, formula: \"'x'\", fill: x}", 'field "a" is computed: it cannot have "fill"'),
    ("a: {type: lines, of: company, by: up, fill: =id}", 'a field of type "lines" cannot be filled'),
])
def test_fill_of_a_field_is_checked_as_far_as_this_version_knows(tmp_path: Path, field: str,
                                                                 told: str | None) -> None:
    company = "table: company\nfields:\n  city: {type: text}\n  up: {type: link, to: contact}\n"
    found = problems(tmp_path, tables__contact=CONTACT + f"  {field}\n", tables__company=company)
    if told is None:
        assert found == []
    else:
        assert len(found) == 1 and told in found[0] and "contact.yaml:8:" in found[0], found


def test_a_name_in_fill_is_no_use_of_the_field_of_now(tmp_path: Path) -> None:
    from core.definition.load import references
    loaded = load_set(tmp_path, FILES | {"addons/crm/tables/contact.yaml":
                                         CONTACT + "  a: {type: text, fill: =first_name}\n"})
    assert not [one for one in references(loaded.must()) if one.to_name == "contact.first_name"]


def test_versions_are_compared_as_numbers() -> None:
    assert version_key("1.9") < version_key("1.10") and version_key("2.0.0") == version_key("2")  # type: ignore[operator]
    assert version_key("2.0-beta") is None
