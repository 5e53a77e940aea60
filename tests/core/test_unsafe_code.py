"""What our code never does: splice SQL, run text as code, bring back objects from bytes, show HTML unescaped."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

SPLICES = {"core/database/ddl.py"}                  # names that we gave ourselves, quoted there
STATEMENTS = {"core/database/ddl.py", "core/ed/schema.py"}      # what ddl.py wrote is run here
MARKUP = {"core/web/html.py", "core/web/shell.py", "core/web/list_view.py", "core/web/list_groups.py",
          "core/web/list_tools.py", "core/web/pages/kanban.py", "core/web/pages/list.py",
          "core/web/widgets/rich.py", "core/web/widgets/several.py"}    # what widgets and templates drew, escaped there
SQL = re.compile(r"\s*(select\s|insert\s+into|update\s+\S*\s*set|delete\s+from|grant\s|revoke\s|truncate\s|with\s+\w+\s+as|"
                 r"copy\s|lock\s+table|(alter|create|drop)\s+(unique\s+)?(table|index|schema|role|view|sequence|database))",
                 re.IGNORECASE)
RAW = {"text", "literal_column", "exec_driver_sql", "DDL", "quoted_name"}
REVIVING = {"pickle", "marshal", "shelve", "dill", "cloudpickle", "jsonpickle", "ruamel"}
YAML = {"load", "load_all", "unsafe_load", "unsafe_load_all", "full_load", "full_load_all"}
RUNNING = {"eval", "exec", "compile"}
SHELL = {"system", "popen", "getoutput", "getstatusoutput"}


def spliced(tree: ast.AST) -> Iterator[int]:
    """Lines where a text that begins as SQL is put together: f-string, + or %, format(), replace(), join()."""
    for node in ast.walk(tree):
        match node:
            case ast.JoinedStr(values=[ast.Constant(value=str(begins)), _, *_]) if SQL.match(begins):
                yield node.lineno
            case ast.BinOp(op=ast.Add() | ast.Mod(), left=ast.Constant(value=str(begins)), right=right) \
                    if SQL.match(begins) and not isinstance(right, ast.Constant):
                yield node.lineno
            case ast.Call(func=ast.Attribute(value=ast.Constant(value=str(begins)), attr="format" | "format_map" | "replace")) \
                    if SQL.match(begins):
                yield node.lineno


def raw(tree: ast.AST) -> Iterator[int]:
    """Lines where SQLAlchemy is given SQL that does not stand there as a text."""
    names = {alias.asname or alias.name for node in ast.walk(tree)
             if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("sqlalchemy")
             for alias in node.names if alias.name in RAW}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and node.args and not isinstance(node.args[0], ast.Constant):
            called = node.func
            name = called.id if isinstance(called, ast.Name) else getattr(called, "attr", "")
            if name in (names if isinstance(called, ast.Name) else RAW - {"text"}):
                yield node.lineno


def reviving(tree: ast.AST) -> Iterator[int]:
    """Lines that import what makes objects of bytes, run text as code, or start a shell."""
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names) if any(alias.name.split(".")[0] in REVIVING for alias in names):
                yield node.lineno
            case ast.ImportFrom(module=str(module)) if module.split(".")[0] in REVIVING:
                yield node.lineno
            case ast.Call(func=ast.Name(id=name)) if name in RUNNING:
                yield node.lineno
            case ast.Call(func=ast.Attribute(value=ast.Name(id="os" | "subprocess" | "commands"), attr=name)) if name in SHELL:
                yield node.lineno
            case ast.Call(func=ast.Attribute(value=ast.Name(id="yaml"), attr=name)) if name in YAML:
                yield node.lineno
            case ast.ImportFrom(module="yaml", names=names) if any(alias.name in YAML for alias in names):
                yield node.lineno
            case ast.keyword(arg="Loader", value=ast.Attribute(attr=name)) if name not in ("CSafeLoader", "SafeLoader"):
                yield node.value.lineno
            case ast.Call(func=ast.Attribute(value=ast.Name(id="builtins"))):
                yield node.lineno
            case ast.keyword(arg="shell", value=ast.Constant(value=True)):
                yield node.value.lineno


def unescaped(tree: ast.AST) -> Iterator[int]:
    """Lines where something that is no literal is called Markup."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id="Markup"), args=[first, *_]) if not isinstance(first, ast.Constant):
                yield node.lineno
            case ast.Call(func=ast.Attribute(value=ast.Name(id="str"), attr="__new__")):
                yield node.lineno


