"""What a stored formula may read is told where it stands."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent, indent

import pytest

from core.definition import load

FILES = {
    "addons/shop/addon.yaml": "addon: shop\nversion: 1.0.0\n",
    "addons/shop/user.yaml": "table: user\npeople: id\nfields:\n  name: {type: text}\n",
    "addons/shop/sub.yaml": "table: sub\nfields:\n  line: {type: link, to: line}\n  a: {type: decimal}\n",
    "addons/shop/line.yaml": """
        table: line
        fields:
          order: {type: link, to: order, on_delete: cascade}
          price: {type: decimal}
          subs: {type: lines, of: sub, by: line}
          total: {type: decimal, stored: true, formula: price * 2}
          plain: {type: decimal, formula: price + 1}
          sums: {type: decimal, formula: sum(subs.a)}
          kept: {type: decimal, stored: true, formula: sum(subs.a)}
          behind: {type: integer, formula: length(order.name)}
        """,
    "site/system.yaml": "system: main\naddons: [shop]\nlanguages: [en]\ncurrency: EUR\ntime_zone: UTC\n"}
ORDER = """
table: order
fields:
  name: {type: text}
  who: {type: link, to: user}
  whos: {type: link, to: user, many: true}
  at: {type: datetime}
  price: {type: money}
  lines: {type: lines, of: line, by: order}
  own: {type: decimal, formula: sum(lines.price) + length(name)}
  boss: {type: text, formula: who.name}
"""
OTHERS = "a stored formula reads its own record and its lines alone, not other records"


def told(folder: Path, field: str) -> list[str]:
    for name, text in {**FILES, "addons/shop/order.yaml": ORDER + indent(dedent(field), "  ")}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(dedent(text))
    return [problem.message for problem in load([folder / "addons"], folder / "site", root=folder).problems]


@pytest.mark.parametrize("formula", [
    "sum(lines.total)", "sum(lines.plain)", "sum(lines.kept)", "sum(lines[price > outer.own].total)", "own * 2",
    "count(lines) + length(name)", "max(lines.price)"])
def test_fields_of_the_record_and_of_its_lines(tmp_path: Path, formula: str) -> None:
    assert told(tmp_path, f'x: {{type: decimal, stored: true, formula: "{formula}"}}\n') == []


@pytest.mark.parametrize(("formula", "problem"), [
    ("length(who.name)", '"who.name" is of another record, or of a part of a field: a stored formula cannot read it'),
    ("price.base + 1", '"price.base" is of another record, or of a part of a field: a stored formula cannot read it'),
    ("length(boss)", '"who.name" is of another record, or of a part of a field: a stored formula cannot read it '
                     '(by "boss")'),
    ("sum(lines.behind)", '"order.name" is of another record, or of a part of a field: a stored formula cannot read '
                          'it (by "behind")'),
    ("sum(lines.sums)", '"subs" are lines of lines: store a formula of theirs there, and read that (by "sums")'),
    ("count(lines[count(subs) > 1])",
     '"lines.subs" is not of the lines themselves: store a formula of theirs there, and read that'),
    ("count(whos)", '"whos" is of another record, or of a part of a field: a stored formula cannot read it'),
    ("days_between(today(), date('2026-01-01'))",
     "a stored formula gives the same to everybody on every day: it cannot read today()"),
    ("hours_between(at, now())", "a stored formula gives the same to everybody on every day: it cannot read now()"),
    ("count(lines[order.who == user])",
     "a stored formula gives the same to everybody on every day: it cannot read user"),
    ("sum(all.line.price)", OTHERS),
    ("hours_between(changed_on, created_on)", 'a stored formula cannot read "changed_on"')])
def test_nothing_else(tmp_path: Path, formula: str, problem: str) -> None:
    assert told(tmp_path, f'x: {{type: decimal, stored: true, formula: "{formula}"}}\n') == [problem]


@pytest.mark.parametrize(("field", "problem"), [
    ("x: {type: text, stored: true}\n", '"stored" is for formulas: field "x" has none'),
    ("x: {type: link, to: user, stored: true, formula: who}\n",
     'the value of a field of type "link" cannot be stored as a formula gives it'),
    ("x: {type: text, formula: name, search: words}\n", 'field "x" is computed: it cannot have "search"'),
    ("x: {type: decimal, stored: true, formula: x + 1}\n", "formulas go round in a circle: order.x → order.x")])
def test_where_it_makes_no_sense(tmp_path: Path, field: str, problem: str) -> None:
    assert told(tmp_path, field) == [problem]


def test_it_can_be_indexed_searched_and_unique(tmp_path: Path) -> None:
    field = "x: {type: text, stored: true, search: contains, formula: name}\n"
    assert told(tmp_path, field) == []
    (tmp_path / "addons/shop/order.yaml").write_text(
        ORDER + indent(field, "  ") + "indexes:\n  x: {fields: [x]}\nunique:\n  x: {fields: [x]}\n")
    assert load([tmp_path / "addons"], tmp_path / "site", root=tmp_path).problems == ()
