"""docs/types.md says of every type what the code has."""

from core.types.registry import registry
from core.web.widgets.registry import built_in
from core.web.widgets.table import PAGE, page


def test_the_table_of_types_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run python -m core.web.widgets.table"


def test_every_type_is_in_it_and_every_widget_is_of_a_type() -> None:
    written = PAGE.read_text(encoding="utf-8")
    assert all(f"| [{name}](" in written for name in registry())
    assert set(built_in()) <= set(registry())
