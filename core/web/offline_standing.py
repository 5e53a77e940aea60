"""How an offline system is, as its own pages and those of live tell it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from core.errors import N_, Words, words_from_json, words_to_json

Phase = Literal["starting", "ready", "failed", "silent"]
MOST = 20                       # problems that are shown: who has more begins with these
NO_DEMO = N_("The demo records do not fit these files, so there are none: {reason}")
STANDING = "X-Offline-Standing"                      # the header of an answer that says why there is no page yet


@dataclass(frozen=True, slots=True)
class Standing:
    """Its phase, the folder it follows, its version, and what keeps it from being as the files say."""

    phase: Phase = "starting"
    folder: str = ""
    version: int | None = None
    problems: tuple[str | Words, ...] = ()
    more: int = 0               # problems that are not shown
    answers: tuple[str, ...] = ()                    # what a plan asked, with the harmless answer it was given
    busy: bool = False          # the files changed, and are being applied

    def as_json(self) -> dict[str, Any]:
        """The same as JSON."""
        return {**asdict(self), "problems": [words_to_json(one) for one in self.problems]}


def from_json(body: dict[str, Any]) -> Standing:
    """Read it back."""
    return Standing(**{**body, "problems": tuple(map(words_from_json, body["problems"])),
                       "answers": tuple(body["answers"])})
