"""A set with 200 errors tells all 200, sorted, for about the work of a set without."""

from __future__ import annotations

from pathlib import Path

from core.definition import Loaded, load
from tests.core.definition.sets import load_set
from tests.work import calls

TABLES, EACH = 50, 4


def files(slip: str) -> dict[str, str]:
    """Fifty tables with four mistakes each, or with none if the slip is none."""
    found = {}
    for number in range(TABLES):
        name = f"table_{number:02d}"
        fields = "".join(f"  field_{place}: {{type: integer, title: Field {place}}}\n" for place in range(20))
        found[f"addons/shop/tables/{name}.yaml"] = (
            f"table: {name}\nfields:\n{fields}"
            f"  twice: {{type: integer, formula: field_1{slip} * 2}}\n"
            "  late: {type: boolean, formula: field_2 > field_3 and field_4 < field_5}\n"
            f"unique:\n  pair: {{fields: [field_6, field_7{slip}]}}\n"
            f"rules:\n  small: {{check: field_8{slip} < 9}}\n")
        found[f"addons/shop/lists/{name}.yaml"] = (
            f"list: {name}\nof: {name}\ncolumns: {{field_1: {{}}, field_2{slip}: {{}}, field_3: {{}}}}\n")
    return found


def test_two_hundred_errors_are_told_for_the_work_of_none(tmp_path: Path) -> None:
    found: list[Loaded] = []
    load_set(tmp_path / "sound", files(""))
    load_set(tmp_path / "wrong", files("x"))
    clean = calls(lambda: found.append(load([tmp_path / "sound" / "addons"], root=tmp_path / "sound")))
    wrong = calls(lambda: found.append(load([tmp_path / "wrong" / "addons"], root=tmp_path / "wrong")))
    assert found[0].model is not None
    assert len(found[1].problems) == TABLES * EACH
    assert list(found[1].problems) == sorted(found[1].problems)
    assert len({problem.file for problem in found[1].problems}) == 2 * TABLES
    assert wrong < clean * 2
