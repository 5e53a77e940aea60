"""The texts of a Model as units of translation, and what becomes of a translation whose text was replaced."""

from __future__ import annotations

from pathlib import Path

from core.definition import Loaded
from core.definition.catalogue import Unit, missing, units, written_in
from core.definition.texts import text
from core.definition.values import Mark
from core.plugins import Plugins
from tests.core.definition.sets import load_set

KINDS = Plugins().kinds
SHOP = {
    "addons/shop/tables/item.yaml": """
        table: item
        title: Item
        display: "{name}"
        fields:
          name: {type: text}
          unit_price: {type: decimal, title: Price, help: Without tax.}
        rules:
          fair: {check: unit_price >= 0, message: A price is never negative.}
        """,
    "addons/shop/tables/gadget.yaml": "table: gadget\nbase: item\nfields: {name: {required: true}}\n",
    "addons/shop/choices/size.yaml": "choices: size\nvalues: {small: {}, big: {title: Big one}}\n",
    "addons/shop/lists/item.yaml": "list: item\nof: item\ncolumns: {name: {}, price: {path: unit_price, title: Cost}}\n",
    "addons/shop/forms/item.xml": '<form name="item" of="item"><group id="main" title="Facts"><field name="name"/></group></form>',
    "addons/shop/roles/clerk.yaml": "role: clerk\n",
    "metadata/system.yaml": "system: main\naddons: [shop]\nlanguages: [en, zh_CN]\n",
}


def chinese(folder: str, **texts: str) -> dict[str, str]:
    """A catalogue; `__` stands for a dot, and the first `_` for the space after the kind."""
    entries = "".join(f'msgctxt "{key}"\nmsgid "x"\nmsgstr "{text}"\n\n' for key, text in texts.items())
    return {f"{folder}/translations/zh_CN.po": 'msgid ""\nmsgstr ""\n\n' + entries}


def said(loaded: Loaded) -> dict[str, str]:
    return {unit.path: unit.text for unit in units(loaded.must(), KINDS)}


def test_every_text_is_a_unit_also_the_title_that_a_name_stands_for(tmp_path: Path) -> None:
    assert said(load_set(tmp_path, SHOP)) == {
        "addon shop.title": "Shop",
        "choices size.title": "Size", "choices size.values.small.title": "Small",
        "choices size.values.big.title": "Big one",
        "table item.title": "Item", "table item.plural": "Items", "table item.fields.name.title": "Name",
        "table item.fields.unit_price.title": "Price", "table item.fields.unit_price.help": "Without tax.",
        "table item.rules.fair.message": "A price is never negative.",
        "table gadget.title": "Gadget", "table gadget.plural": "Gadgets",
        "list item.columns.price.title": "Cost", "form item.main.title": "Facts", "role clerk.title": "Clerk"}


def test_what_is_said_elsewhere_is_no_unit_of_its_own(tmp_path: Path) -> None:
    found = said(load_set(tmp_path, SHOP))
    assert "table gadget.fields.name.title" not in found        # the base's
    assert "list item.columns.name.title" not in found          # the field's
    assert "list item.title" not in found                       # the table's plural
    assert "table item.display" not in found                    # no words


def test_a_unit_belongs_to_the_layer_that_wrote_it(tmp_path: Path) -> None:
    loaded = load_set(tmp_path, {**SHOP, "metadata/tables/item.yaml":
                                 "change: table item\nfields: {unit_price: {title: Amount}, color: {type: text}}\n"})
    assert {unit.path for unit in units(loaded.must(), KINDS) if unit.layer == "site"} == {
        "table item.fields.unit_price.title", "table item.fields.color.title"}
    price = next(unit for unit in units(loaded.must(), KINDS) if unit.text == "Amount")
    assert price.mark.file == "metadata/tables/item.yaml"


def test_missing_is_what_a_language_of_the_system_has_no_words_for(tmp_path: Path) -> None:
    files = {**SHOP, **chinese("addons/shop", **{"table item.title": "物品", "role clerk.title": "店员"})}
    loaded = load_set(tmp_path, files)
    model = loaded.must()
    found = units(model, KINDS)
    gaps = missing(model, found, written_in(model, loaded.layers))
    assert {gap.language for gap in gaps} == {"zh_CN"}
    assert {gap.unit.path for gap in gaps} == {unit.path for unit in found} - {"table item.title", "role clerk.title"}


