"""docs/security.md names a test for every row, past case, fault and requirement that we promise; each is there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROWS = (*range(36, 54), *range(65, 84))
PAST_CASES = (*range(1, 13), *range(17, 21), 23, 30, 31, 33, 34, 35, 36, 38, 41, 47, 48, 49, 51, 52, 53, 54)
FAULTS = (*range(17, 25), 34)
REQUIREMENTS = range(1, 14)                 # of promotions
TABLES = {"past case": PAST_CASES, "row": ROWS, "fault": FAULTS, "requirement": REQUIREMENTS}


def numbers(name: str, kind: str) -> Iterator[int]:
    """The numbers in a test's name: row_41, rows_72_and_73, rows_38_to_44_and_53, past_case_19."""
    for part in re.findall(rf"{kind.replace(' ', '_')}s?_((?:\d+_(?:and_|to_)?)+)", name):
        for first, last in re.findall(r"(\d+)(?:_to_(\d+))?", part):
            yield from range(int(first), int(last or first) + 1)


def promised(project: Path, kind: str) -> dict[int, list[str]]:
    """The tests of each number in the page's table of a kind."""
    text = (project / "docs" / "security.md").read_text(encoding="utf-8")
    table = text[text.index(f"| {kind} |"):].split("\n\n")[0]
    return {int(cells[1]): re.findall(r"`(test_\w+)`", cells[4]) for cells in (
        line.split("|") for line in table.splitlines()[2:])}


@pytest.fixture(scope="module")
def there() -> set[str]:
    """The names of all tests that are run with `make test`."""
    tests = Path(__file__).parent.parent
    return {name for path in tests.rglob("test_*.py") if "sweep" not in path.parts
            for name in re.findall(r"^ *def (test_\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)}


@pytest.mark.parametrize("kind", TABLES)
def test_every_number_has_tests_that_are_there_and_named_after_it(project: Path, there: set[str], kind: str) -> None:
    found = promised(project, kind)
    assert set(found) >= set(TABLES[kind])
    assert not [number for number, names in found.items() if not names]
    assert not [name for names in found.values() for name in names if name not in there]
    assert not [(number, name) for number, names in found.items() for name in names if number not in numbers(name, kind)]


def test_sweeps_that_are_named_are_there(project: Path) -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)`", (project / "docs" / "security.md").read_text(encoding="utf-8"))
    assert named and not [one for one in named if not (project / one).is_file()]


def test_names_are_understood() -> None:
    assert list(numbers("test_rows_38_to_44_and_53_x", "row")) == [38, 39, 40, 41, 42, 43, 44, 53]
    assert list(numbers("test_past_case_35_and_rows_65_67_68_what", "row")) == [65, 67, 68]
    assert list(numbers("test_past_cases_36_and_37_x", "past case")) == [36, 37] and not list(numbers("test_the_row_is", "row"))
