"""Where a live system is not as it should be: a value for each finding, with what is there and the way out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from core.errors import N_, Words, words

TABLES, DEFINITIONS, FOLDER = "tables", "definitions", "folder"
VIEWS = {TABLES: N_("the tables of records"), DEFINITIONS: N_("the stored definitions"), FOLDER: N_("the folder")}
WHAT = {word: word for word in (
    N_("missing table"), N_("missing column"), N_("other type"), N_("required column"), N_("missing index"),
    N_("broken index"), N_("missing constraint"), N_("unchecked constraint"), N_("extra table"), N_("extra column"),
    N_("extra index"), N_("extra constraint"), N_("extra trigger"), N_("missing parked column"), N_("parked in use"),
    N_("changed definition"), N_("missing definition"), N_("changed file"), N_("missing file"), N_("changed version"),
    N_("never promoted"), N_("not the last promotion"), N_("other state"), N_("unpromoted changes"),
    N_("live moved on"), N_("broken definitions"))}


@dataclass(frozen=True, slots=True)
class Drifted:
    """One thing that is not as live's version wants it."""

    view: str                                # tables, definitions, folder
    what: str                                # "missing column": one of WHAT
    name: str                                # where: "company_12.size_14"
    wanted: Words | str                      # what live should have
    found: Words | str                       # what is there
    way_out: Words
    stops: bool = False                      # no promotion while it is so
    adoptable: bool = False                  # may be told to stay
    repair: tuple[str, ...] = ()             # SQL that is safe and guesses nothing
    release: tuple[int, ...] = ()            # storage ids to be noted as live again

    @property
    def mends(self) -> bool:
        """Whether it can be repaired without a person."""
        return bool(self.repair or self.release)

    def sentence(self) -> Words:
        """All of it as one sentence."""
        return words("{view}: {what} {name}: live wants {wanted}, there is {found}; {way_out}",
                     view=words(VIEWS[self.view]), what=words(self.what), name=self.name, wanted=self.wanted,
                     found=self.found, way_out=self.way_out)

    def as_json(self) -> dict[str, Any]:
        """It for machines."""
        return {"view": self.view, "what": self.what, "name": self.name, "wanted": str(self.wanted),
                "found": str(self.found), "way_out": str(self.way_out), "stops": self.stops,
                "adoptable": self.adoptable, "repairable": self.mends}
