"""Rules of the house that neither ruff nor import-linter can say."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

CRM_WORDS = ("customer", "lead", "leads", "opportunity", "opportunities", "invoice", "salesperson", "prospect")


def modules(project: Path) -> Iterator[tuple[Path, ast.Module]]:
    for path in sorted((project / "core").rglob("*.py")):
        yield path, ast.parse(path.read_text(encoding="utf-8"))


def test_core_never_imports_an_addon(project: Path) -> None:
    names = {(str(path), name) for path, tree in modules(project) for node in ast.walk(tree)
             for name in ([node.module or ""] if isinstance(node, ast.ImportFrom) else
                          [alias.name for alias in node.names] if isinstance(node, ast.Import) else [])}
    assert not [entry for entry in names if entry[1].split(".")[0] == "addons"]


def test_core_knows_no_word_of_a_crm(project: Path) -> None:
    """Names in code; comments and docstrings may give examples."""
    found = []
    for path, tree in modules(project):
        for node in ast.walk(tree):
            name = getattr(node, "name", None) or getattr(node, "id", None) or getattr(node, "attr", None) \
                or getattr(node, "arg", None)
            if isinstance(name, str) and set(name.lower().split("_")) & set(CRM_WORDS):
                found.append(f"{path.relative_to(project)}:{getattr(node, 'lineno', 0)}: {name}")
    assert not found


def test_the_architecture_names_what_is_there(project: Path) -> None:
    text = (project / "docs" / "architecture.md").read_text(encoding="utf-8")
    named = re.findall(r"`(core/[a-z_/]+(?:\.py)?)`", text)
    assert len(named) > 20
    assert not [name for name in named if not (project / name).exists()]
    engine = text[text.index("## Definitions"):text.index("## Records in the database")]
    modules = {path.stem for path in (project / "core" / "definition").glob("*.py")} - {"__init__"}
    assert not modules - set(re.findall(r"\w+", engine))


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt", "requirements-node.txt",
                                  "package-lock.json", "package.json", ".npmrc"])
def test_lock_files_hold_no_address(project: Path, name: str) -> None:
    text = (project / name).read_text()
    assert "http" not in text and "--index" not in text and '"resolved"' not in text
