"""Renaming over the samples of all kinds: whatever names a field, a value or a table follows, or it is refused."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

import pytest

from core.definition import Model, Sources, load, references
from core.definition import reference as pages
from core.definition.kinds import BUILT_IN
from core.definition.layers import SITE
from core.definition.renaming import COLLECTIONS, rename
from core.definition.samples import sample
from core.plugins import Plugins

PROJECT = Path(__file__).parents[3]
MOST = 3        # of each sample: those that most name


def site_of(name: str, folder: Path) -> Sources | None:
    """A sample's only addon as a site's layer; None where it has several."""
    shown = sample(name, pages.KINDS)
    addons = [path.parent for path in shown.folder.glob("*/addon.yaml")]
    if len(addons) != 1:
        return None
    site = folder / "site"
    shutil.copytree(addons[0], site)
    (site / "addon.yaml").unlink()
    (site / "system.yaml").write_text("system: main\naddons: [base]\n")
    return Sources((PROJECT / "addons" / "base",), site, Plugins())


def most_used(model: Model, own: set[tuple[str, str]]) -> list[tuple[str, str]]:
    """The tables, choices, fields and values of the site that most others name, without those that a state hangs on."""
    counted = Counter((one.to_kind, one.to_name) for one in references(model)
                      if (one.to_kind, one.to_name.partition(".")[0]) in own and one.to_name.count(".") < 2)
    return [(kind, name) for (kind, name), _ in counted.most_common()
            if kind in COLLECTIONS and _is_sites(model, kind, name)][:MOST]


def _is_sites(model: Model, kind: str, name: str) -> bool:
    owner, _, member = name.partition(".")
    if kind != "table" or not member:
        return kind != "mixin" or bool(member)
    field = model.tables[owner].fields.get(member)
    return field is not None and field.path == f"table {owner}.fields.{member}" and field.type.name != "state"


@pytest.mark.parametrize("name", [kind.name for kind in BUILT_IN if kind.name != "migration"])    # no site has any
def test_what_is_used_most_can_be_renamed(name: str, tmp_path: Path) -> None:
    sources = site_of(name, tmp_path)
    if sources is None:
        return
    loaded = load(sources.folders, sources.site, sources.plugins)
    model = loaded.must()
    own = {(one.kind, one.name) for layer in loaded.layers if layer.name == SITE for one in layer.definitions
           if not one.change}
    for kind, thing in most_used(model, own):
        old = thing.rpartition(".")[2]
        changed = rename(sources, thing, f"{old}_now", kind)
        assert changed and all(before != after for before, after in changed.values())
        assert {len(before.splitlines()) - len(after.splitlines()) for before, after in changed.values()} <= {0, -1}


def test_what_cannot_be_rewritten_is_refused(tmp_path: Path) -> None:
    """The parts of a union have the same columns, and one of them is called like the field."""
    from core.errors import Refused
    sources = site_of("query", tmp_path)
    assert sources is not None
    with pytest.raises(Refused, match="all parts of a union have the same columns"):
        rename(sources, "repair.day", "on")
