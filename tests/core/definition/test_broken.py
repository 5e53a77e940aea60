"""Broken sets of definitions: each folder of fixtures/broken says in expected.txt which lines `check` prints."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.definition import load
from tests.fixtures import FIXTURES
from tests.work import calls

BROKEN = FIXTURES / "broken"
SETS = sorted(folder.name for folder in BROKEN.iterdir())


def problems(folder: Path) -> list[str]:
    site = folder / "metadata"
    loaded = load([folder / "addons"], site if site.is_dir() else None, root=folder)
    assert (loaded.model is None) == bool(loaded.problems)
    return [str(problem) for problem in loaded.problems]


@pytest.mark.parametrize("name", SETS)
def test_a_broken_set_gives_exactly_these_lines(name: str) -> None:
    expected = (BROKEN / name / "expected.txt").read_text().splitlines()
    assert expected
    assert problems(BROKEN / name) == expected


@pytest.fixture
def addon(tmp_path: Path) -> Path:
    """An empty addon `lead`."""
    folder = tmp_path / "addons" / "lead"
    for part in ("tables", "forms"):
        (folder / part).mkdir(parents=True)
    (folder / "addon.yaml").write_text("addon: lead\nversion: 1.0.0\n")
    return folder


def refused(addon: Path, within: int = 3_000_000) -> list[str]:
    """The problems of a set, told with no more than so many calls of functions."""
    found: list[str] = []
    assert calls(lambda: found.extend(problems(addon.parent.parent))) < within
    return found


def test_twenty_thousand_lists_in_lists_are_refused_at_the_fiftieth(addon: Path) -> None:
    (addon / "tables" / "deep.yaml").write_text("table: deep\nfields: " + "[" * 20_000 + "]" * 20_000)
    assert refused(addon) == ["addons/lead/tables/deep.yaml:2:58: this is nested deeper than 50 levels"]


def test_an_alias_bomb_is_refused_without_growing(addon: Path) -> None:
    levels = "".join(f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 10)}]\n" for n in range(1, 10))
    (addon / "tables" / "bomb.yaml").write_text(f"table: bomb\nl0: &l0 [x]\n{levels}")
    found = refused(addon)
    assert len(found) == 100            # 10 anchors and 90 aliases, each at its place
    assert found[0] == "addons/lead/tables/bomb.yaml:2:5: an anchor (&l0) is not allowed"


def test_a_list_of_half_a_megabyte_is_read_in_time(addon: Path) -> None:
    items = 25_000
    (addon / "tables" / "wide.yaml").write_text("table: wide\npeek:\n" + f"- {'a' * 18}\n" * items)
    assert refused(addon, within=500 * items) == [
        f'addons/lead/tables/wide.yaml:{line}:3: field "aaaaaaaaaaaaaaaaaa" is not on table "wide"'
        for line in range(3, items + 3)]


def test_a_file_larger_than_a_megabyte_is_not_read(addon: Path) -> None:
    (addon / "tables" / "large.yaml").write_text("table: large\n" + "# padding\n" * 110_000)
    assert refused(addon) == ["addons/lead/tables/large.yaml:1:1: this file is larger than 1 MB"]


def test_a_set_larger_than_twenty_megabytes_is_not_read_to_its_end(addon: Path) -> None:
    for number in range(23):
        text = f"table: t{number:02d}\nfields: {{name: {{type: text}}}}\n" + "# padding\n" * 95_000
        (addon / "tables" / f"t{number:02d}.yaml").write_text(text)
    found = refused(addon, within=60_000_000)
    assert found == ["addons/lead/tables/t21.yaml:1:1: the definitions are larger than 20 MB together; "
                     "this file and the rest were not read"]


def test_a_hundred_thousand_elements_in_each_other_are_refused_at_the_fiftieth(addon: Path) -> None:
    (addon / "forms" / "deep.xml").write_text('<form name="deep" of="lead">\n' + "<group>" * 100_000)
    assert refused(addon) == ["addons/lead/forms/deep.xml:2:344: this is nested deeper than 50 levels"]


def test_a_million_attributes_are_refused(addon: Path) -> None:
    attributes = " ".join(f"a{number}=''" for number in range(90_000))
    (addon / "forms" / "wide.xml").write_text(f"<form {attributes}/>")
    assert refused(addon) == ["addons/lead/forms/wide.xml:1:1: an element has at most 50 attributes"]


def test_ten_thousand_elements_are_enough(addon: Path) -> None:
    (addon / "forms" / "many.xml").write_text('<form name="many" of="lead">\n' + "<text/>\n" * 10_000 + "</form>")
    assert refused(addon) == ["addons/lead/forms/many.xml:10001:1: a file holds at most 10000 elements"]


def test_a_table_has_at_most_four_hundred_fields(addon: Path) -> None:
    fields = "".join(f"  f{number}: {{type: text}}\n" for number in range(401))
    (addon / "tables" / "wide.yaml").write_text(f"table: wide\nfields:\n{fields}")
    assert refused(addon) == ['addons/lead/tables/wide.yaml:2:1: table "wide" has 401 fields: at most 400 are allowed']


@pytest.mark.parametrize("expression", [
    "(" * 10_000 + "1" + ")" * 10_000, "not " * 20_000 + "True", "-" * 20_000 + "1"])
def test_an_expression_as_deep_as_the_sea_is_an_error_like_any_other(addon: Path, expression: str) -> None:
    (addon / "tables" / "lead.yaml").write_text(
        f'table: lead\nfields:\n  name: {{type: text}}\nrules:\n  deep: {{check: "{expression}"}}\n')
    found = refused(addon)
    assert len(found) == 1
    assert found[0].startswith("addons/lead/tables/lead.yaml:5:")
