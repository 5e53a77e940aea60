"""Functions, settings, sequences and templates in a plan: metadata only, and said so that one sees what changes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.bm import service
from core.bm.planning import describe
from core.bm.service import Planned
from core.plugins import Plugins
from core.settings import Settings
from tests.small_system import Small, small_system

FILES = {
    "functions/half.yaml": "function: half\nparameters: {amount: {type: money}}\nreturns: money\n"
                           "is: parameter.amount / 2\n",
    "settings/limit.yaml": "setting: limit\ntype: percent\ndefault: 20\n",
    "sequences/order.yaml": 'sequence: order\nformat: "O-{number}"\n',
    "templates/offer.txt": '---\ntemplate: offer\nof: deal\nsubject: "Offer {name}"\n---\nDear {{ user.name }},\n\n'
                           "we offer {{ amount }}.\n",
}


@pytest.fixture(scope="module")
def small(database: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Small]:
    with small_system(database, tmp_path_factory.mktemp("named")) as found:
        yield found


def plan(small: Small, files: dict[str, str]) -> Planned:
    for name, text in files.items():
        path = Path(small.settings.metadata) / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return service.plan_folder(small.settings, small.owner, Plugins())


def test_what_is_new_and_what_changes_is_metadata_and_said_well(small: Small) -> None:
    planned = plan(small, FILES)
    said = describe.as_text(planned.plan)
    for line in ("+ function half", 'is = "parameter.amount / 2"', "+ setting limit", "default = 20",
                 "+ sequence order", 'format = "O-{number}"', "+ template offer"):
        assert line in said
    assert planned.plan.risk == "metadata" and not any(step.sql for step in planned.plan.steps)
    service.promote_folder(small.settings, small.owner, planned, plugins=Plugins())
    assert plan(small, FILES).plan.empty

    again = plan(small, {
        "settings/limit.yaml": FILES["settings/limit.yaml"].replace("20", "30"),
        "templates/offer.txt": FILES["templates/offer.txt"].replace("we offer", "we gladly offer")})
    said = describe.as_text(again.plan)
    assert "~ default: 20 -> 30" in said and again.plan.risk == "metadata"
    changed = said[said.index("~ template offer"):].splitlines()
    assert [line.strip() for line in changed[1:4]] == [
        "~ body", "- we offer {{ amount }}.", "+ we gladly offer {{ amount }}."]
    with small.session() as session:                    # what the database keeps of them is whole
        model = session.system.model
        assert "half" in model.functions and "limit" in model.settings and set(model.sequences) == {"order", "deal"}
        assert model.templates["offer"].source.startswith("Dear ")
