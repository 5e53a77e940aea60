"""docs/expressions.md names every function as it is, and its examples are true."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from core.expression import BUILT_IN, ExpressionError
from core.expression.sets import AGGREGATES
from tests.core.expression.world import checked


def table() -> str:
    """The rows of the page's table of functions."""
    return "\n".join(f"| `{form.signature}` | {form.doc} | {f'`{form.examples[0]}`' if form.examples else ''} |"
                     for forms in BUILT_IN.values() for form in forms)


def section(page: str, title: str) -> str:
    """The text under one heading."""
    return page.split(f"\n## {title}\n")[1].split("\n## ")[0]


@pytest.fixture
def page(project: Path) -> str:
    return (project / "docs" / "expressions.md").read_text()


def test_the_page_has_every_function_with_its_first_example(page: str) -> None:
    rows = [line for line in section(page, "Functions").splitlines() if line.startswith("| `")]
    assert "\n".join(rows) == table()


def test_the_page_has_every_aggregate(page: str) -> None:
    assert [name for name in AGGREGATES if f"| `{name}(" not in page] == []


def test_the_expressions_of_the_page_are_understood(page: str) -> None:
    blocks = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    lines = [line.split("  #")[0] for block in blocks for line in block.splitlines() if line.strip()]
    assert len(lines) > 15
    for line in lines:
        checked(line)


def test_the_refusals_of_the_page_are_told_so(page: str) -> None:
    refusals = re.findall(r"^\| `([^`]+)` \| ([^|]+) \| `([^`]+)` \|$", section(page, "Mistakes"), re.MULTILINE)
    assert len(refusals) > 5
    for source, _, message in refusals:
        with pytest.raises(ExpressionError) as caught:
            checked(source)
        assert str(caught.value) == message