def test_an_addon_written_in_another_language_needs_english(tmp_path: Path) -> None:
    files = {"addons/ship/addon.yaml": "addon: ship\nversion: 1.0.0\ntitle: 船\nlanguage: zh_CN\n",
             "metadata/system.yaml": "system: main\ntitle: 港\naddons: [ship]\nlanguages: [zh_CN, en]\n"}
    loaded = load_set(tmp_path, files)
    model = loaded.must()
    gaps = missing(model, units(model, KINDS), written_in(model, loaded.layers))
    assert {(gap.language, gap.unit.path) for gap in gaps} == {("en", "addon ship.title"), ("en", "system main.title")}


def test_a_site_that_gives_a_field_another_title_is_not_shown_the_translation_of_the_old_one(tmp_path: Path) -> None:
    files = {**SHOP, **chinese("addons/shop", **{"table item.fields.unit_price.title": "价格",
                                                 "form item.main.title": "事实"})}
    path, form = "table item.fields.unit_price.title", "form item.main.title"
    model = load_set(tmp_path, files).must()
    assert (model.text(path, "zh_CN"), model.text(form, "zh_CN")) == ("价格", "事实")
    files |= {"metadata/tables/item.yaml": "change: table item\nfields: {unit_price: {title: Amount}}\n",
              "metadata/forms/item.xml": '<form change="item"><set ref="main" title="Data"/></form>'}
    model = load_set(tmp_path, files).must()
    assert (model.text(path, "zh_CN"), model.text(form, "zh_CN")) == ("Amount", "Data")
    files |= chinese("metadata", **{path: "金额", form: "数据"})
    model = load_set(tmp_path, files).must()
    assert (model.text(path, "zh_CN"), model.text(form, "zh_CN")) == ("金额", "数据")


def test_a_site_may_translate_what_an_addon_says(tmp_path: Path) -> None:
    files = {**SHOP, **chinese("metadata", **{"table item.title": "物品"})}
    assert load_set(tmp_path, files).must().text("table item.title", "zh_CN") == "物品"


def test_a_site_may_remove_what_an_addon_translates(tmp_path: Path) -> None:
    loaded = load_set(tmp_path, SHOP | chinese("addons/shop", **{
        "table item.rules.fair.message": "价格", "table item.title": "商品", "form item.main.title": "事实"}) | {
        "metadata/tables/item.yaml": "change: table item\nrules: {fair: null}\n",
        "metadata/forms/item.xml": '<form change="item"><set ref="main" title=""/></form>\n'})
    assert set(loaded.must().values["translation"]["zh_CN"]) == {"table item.title"}


def test_what_is_removed_is_not_in_use_because_it_is_translated(tmp_path: Path) -> None:
    loaded = load_set(tmp_path, SHOP | chinese("addons/shop", **{"table item.fields.unit_price.title": "价格"}) | {
        "metadata/tables/item.yaml": "change: table item\nfields: {unit_price: null}\n"})
    (one,) = loaded.problems
    assert '"unit_price" of table "item" is in use' in one.message and "translation" not in one.message


def test_a_site_does_not_translate_what_it_removes(tmp_path: Path) -> None:
    loaded = load_set(tmp_path, SHOP | chinese("metadata", **{"table item.rules.fair.message": "价格"}) | {
        "metadata/tables/item.yaml": "change: table item\nrules: {fair: null}\n"})
    assert len(loaded.problems) == 1


def test_the_title_of_a_field_behind_links_is_translated(tmp_path: Path) -> None:
    form = '<form name="sale" of="sale"><field name="item.unit_price" title="To pay"/></form>'
    loaded = load_set(tmp_path, SHOP | chinese("addons/shop", **{"form sale.item.unit_price.title": "应付"}) | {
        "addons/shop/tables/sale.yaml": "table: sale\nfields: {code: {type: text}, item: {type: link, to: item}}\n",
        "addons/shop/forms/sale.xml": form})
    model = loaded.must()
    assert (text(model, "form sale.item.unit_price.title", "zh_CN"), text(
        model, "form sale.item.unit_price.title", "en")) == ("应付", "To pay")


def test_a_text_that_two_verbs_know_is_one_unit(tmp_path: Path) -> None:
    loaded = load_set(tmp_path, SHOP | {
        "addons/shop/tables/user.yaml": "table: user\npeople: id\nfields: {name: {type: text}}\n",
        "addons/shop/agents/tell.yaml": "agent: tell\nwhen: {call: true}\ndo:\n  one: {notify: =user, message: It rings.}\n"})
    paths = [unit.path for unit in units(loaded.must(), KINDS)]
    assert paths.count("agent tell.do.one.message") == 1


def test_in_lists_a_text_of_several_lines_is_told_in_one() -> None:
    unit = Unit("template a.body", "Dear you,\n\n" + "we write to you " * 9, "shop", Mark("a.html", 1, 1))
    assert unit.short.startswith("Dear you, we write") and unit.short.endswith(" ...") and len(unit.short) <= 80
