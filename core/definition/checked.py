"""Check the definitions on disk, by looking only at what changed since they were last without problems."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path

from core.cache import Cache, contents
from core.definition.load import Loaded, load_noting
from core.definition.sound import Sound, line, sound_of, still_sound
from core.errors import DefinitionError
from core.plugins import Plugins


@dataclasses.dataclass(frozen=True)
class Checked:
    """What there is to say of a set: lines that name places, and what it holds if there are no problems.

    `contents` are the files that this is true of; None if it also hangs on something else.
    """

    problems: Sequence[str]
    notices: Sequence[str]
    summary: str
    contents: Mapping[str, str] | None


def check(folders: Sequence[Path], site: Path, now: dict[str, str], cache: Cache, name: str) -> Checked:
    """Check addons and the site's layer, whose contents are those; what is remembered of them is under the name."""
    try:
        plugins = Plugins.load(folders)
    except DefinitionError as error:            # a plugin.py that cannot be loaded
        return Checked([str(problem) for problem in error.problems], (), "", None)
    root, before = Path.cwd(), cache.read(f"sound-{name}")
    sound = still_sound(Sound(**before), now, plugins, root) if before is not None else None
    found = Checked((), (), sound.summary, now) if sound is not None else None
    if found is None:
        loaded, building = load_noting(folders, site, plugins, root)
        sound = sound_of(loaded, building, now, root)
        found = _told(loaded, now)
    if contents([*folders, site]) != now:       # somebody wrote while we read: nobody knows what was seen
        return dataclasses.replace(found, contents=None)
    if sound is not None:
        cache.write(f"sound-{name}", vars(sound))
    return found


def _told(loaded: Loaded, now: Mapping[str, str]) -> Checked:
    return Checked([str(problem) for problem in loaded.problems], [str(notice) for notice in loaded.notices],
                   "" if loaded.model is None else summary(loaded), now)


def summary(loaded: Loaded) -> str:
    """What the definitions hold, in a line."""
    model = loaded.must()
    return line(len(model.addons), {name: len(table.own) for name, table in model.tables.items()},
                len(model.definitions), len(loaded.layers), model.hash)
