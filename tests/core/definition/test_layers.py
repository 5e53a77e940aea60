"""Layers: addons in the order of their needs, then the site; folders for optional parts."""

from __future__ import annotations

from pathlib import Path

from tests.core.definition.sets import load_set


def addon(name: str, *needs: str) -> str:
    return f"addon: {name}\nversion: 1.0.0\nneeds: [{', '.join(needs)}]\n"


def test_addons_come_after_what_they_need_and_ties_by_name(tmp_path: Path) -> None:
    loaded = load_set(tmp_path, {f"addons/{name}/addon.yaml": addon(name, *needs) for name, *needs in (
        ("alpha", "zulu"), ("bravo",), ("zulu",), ("charlie", "alpha", "bravo"))})
    assert [layer.name for layer in loaded.layers] == ["bravo", "zulu", "alpha", "charlie"]


def test_the_site_installs_addons_with_all_they_need(tmp_path: Path) -> None:
    loaded = load_set(tmp_path, {
        "addons/alpha/addon.yaml": addon("alpha", "zulu"), "addons/bravo/addon.yaml": addon("bravo"),
        "addons/zulu/addon.yaml": addon("zulu"), "metadata/system.yaml": "system: main\naddons: [alpha]\n"})
    assert [layer.name for layer in loaded.layers] == ["zulu", "alpha", "site"]
    assert [one.name for one in loaded.must().addons] == ["zulu", "alpha"]


def test_a_folder_with_x_is_read_only_beside_x_and_puts_the_addon_after_it(tmp_path: Path) -> None:
    files = {"addons/lead/addon.yaml": addon("lead"), "addons/lead/tables/lead.yaml": "table: lead\n",
             "addons/lead/with_party/tables/company.yaml": "change: table company\ntitle: Firm\n",
             "metadata/system.yaml": "system: main\naddons: [lead]\n"}
    assert "company" not in load_set(tmp_path, files).must().tables
    loaded = load_set(tmp_path, {**files, "addons/party/tables/company.yaml": "table: company\n",
                                 "metadata/system.yaml": "system: main\naddons: [lead, party]\n"})
    assert [layer.name for layer in loaded.layers] == ["party", "lead", "site"]
    assert loaded.must().tables["company"].title == "Firm"


def test_definitions_may_lie_in_any_folder_and_begin_with_any_key(tmp_path: Path) -> None:
    loaded = load_set(tmp_path, {"addons/lead/anywhere/at/all.yaml": "title: Person\ntable: lead\n"})
    assert loaded.must().tables["lead"].title == "Person"


def test_demo_and_static_hold_no_definitions(tmp_path: Path) -> None:
    loaded = load_set(tmp_path, {"addons/lead/demo/lead.yaml": "nonsense: true\n",
                                 "addons/lead/static/a.xml": "<svg/>", "addons/lead/tables/lead.yaml": "table: lead\n"})
    assert loaded.problems == ()


def test_the_site_keeps_its_files_for_later_versions(tmp_path: Path) -> None:
    loaded = load_set(tmp_path, {"metadata/system.yaml": "system: main\n", "metadata/README.md": "Mine.\n",
                                 "metadata/tables/a.yaml": "table: a\n", "metadata/.base": "7\n"})
    assert dict(loaded.layers[-1].files) == {
        "system.yaml": b"system: main\n", "README.md": b"Mine.\n", "tables/a.yaml": b"table: a\n"}


def test_every_layer_adds_its_translations_and_the_highest_has_the_last_word(tmp_path: Path) -> None:
    def po(path: str, text: str) -> str:
        return f'msgctxt "{path}"\nmsgid "x"\nmsgstr "{text}"\n'

    loaded = load_set(tmp_path, {
        "addons/lead/tables/lead.yaml": "table: lead\nfields: {name: {type: text}}\n",
        "addons/lead/translations/de.po":
            po("table lead.title", "Anfrage") + "\n" + po("table lead.plural", "Anfragen"),
        "metadata/translations/de.po": po("table lead.title", "Interessent")})
    model = loaded.must()
    assert model.text("table lead.title", "de") == "Interessent"
    assert model.text("table lead.plural", "de") == "Anfragen"
