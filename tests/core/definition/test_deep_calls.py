"""Definitions and folders that lead to each other without measure are told, at the first that is too much."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from core.cache import contents
from core.definition import load
from core.definition.template import parse
from tests.fixtures.asking import FOLDER

COUNT = 300


def told(site: Path, files: Mapping[str, str]) -> list[str]:
    """What is said of the sample with these files in its site."""
    for name, text in files.items():
        path = site / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (site / "system.yaml").write_bytes((FOLDER / "asking_site" / "system.yaml").read_bytes())
    return [f"{Path(one.file).stem}: {one.message}" for one in
            load([FOLDER / "sample", FOLDER / "asking"], site).problems]


def rows(number: int) -> str:
    return f"query: q{number}\nof: {f'q{number - 1}' if number else 'deal'}\ncolumns: {{name: {{}}, amount: amount + 1}}\n"


def records(number: int) -> str:
    return f"query: q{number}\nof: {f'q{number - 1}' if number else 'deal'}\nwhere: amount > {number}\n"


def twice(number: int) -> str:
    of = f"q{number - 1}" if number else "deal"
    part = f"{{of: {of}, columns: {{name: {{}}, amount: {{}}}}}}"
    return f"query: q{number}\nunion:\n  one: {part}\n  two: {part}\n"


def sets(number: int) -> str:
    return f"query: q{number}\nof: deal\nwhere: {f'id in query.q{number - 1}()' if number else 'amount > 1'}\n"


@pytest.mark.parametrize(("query", "message"), [
    (rows, "q16: queries read each other at most 16 deep"),
    (records, "q16: queries read each other at most 16 deep"),
    (twice, "q5: with all that it reads, a query reads at most 100 tables and queries"),
    (sets, "q4: in query.q3: in query.q2: in query.q1: sets stand in sets at most 3 deep")])
def test_queries_of_queries(tmp_path: Path, query: Callable[[int], str], message: str) -> None:
    assert told(tmp_path, {f"queries/q{number}.yaml": query(number) for number in range(COUNT)}) == [message]


def test_functions_in_functions(tmp_path: Path) -> None:
    text = "function: f{}\nparameters: {{x: {{type: decimal}}}}\nreturns: decimal\nis: {}\n"
    said = told(tmp_path, {f"functions/f{number}.yaml": text.format(
        number, f"f{number - 1}(parameter.x)" if number else "parameter.x") for number in range(COUNT)})
    deep = "queries and functions call each other at most 16 deep"
    assert sorted(said, key=lambda one: int(re.findall(r"\d+", one)[0])) == [
        f"f{number}: {deep}" for number in range(17, COUNT)]


def test_a_function_that_is_called_twice_at_every_level(tmp_path: Path) -> None:
    text = "function: f{}\nparameters: {{x: {{type: decimal}}}}\nreturns: decimal\nis: {}\n"
    said = told(tmp_path, {f"functions/f{number}.yaml": text.format(
        number, " + ".join([f"f{number - 1}(parameter.x)"] * 2) if number else "parameter.x") for number in range(15)})
    assert len(said) == 1 and said[0].endswith("with all that it calls, an expression has at most 2000 parts")


def test_a_loop_of_a_template_is_read_in_one_go() -> None:
    problems: list[str] = []
    loop = "{% for line in lines if a" + " " * 190_000 + "a %}{% endfor %}"
    [node] = parse(loop, lambda index, message: problems.append(message))
    assert not problems and node.where.source.startswith("a  ")     # type: ignore[union-attr]


def test_folders_that_lead_back_are_told(tmp_path: Path) -> None:
    for name in ("again", "back"):
        (tmp_path / name).symlink_to(tmp_path)
    (tmp_path / "round").symlink_to("round")
    link = "a link to a folder is not followed: put its files here"
    assert sorted(one.partition(": ")[2] for one in told(tmp_path, {})) == [link, link]
    assert set(contents([tmp_path]).values()) - {"link"} == {hashlib.sha256(
        (tmp_path / "system.yaml").read_bytes()).hexdigest()}
