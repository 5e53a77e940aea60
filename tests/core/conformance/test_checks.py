"""The checks find what they are for, and say where."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.conformance import CHECKS, AddonConformance, Subject
from core.settings import ROOT
from tests.core.definition.sets import write

LIBRARY = {
    "library/addon.yaml": "addon: library\nversion: 1.0.0\nneeds: [base]\n",
    "library/tables/book.yaml": "table: book\nfields:\n  name: {type: text, required: true}\n  pages: {type: integer}\n",
    "library/lists/book.yaml": "list: book\nof: book\ncolumns: {name: {}, pages: {}}\n",
    "library/objects/books.yaml": "object: books\nof: book\narea: people\nlists: [book]\n",
    "library/roles/reader.yaml": "role: reader\ngrants: {book: {read: true}}\n",
    "library/demo/10_book.yaml": "table: book\nrecords:\n  emma: {name: Emma, pages: 474}\n",
}


def subject(folder: Path, files: dict[str, str], **options: object) -> Subject:
    write(folder, {**LIBRARY, **files})
    return Subject((ROOT / "addons", folder / "library"), None, "library", **options)  # type: ignore[arg-type]


def found(name: str, looked_at: Subject) -> list[str]:
    with looked_at:
        return next(check for check in CHECKS if check.name == name).run(looked_at)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Subject]:
    with subject(tmp_path_factory.mktemp("whole"), {}) as looked_at:
        yield looked_at


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_a_whole_addon_passes(whole: Subject, check: object) -> None:
    assert check.run(whole) == []  # type: ignore[attr-defined]


def test_the_demo_is_loaded_and_every_role_has_a_user(whole: Subject) -> None:
    assert whole.scratch.demo > 1
    assert set(whole.scratch.cookies) == set(whole.model.roles)
    with whole.scratch.records("reader") as records:
        assert [row["name"] for row in records.page("book", ["name"]).records] == ["Emma"]


def test_problems_of_definitions_are_told_with_their_place(tmp_path: Path) -> None:
    wrong = subject(tmp_path, {"library/lists/book.yaml": "list: book\nof: book\ncolumns: {nam: {}}\n"})
    assert [line.partition("library/")[2] for line in found("definitions", wrong)] == [
        'lists/book.yaml:3:11: field "nam" is not on table "book" (did you mean "name"?)']


def test_a_definition_in_a_file_of_another_name_is_told(tmp_path: Path) -> None:
    wrong = subject(tmp_path, {"library/lists/other.yaml": "list: novel\nof: book\ncolumns: {name: {}}\n"})
    assert [line.partition("library/")[2] for line in found("places", wrong)] == [
        "lists/other.yaml:1: list novel is looked for in novel.yaml"]


def test_untranslated_texts_are_told_of_this_addon_only(tmp_path: Path) -> None:
    lines = found("translations", subject(tmp_path, {}, languages=("en", "zh_CN")))
    assert any(line.endswith("table book.fields.pages.title has no words in zh_CN: Pages") for line in lines)
    assert all("library/" in line for line in lines)
    assert found("translations", subject(tmp_path, {}, languages=("en",))) == []


def test_demo_records_that_do_not_load_are_told(tmp_path: Path) -> None:
    wrong = subject(tmp_path, {"library/demo/10_book.yaml": "table: book\nrecords:\n  emma: {pages: 474}\n"})
    assert [line.partition(": ")[0] for line in found("demo", wrong)] != []


def test_a_page_that_fails_is_told_with_role_and_language(whole: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError
    monkeypatch.setattr("core.web.listing.list_view", broken)
    lines = next(check for check in CHECKS if check.name == "pages").run(whole)
    assert "/books as reader in en: 500 where 200 was expected" in lines


def test_an_upgrade_that_cannot_be_is_told(tmp_path: Path) -> None:
    write(tmp_path / "old", {**LIBRARY, "library/tables/book.yaml":
                             "table: book\nfields:\n  name: {type: text, required: true}\n  pages: {type: file}\n",
                             "library/lists/book.yaml": "list: book\nof: book\ncolumns: {name: {}}\n"})
    wrong = subject(tmp_path, {}, previous=tmp_path / "old" / "library")
    assert any("book.pages" in line for line in found("upgrade", wrong))
    assert found("upgrade", subject(tmp_path, {}, previous=tmp_path / "library")) == []


class TestThreeLines(AddonConformance):
    addon = ROOT / "addons/base"
    languages = ("en", "zh_CN")
