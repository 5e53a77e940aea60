"""Small systems to promote: one addon of a few tables, and a site layer that tests change."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

from core.bm.versions import live
from core.bm.versions.identities import assign
from core.bm.versions.state import EMPTY, Parked, State, state_of
from core.definition import load
from core.plugins import Plugins

ADDON = {
    "addon.yaml": "addon: shop\nversion: 1.0.0\n",
    "company.yaml": """
        table: company
        title: Company
        plural: Companies
        display: "{name}"
        fields:
          name: {type: text, max: 100}
          size: {type: integer}
          kind: {type: choice, of: company_kind}
          parent: {type: link, to: company}
        """,
    "kinds.yaml": """
        choices: company_kind
        values:
          customer: {title: Customer}
          partner: {title: Partner}
        """,
    "party.yaml": """
        table: ticket
        title: Ticket
        plural: Tickets
        display: "{title}"
        fields:
          title: {type: text}
        """,
    "deal.yaml": """
        table: deal
        title: Deal
        plural: Deals
        base: ticket
        display: "{title}"
        fields:
          company: {type: link, to: company}
          amount: {type: decimal}
        """,
}


@dataclass
class Site:
    """An addon and a site layer in a folder; `write` changes the site's files."""

    folder: Path

    @classmethod
    def make(cls, folder: Path) -> Site:
        site = cls(folder)
        for name, text in ADDON.items():
            site.write_in(folder / "addons" / "shop", name, text)
        site.write("system.yaml", "system: main\naddons: [shop]\nlanguages: [en]\ncurrency: EUR\ntime_zone: UTC\n")
        return site

    @property
    def metadata(self) -> Path:
        return self.folder / "metadata"

    def write(self, name: str, text: str | None) -> None:
        """Write a file of the site's layer; None removes it."""
        self.write_in(self.metadata, name, text)

    def addon(self, name: str, text: str | None) -> None:
        """Write a file of the addon, as a new release of it would."""
        self.write_in(self.folder / "addons" / "shop", name, text)

    @staticmethod
    def write_in(folder: Path, name: str, text: str | None) -> None:
        path = folder / name
        if text is None:
            path.unlink()
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text).lstrip("\n"), encoding="utf-8")

    def state(self, base: State = EMPTY, parked: list[Parked] | None = None, first_new: int = 100) -> State:
        """The state of the files, with identities that follow from a base; no database."""
        plugins = Plugins()
        loaded = load([self.folder / "addons"], self.metadata, plugins)
        assert not loaded.problems, "\n".join(map(str, loaded.problems))
        state = state_of(loaded.must(), live.contents(loaded, plugins).hash)
        return assign(base, state, parked or [], max(first_new, *(id_ + 1 for id_ in base.identities.values()), 0))
