"""Every sentence that people may read, found in the sources: what translations must cover."""

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
    "words": (0,),
    "plural": (0, 1),
    "BadValue": (1,),
    "FieldProblem": (2,),
    "problems.add": (3,),
    "Denied": (0,),
    "NotFound": (0,),
    "BadRequest": (0,),
    "Conflict": (0,), "VersionConflict": (0,), "NoSpace": (0,),
}
# What means something else, or is read by nobody but administrators at a command line, in other packages.
OF_PACKAGE = {
    "web": {"text": (0,)},
    "bm": {"Refused": (0,)},
    "expression": {"ExpressionError": (0,), "Kind": (0,)},
}
PACKAGES = ("web", "types", "ed", "expression", "bm", "database")
AT_THE_COMMAND_LINE = ("core/bm/archive.py", "core/bm/backup.py", "core/bm/bundle.py", "core/bm/bundling.py", "core/bm/restoring.py", "core/bm/demo.py", "core/bm/versions/folder.py", "core/bm/changes/values.py")
SQL_TEXT = re.compile(r"^from sqlalchemy import .*\btext\b", re.MULTILINE)        # `text(...)` is SQL in such a module
PLURAL = re.compile(r"text\.plural\('([^']+)', '([^']+)'")


def messages() -> dict[tuple[str, ...], str]:
    """Each msgid (with its plural, if it has one) and a place where it stands."""
    found: dict[tuple[str, ...], str] = {}
    for name, call, places in _calls():
        texts = [list(_texts(call.args[place])) for place in places]
        if all(texts):
            for text in zip(*texts, strict=False):
                found.setdefault(text, f"{name}:{call.lineno}")
    for path in sorted((ROOT / "core/web/templates").glob("*.html")):
        with path.open("rb") as file:
            for line, _function, message, _comments in babel_extract(file, ("_",), (), {"trimmed": "true"}):
                text = message[0] if isinstance(message, tuple) else message
                if text:
                    found.setdefault((str(text),), f"{path.relative_to(ROOT)}:{line}")
        for one, many in PLURAL.findall(path.read_text(encoding="utf-8")):
            found.setdefault((one, many), str(path.relative_to(ROOT)))
    return found


def spliced() -> list[str]:
    """Places where a sentence is put together with values before it can be translated."""
    return [f"{name}:{call.lineno}" for name, call, places in _calls()
            if any(isinstance(call.args[place], ast.JoinedStr | ast.BinOp) for place in places)]


def _calls() -> Iterator[tuple[str, ast.Call, tuple[int, ...]]]:
    """Each call that takes a msgid: its file, itself, and which of its arguments are msgids."""
    for package in PACKAGES:
        for path in sorted((ROOT / "core" / package).rglob("*.py")):
            name = str(path.relative_to(ROOT))
            source = path.read_text(encoding="utf-8")
            sql = SQL_TEXT.search(source) is not None
            for node in ast.walk(ast.parse(source)):
                places = _places(node, package, sql) if isinstance(node, ast.Call) else None
                if places is not None and isinstance(node, ast.Call) and name not in AT_THE_COMMAND_LINE:
                    yield name, node, places


def _places(call: ast.Call, package: str, sql: bool) -> tuple[int, ...] | None:
    name = call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")
    if isinstance(call.func, ast.Attribute) and name == "add" and ast.unparse(call.func.value).endswith("problems"):
        name = "problems.add"
    owner = ast.unparse(call.func.value) if isinstance(call.func, ast.Attribute) else ""
    if name == "text" and (owner.endswith("model") or (sql and not owner)):
        return None  # SQL, or a text of the Model
    places = {**CALLS, **OF_PACKAGE.get(package, {})}.get(name)
    return places if places is not None and len(call.args) > places[-1] else None


def _texts(node: ast.expr) -> Iterator[str]:
    """The texts that an argument may be: written out, or one of two."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from _texts(node.body)
        yield from _texts(node.orelse)
