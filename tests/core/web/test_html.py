"""Pieces of HTML escape what they are given."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from jinja2 import FileSystemLoader
from markupsafe import Markup

from core.web import shell
from core.web.html import Piece


def test_values_are_escaped_unless_they_are_markup() -> None:
    piece = Piece('<a href="{}">{}</a>')
    assert piece('"x"', Markup("<b>y</b>")) == Markup('<a href="&#34;x&#34;"><b>y</b></a>')
    assert isinstance(piece(1, None), Markup)


def test_a_value_is_never_a_pattern() -> None:
    assert Piece("{}|100%|{}")("{}", "%s") == Markup("{}|100%|%s")


@pytest.mark.parametrize("values", [(), ("one",), ("one", "two", "three")])
def test_each_place_takes_one_value(values: tuple[str, ...]) -> None:
    with pytest.raises(TypeError):
        Piece("{}{}")(*values)


def test_a_release_installed_beside_a_running_server_does_not_change_its_pages(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Templates of one release do not fit the code of another; the server takes both when it starts again."""
    (tmp_path / "some.html").write_text("old")
    templates = shell.environment.__wrapped__()
    monkeypatch.setattr(templates, "loader", FileSystemLoader(tmp_path))
    assert templates.get_template("some.html").render() == "old"
    (tmp_path / "some.html").write_text("new {{ unknown }}")
    os.utime(tmp_path / "some.html", (1, 1))
    assert templates.get_template("some.html").render() == "old"