def found(project: Path, rule: Callable[[ast.AST], Iterator[int]], allowed: set[str] = frozenset()) -> list[str]:  # type: ignore[assignment]
    """Places in core and the addons that break a rule."""
    paths = [path for folder in ("core", "addons", "docs") for path in sorted((project / folder).rglob("*.py"))]
    assert len(paths) > 300
    names = [str(path.relative_to(project)) for path in paths]
    assert not [name for name in allowed if name not in names]
    return [f"{name}:{line}" for name, path in zip(names, paths, strict=True) if name not in allowed
            for line in rule(ast.parse(path.read_text(encoding="utf-8")))]


def test_past_case_4_only_ddl_splices_names_into_sql(project: Path) -> None:
    assert found(project, spliced, SPLICES) == []
    assert found(project, raw, STATEMENTS) == []


def test_past_case_31_nothing_makes_objects_of_bytes_or_runs_text(project: Path) -> None:
    assert found(project, reviving) == []


def test_past_case_36_html_is_escaped_where_it_is_drawn(project: Path) -> None:
    assert found(project, unescaped, MARKUP) == []
    for path in sorted((project / "core" / "web" / "templates").iterdir()):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"\|\s*safe\b|autoescape|\bMarkup\b", text), path.name
        tags = re.findall(r"<\w[^<>]*>", re.sub(r"\{%.*?%\}", "", text, flags=re.DOTALL))
        assert not [tag for tag in tags if re.search(r"\s[\w-]+=\{\{", tag)], f"{path.name}: an attribute without quotes"


def scripts(project: Path) -> list[Path]:
    """Our own scripts, those of addons too."""
    return [path for folder in ("core/web/static", "addons") for path in sorted((project / folder).rglob("*.js"))
            if "vendor" not in path.parts]


UNSAFE_JS = re.compile(r"(inner|outer)HTML\s*\+?=(?!=)|insertAdjacentHTML|document\.write|setHTMLUnsafe|srcdoc|"
                       r"\beval\s*\(|new\s+Function|setTimeout\(\s*[\"'`]|createContextualFragment|javascript:")


def test_past_case_37_our_scripts_make_no_html_of_texts(project: Path) -> None:
    assert len(scripts(project)) >= 8
    for path in scripts(project):
        text = path.read_text(encoding="utf-8")
        assert not UNSAFE_JS.findall(text), path.name
        assert ("DOMParser" in text) == (path.name == "fragment.js"), path.name


@pytest.mark.parametrize(("rule", "source"), [
    (spliced, "run(f'select * from {table}')"), (spliced, "run('delete from ' + table)"),
    (spliced, "'update x set y = %s' % value"), (spliced, "'select {}'.format(name)"),
    (spliced, "f'insert into {t} values (1)'"), (spliced, "f'copy {t} to stdout'"),
    (raw, "from sqlalchemy import text\ntext(sql)"), (raw, "from sqlalchemy import text as t\nt(f'x {y}')"),
    (raw, "connection.exec_driver_sql(statement)"), (raw, "sqlalchemy.literal_column(name)"),
    (reviving, "import pickle"), (reviving, "from yaml import load"), (reviving, "import os.path, marshal"),
    (reviving, "def f():\n    import shelve"), (reviving, "eval(x)"), (reviving, "exec(x)"), (reviving, "compile(x, '', 'exec')"),
    (reviving, "os.system(x)"), (reviving, "subprocess.run(x, shell=True)"), (reviving, "builtins.eval(x)"),
    (reviving, "yaml.load(x)"), (reviving, "yaml.parse(x, Loader=yaml.Loader)"),
    (unescaped, "Markup(value)"), (unescaped, "Markup(f'<b>{x}</b>')"), (unescaped, "str.__new__(Markup, x)")])
def test_what_is_forbidden_is_found(rule: Callable[[ast.AST], Iterator[int]], source: str) -> None:
    assert list(rule(ast.parse(source)))


@pytest.mark.parametrize("script", [
    "a.innerHTML = b", "a.innerHTML += b", "a.outerHTML=b", "a.insertAdjacentHTML('x', b)", "eval (x)", "new Function('x')"])
def test_what_is_forbidden_in_scripts_is_found(script: str) -> None:
    assert UNSAFE_JS.search(script) and not UNSAFE_JS.search("x = a.innerHTML; a.innerHTML == b; evaluate(x)")
