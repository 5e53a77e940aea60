"""`translate`: reports what has no words in a language, and brings catalogues up to date."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from core.cli import group
from core.errors import TesseraError
from tests.core.definition.sets import write

FILES = {
    "addons/shop/tables/item.yaml": "table: item\ntitle: Item\nfields:\n  name: {type: text}\n",
    "metadata/system.yaml": "system: main\ntitle: Our shop\naddons: [shop]\nlanguages: [en, zh_CN]\n",
}


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write(tmp_path, FILES)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TESSERA_METADATA", str(tmp_path / "metadata"))
    monkeypatch.setenv("TESSERA_ADDONS", str(tmp_path / "addons"))
    return tmp_path


def translate(*arguments: str) -> Result:
    return CliRunner().invoke(group, ["translate", *arguments])


def refused(*arguments: str) -> str:
    result = translate(*arguments)
    assert isinstance(result.exception, TesseraError), result.output
    return str(result.exception)


def entries(path: Path) -> dict[str, str]:
    """The translation of each path, with what is marked as fuzzy or obsolete in front."""
    found = {}
    for block in path.read_text().split("\n\n")[1:]:
        lines = block.splitlines()
        mark = "obsolete " if lines[-1].startswith("#~") else "fuzzy " if "#, fuzzy" in lines else ""
        plain = [line.removeprefix("#~ ") for line in lines]
        context = next(line for line in plain if line.startswith("msgctxt")).split('"')[1]
        found[context] = mark + next(line for line in plain if line.startswith("msgstr")).split('"')[1]
    return found


def fill(path: Path, context: str, words: str) -> None:
    head, _, rest = path.read_text().partition(f'msgctxt "{context}"')
    path.write_text(f'{head}msgctxt "{context}"' + rest.replace('msgstr ""', f'msgstr "{words}"', 1))


def test_what_is_missing_is_told_with_its_place(place: Path) -> None:
    result = translate()
    assert result.exit_code == 1
    assert "zh_CN  shop: 0 of 4 texts" in result.stdout
    assert "  addons/shop/tables/item.yaml:2: table item.title: Item" in result.stdout
    assert "  metadata/system.yaml:2: system main.title: Our shop" in result.stdout


def test_a_site_gets_one_catalogue_for_all_that_nobody_translated(place: Path) -> None:
    assert translate("zh_CN").exit_code == 0
    assert set(entries(place / "metadata/translations/zh_CN.po")) == {
        "addon shop.title", "table item.title", "table item.plural", "table item.fields.name.title", "system main.title"}
    assert not (place / "addons/shop/translations").exists()


def test_each_addon_gets_its_own_catalogue(place: Path) -> None:
    assert translate("zh_CN", "all").exit_code == 0
    assert list(entries(place / "metadata/translations/zh_CN.po")) == ["system main.title"]
    assert len(entries(place / "addons/shop/translations/zh_CN.po")) == 4


def test_filled_in_it_is_complete_and_written_again_it_stays_word_for_word(place: Path) -> None:
    translate("zh_CN")
    path = place / "metadata/translations/zh_CN.po"
    for context in entries(path):
        fill(path, context, "词")
    before = path.read_text()
    assert translate("zh_CN").exit_code == 0
    assert path.read_text() == before
    result = translate()
    assert (result.exit_code, "1 of 1 texts" in result.stdout) == (0, True)


def test_words_of_a_changed_text_are_kept_as_fuzzy_and_of_a_removed_one_as_obsolete(place: Path) -> None:
    translate("zh_CN")
    path = place / "metadata/translations/zh_CN.po"
    for context in entries(path):
        fill(path, context, "词")
    (place / "addons/shop/tables/item.yaml").write_text("table: item\ntitle: Thing\nfields:\n  label: {type: text}\n")
    assert 'table item.title: was translated from other words than "Thing"' in translate().stdout
    assert "1 new, 2 changed, 1 gone, 1 not translated yet" in translate("zh_CN").stdout
    assert entries(path) == {
        "addon shop.title": "词", "table item.title": "fuzzy 词", "table item.plural": "fuzzy 词",
        "table item.fields.label.title": "", "system main.title": "词", "table item.fields.name.title": "obsolete 词"}
    assert '#| msgid "Item"' in path.read_text()


def test_an_addons_words_stay_where_the_site_says_something_else(place: Path) -> None:
    translate("zh_CN", "shop")
    path = place / "addons/shop/translations/zh_CN.po"
    fill(path, "table item.title", "物品")
    write(place, {"metadata/tables/item.yaml": "change: table item\ntitle: Ware\n"})
    assert "0 gone" in translate("zh_CN", "shop").stdout
    assert entries(path)["table item.title"] == "物品"


def test_what_is_marked_as_fuzzy_is_not_shown(place: Path) -> None:
    translate("zh_CN")
    path = place / "metadata/translations/zh_CN.po"
    fill(path, "table item.title", "物品")
    path.write_text(path.read_text().replace('msgctxt "table item.title"', '#, fuzzy\nmsgctxt "table item.title"'))
    assert "table item.title: Item" in translate().stdout


def test_what_cannot_be_a_language_or_a_layer_is_refused(place: Path) -> None:
    assert '"klingonish" is no language' in refused("klingonish")
    assert 'there is no addon "shopp" here: there are shop, site' in refused("zh_CN", "shopp")
    assert not (place / "metadata/translations").exists()


def test_a_broken_catalogue_is_told_and_not_overwritten(place: Path) -> None:
    path = place / "metadata/translations/zh_CN.po"
    path.parent.mkdir()
    path.write_text('msgid "x\n')
    assert "zh_CN.po:1" in refused("zh_CN")
    assert path.read_text() == 'msgid "x\n'


def test_a_new_language_is_told_where_people_choose_it(place: Path) -> None:
    assert "languages: [en, zh_CN, de]" in translate("de").stdout


def test_what_a_site_calls_otherwise_is_not_for_the_addon_to_translate_again(place: Path) -> None:
    write(place, {"addons/shop/translations/zh_CN.po": 'msgid ""\nmsgstr ""\n\nmsgctxt "table item.title"\n'
                  'msgid "Item"\nmsgstr "商品"\n', "metadata/tables/item.yaml": "change: table item\ntitle: Article\n"})
    assert "was translated from other words" not in translate().stdout
