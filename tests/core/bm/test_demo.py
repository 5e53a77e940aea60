"""Demo records: whose folders are asked for them."""

from __future__ import annotations

from pathlib import Path

from core.bm.demo import demo_folders
from tests.core.definition.sets import load_set


def test_installed_addons_in_the_order_of_their_needs_wherever_they_lie(tmp_path: Path) -> None:
    model = load_set(tmp_path, {
        "addons/alpha/addon.yaml": "addon: alpha\nversion: 1.0.0\nneeds: [zulu]\n",
        "addons/zulu/addon.yaml": "addon: zulu\nversion: 1.0.0\n",
        "addons/spare/addon.yaml": "addon: spare\nversion: 1.0.0\n",
        "metadata/system.yaml": "system: main\naddons: [alpha]\n"}).must()
    alone = tmp_path / "addons" / "alpha"           # a folder that is an addon itself, beside one that holds some
    assert [folder.name for folder in demo_folders(model, [tmp_path / "addons"])] == ["zulu", "alpha"]
    assert demo_folders(model, [alone]) == [alone]
