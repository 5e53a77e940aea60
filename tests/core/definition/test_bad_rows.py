"""The bad inputs that definition files are known to meet, row by row, and where each is refused with its exact words."""

from __future__ import annotations

import importlib

import pytest

from tests.core.definition.test_broken import BROKEN

LANGUAGE = "tests.core.expression.test_bad_input"
ATTACKED = "test_an_attack_is_refused_with_its_column_and_with_little_work"

# Row -> what is written, and who refuses it: sets of tests/fixtures/broken, or tests as "module.function".
ROWS: dict[int, tuple[str, tuple[str, ...]]] = {
    1: ("aliases that grow", ("yaml_alias", "test_broken.test_an_alias_bomb_is_refused_without_growing")),
    2: ("an alias of itself", ("yaml_alias_of_itself",)),
    3: ("a key twice", ("yaml_duplicate_key",)),
    4: ("keys that are no texts", ("yaml_key_no_text",)),
    5: ("texts that YAML 1.1 takes for truth, times and octal numbers", (
        "yaml_scalars_stay_text", "test_yaml.test_what_looks_like_a_text_stays_a_text")),
    6: ("tags, Python's too", ("yaml_tag",)),
    7: ("20,000 lists in each other", ("test_broken.test_twenty_thousand_lists_in_lists_are_refused_at_the_fiftieth",)),
    8: ("files and sets that are too large", (
        "test_broken.test_a_list_of_half_a_megabyte_is_read_in_time",
        "test_broken.test_a_file_larger_than_a_megabyte_is_not_read",
        "test_broken.test_a_set_larger_than_twenty_megabytes_is_not_read_to_its_end")),
    9: ("30 February", ("yaml_bad_date",)),
    10: ("what is not a number, and numbers beyond measure", ("yaml_not_a_number", "yaml_too_long_a_number")),
    11: ("NUL and halves of characters, escaped", ("yaml_nul", "yaml_surrogate", "file_control_character")),
    12: ("other codes than UTF-8; a byte order mark does not matter", (
        "file_latin1", "file_utf16", "form_in_another_code", "test_yaml.test_a_byte_order_mark_does_not_matter")),
    13: ("two documents, tabs, nothing", ("file_two_documents", "file_tabs", "file_empty")),
    14: ("a billion laughs", ("xml_billion_laughs",)),
    15: ("one long entity, many times", ("xml_quadratic_entity",)),
    16: ("entities from files and from the net", ("xml_external_entity", "xml_entity_from_the_net",
                                                  "xml_undefined_entity")),
    17: ("100,000 elements in each other, or 10,000 beside", (
        "test_broken.test_a_hundred_thousand_elements_in_each_other_are_refused_at_the_fiftieth",
        "test_broken.test_ten_thousand_elements_are_enough")),
    18: ("a million attributes, or one twice", ("test_broken.test_a_million_attributes_are_refused",
                                                "xml_duplicate_attribute")),
    19: ("bases in a circle, of themselves, or missing", ("base_circle", "base_itself", "base_missing",
                                                          "addons_circle")),
    20: ("one name in two addons", ("defined_twice",)),
    21: ("names that read alike", ("name_reads_alike", "name_strange_letters")),
    22: ("names that PostgreSQL would cut", ("name_too_long",)),
    23: ("names of SQL (fine), of Python, of scripts and of our own", (
        "name_of_scripts", "name_reserved", "test_names.test_a_plain_name_is_fine_even_if_sql_knows_it")),
    24: ("unknown types and properties", ("unknown_type", "unknown_property")),
    25: ("more fields than a table can have", ("test_broken.test_a_table_has_at_most_four_hundred_fields",)),
    26: ("links to what is not there", ("reference_missing",)),
    27: ("formulas in a circle", ("formula_circle",)),
    28: ("forms, lists and rules that name missing fields", ("form_field_missing", "list_wrong",
                                                            "expression_unknown_names", "base_ambiguous_field")),
    29: ("a field that is used, removed; values that another type cannot hold", (
        "change_removes_what_is_used", "removed_field_of_many",
        "tests.core.bm.planning.test_plan.test_what_would_lose_values_is_refused_with_reason_and_place")),
    30: ("Python beyond the language in expressions", ("expression_forbidden", f"{LANGUAGE}.{ATTACKED}")),
    31: ("expressions as deep as the sea, numbers as long", (
        "test_broken.test_an_expression_as_deep_as_the_sea_is_an_error_like_any_other", f"{LANGUAGE}.{ATTACKED}")),
    32: ("loops without an end", (f"{LANGUAGE}.{ATTACKED}",)),
    33: ("division by zero, nothing, mixed types, what is no number", (
        f"{LANGUAGE}.test_a_value_that_makes_no_sense_is_empty_or_is_refused_when_it_is_checked",
        f"{LANGUAGE}.test_values_of_wrong_types_are_one_error_and_nothing_else")),
}


@pytest.mark.parametrize(("row", "place"), [(row, place) for row, (_, places) in ROWS.items() for place in places])
def test_a_row_is_refused_somewhere(row: int, place: str) -> None:
    module, _, name = place.rpartition(".")
    if module:
        path = module if module.startswith("tests.") else f"tests.core.definition.{module}"
        assert callable(getattr(importlib.import_module(path), name))
    else:
        assert (BROKEN / place / "expected.txt").read_text().strip()


def test_no_row_is_left_out() -> None:
    assert set(ROWS) == set(range(1, 34))
