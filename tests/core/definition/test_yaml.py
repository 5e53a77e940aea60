"""Reading YAML: YAML 1.2 core scalars, and a place for everything."""

from __future__ import annotations

import pytest

from core.definition import yaml


def value_of(text: str) -> object:
    body, _, problems = yaml.read(f"key: {text}\n".encode(), "file.yaml")
    assert not problems
    assert isinstance(body, dict)
    return body["key"]


@pytest.mark.parametrize("text", ["no", "on", "off", "yes", "y", "12:30", "010", "0x1f", "1e3", "1_000", "2024-02-30",
                                  "1.0.0", "+", ".5", "5."])
def test_what_looks_like_a_text_stays_a_text(text: str) -> None:
    assert value_of(text) == text


@pytest.mark.parametrize(("text", "value"), [
    ("12", 12), ("-3", -3), ("0", 0), ("1.50", 1.5), ("true", True), ("False", False), ("null", None), ("~", None),
    ("", None), ('"12"', "12"), ("'true'", "true"), ('"a\\nb"', "a\nb")])
def test_numbers_truth_and_nothing_are_values(text: str, value: object) -> None:
    found = value_of(text)
    assert found == value
    assert type(found) is type(value)


def test_the_order_of_keys_is_kept() -> None:
    body, _, _ = yaml.read(b"z: 1\na: 2\nm: 3\n", "file.yaml")
    assert isinstance(body, dict)
    assert list(body) == ["z", "a", "m"]


def test_every_path_has_the_place_of_its_key_and_of_its_value() -> None:
    text = 'table: company\nfields:\n  name: {type: text, max: 20}\npeek:\n- name\n- "城市"\n'
    _, marks, _ = yaml.read(text.encode(), "file.yaml")
    assert marks["fields", "name"][:3] == ("file.yaml", 3, 3)
    assert marks["fields", "name", "max"][1:] == (3, 22, 3, 27)
    assert marks["peek", 0][1:3] == (5, 3)
    assert marks["peek", 1][3:] == (6, 4)           # inside the quotes


def test_columns_count_characters_and_not_bytes() -> None:
    _, marks, _ = yaml.read("城市: {名: 1}\n".encode(), "file.yaml")
    assert marks["城市", "名"][1:3] == (1, 6)


def test_a_byte_order_mark_does_not_matter() -> None:
    assert yaml.read(b"\xef\xbb\xbfkey: 1\n", "file.yaml")[0] == {"key": 1}


@pytest.mark.parametrize(("line", "quoted"), [
    ("{formula: round(a * b, 2)}", 'formula: "round(a * b, 2)"'),
    ("{type: money, formula: sum(a, b, c), title: Sum}", 'formula: "sum(a, b, c)"'),
    ("{check: state in ['a', 'b'], message: No.}", "check: \"state in ['a', 'b']\""),
    ('{formula: count(lines[kind == "x"])}', "formula: 'count(lines[kind == \"x\"])'"),
    ("{message: Sorry, no}", 'message: "Sorry, no"')])
def test_an_expression_cut_in_braces_is_printed_as_it_should_stand(line: str, quoted: str) -> None:
    _, _, problems = yaml.read(f"key: {line}\n".encode(), "file.yaml")
    assert len(problems) == 1
    assert problems[0].message.endswith(quoted)


def test_a_key_without_value_that_has_its_colon_is_simply_empty() -> None:
    body, _, problems = yaml.read(b"columns: {name: , amount: }\n", "file.yaml")
    assert (body, problems) == ({"columns": {"name": None, "amount": None}}, [])
