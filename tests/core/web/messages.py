"""Every sentence that pages can show, found in the sources: what translations must cover."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from jinja2.ext import babel_extract

ROOT = Path(__file__).resolve().parents[3]
# The callable's name -> which argument is the msgid; a second number is the plural.
CALLS = {
    "_": (0,),
    "N_": (0,),
    "text": (0,),
    "plural": (0, 1),
    "BadValue": (1,),
    "FieldProblem": (2,),
    "add": (3,),
    "Denied": (0,),
    "NotFound": (0,),
    "BadRequest": (0,),
    "Conflict": (0,),
}
PLURAL = re.compile(r"text\.plural\('([^']+)', '([^']+)'")
PACKAGES = ("web", "types", "ed")
NOT_A_PAGE = ("core/web/api/",)  # programs read English


def messages() -> dict[tuple[str, ...], str]:
    """Each msgid (with its plural, if it has one) and a place where it stands."""
    found: dict[tuple[str, ...], str] = {}
    for package in PACKAGES:
        for path in sorted((ROOT / "core" / package).rglob("*.py")):
            name = str(path.relative_to(ROOT))
            if not name.startswith(NOT_A_PAGE):
                for message, line in _in_python(path):
                    found.setdefault(message, f"{name}:{line}")
    for path in sorted((ROOT / "core/web/templates").glob("*.html")):
        with path.open("rb") as file:
            for line, _function, message, _comments in babel_extract(file, ("_",), (), {"trimmed": "true"}):
                texts = (str(message[0] if isinstance(message, tuple) else message),)
                found.setdefault(texts, f"{path.relative_to(ROOT)}:{line}")
        for one, many in PLURAL.findall(path.read_text(encoding="utf-8")):
            found.setdefault((one, many), str(path.relative_to(ROOT)))
    return found


def _in_python(path: Path) -> Iterator[tuple[tuple[str, ...], int]]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        plain = isinstance(node.func, ast.Name)
        name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        places = CALLS.get(name)
        if places is None or len(node.args) <= places[-1] or (plain and name == "text"):  # that one is SQL
            continue
        texts = [node.args[place] for place in places]
        if all(isinstance(one, ast.Constant) and isinstance(one.value, str) for one in texts):
            values = tuple(str(one.value) for one in texts if isinstance(one, ast.Constant))
            yield values, node.lineno
