"""Making a bundle of the site's folder, and planning the promotion of one: does it fit this system and what is live?"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from sqlalchemy import Column, Connection, Engine, MetaData, Table, Text, insert, select

from core.bm import bundle, service
from core.bm.bundle import Addon, Bundle, Head
from core.bm.inputs.questions import NO_ANSWERS, Answers
from core.bm.service import Planned
from core.bm.versions import folder, live
from core.bm.versions.canonical import canonical, digest
from core.bm.versions.diff import diff
from core.definition import Loaded, load
from core.definition.held import held
from core.errors import Refused
from core.plugins import Plugins
from core.settings import Settings

MOST_NAMED = 20                 # changes of live that a refusal lists
_refused = Table("refused_bundle", MetaData(schema="bm"), Column("digest", Text), Column("name", Text),
                 Column("author", Text), Column("reason", Text))


@dataclass(frozen=True, slots=True)
class Packaged:
    """A bundle that was written: what it says, how many files it has, and the files that it leaves out."""

    head: Head
    files: int
    left_out: tuple[str, ...]


def package(settings: Settings, plugins: Plugins, path: Path, message: str = "", author: str = "") -> Packaged:
    """Write the site's layer into a bundle. Raises DefinitionError for a set with problems, OSError."""
    loaded = load(settings.addon_folders, settings.metadata, plugins)
    model = loaded.must()
    loaded, _ = service.locked(loaded)
    files, left_out = bundle.carried(loaded.layers[-1].files)
    head = Head(
        system=model.system.name, base=_digest(folder.read_base(settings.metadata)),
        target=live.contents(loaded, plugins).hash, addons=addons_of(loaded, plugins),
        environment=[name for name, setting in model.settings.items() if setting.environment],
        message=message, author=author, files={})
    bundle.write(path, head, files)
    return Packaged(head, len(files), tuple(left_out))


def plan(settings: Settings, engine: Engine, plugins: Plugins, path: Path, author: str = "",
         merge: bool = False, answers: Answers = NO_ANSWERS) -> Planned:
    """Plan the promotion of a bundle; what is refused is noted. Raises Refused, DefinitionError, OSError.

    With `merge`, changes that live has and the bundle does not know are kept, property by property.
    """
    hashed = ""
    try:
        found, hashed = bundle.read(path)
        return _plan(settings, engine, plugins, found, path.name, merge, answers)
    except Refused as error:
        with engine.begin() as connection:
            connection.execute(insert(_refused).values(
                digest=hashed, name=path.name[:200], author=author, reason=str(error)[:2000]))
        raise


def _plan(settings: Settings, engine: Engine, plugins: Plugins, found: Bundle, shown: str, merge: bool,
          answers: Answers) -> Planned:
    # a name that no path of the machine can be taken for, as messages begin with it
    site = held(found.files, re.sub(r"[^\w.-]", "_", shown) or "bundle")
    loaded = load(settings.addon_folders, site, plugins)
    _check_addons(found.head, addons_of(loaded, plugins), shown)
    with engine.connect() as connection:
        _check_live(connection, plugins, found.head, shown, merge)
    if loaded.model is not None and live.contents(loaded, plugins).hash != found.head.target:
        raise Refused(f"{shown}: what is in it is not the version that it says it makes; make it again with `package`")
    return replace(service.plan_loaded(settings, engine, plugins, loaded, found.head.base, answers), of_folder=False)


def addons_of(loaded: Loaded, plugins: Plugins) -> dict[str, Addon]:
    """The addons below the site's layer, with digests of what they say."""
    found = {}
    for layer in loaded.layers[:-1]:
        said = sorted([one.kind, one.name, one.hash] for one in layer.definitions)
        found[layer.name] = Addon(version=layer.version, definitions=digest(canonical(said)),
                                  code=_digest(plugins.code.get(layer.name)))
    return found


def _digest(text: str | None) -> str | None:
    """A hash if it is one: `.base` is a file that people can write."""
    return text if text is not None and re.fullmatch("[0-9a-f]{64}", text) else None


def _check_addons(head: Head, here: Mapping[str, Addon], shown: str) -> None:
    """Refuse a bundle that was checked with other addons than stand here: nobody knows what it would mean."""
    wrong = []
    for name, wanted in head.addons.items():
        one = here.get(name)
        if one is None:
            wrong.append(f"addon {name} {wanted.version} is not here")
        elif one.version != wanted.version:
            wrong.append(f"addon {name} is {one.version} here, {wanted.version} in the bundle")
        elif one != wanted:
            what = "Python code" if one.definitions == wanted.definitions else "definitions"
            wrong.append(f"addon {name} {one.version} has other {what} here")
    wrong += [f"addon {name} is installed here, and unknown to the bundle" for name in here if name not in head.addons]
    if wrong:
        raise Refused(f"{shown} does not fit the addons of this system: {'; '.join(wrong)}. Install the release that "
                      "it was made with, or make it again with this one")


def _check_live(connection: Connection, plugins: Plugins, head: Head, shown: str, merge: bool) -> None:
    """Refuse a bundle of another system, an older one, and one whose base is not what is live."""
    current, _ = live.current(connection)
    if not current:
        return                                      # the first version of a system
    state = live.state(connection, current, plugins)
    system = state.model.system.name if state.model is not None else ""
    if system != head.system:
        raise Refused(f'{shown} is for the system "{head.system}", this one is "{system}"')
    known = live.find(connection, head.target)
    if known is not None and known != current:
        raise Refused(f"{shown} was live here as version {known} and is not any more; to go back to it: "
                      f"`rollback {known}`")
    base = live.find(connection, head.base) if head.base else None
    if known == current or base == current:
        return
    if base is None:
        raise Refused(f"{shown} was made against a version that was never live here; bring live's with `pull`, then "
                      "`package` again")
    if not merge:
        since = diff(live.state(connection, base, plugins), state)
        listed = "".join(f"\n  {change.sign} {change.describe()}" for change in since[:MOST_NAMED])
        more = f"\n  and {len(since) - MOST_NAMED} more" if len(since) > MOST_NAMED else ""
        raise Refused(f"{shown} was made against version {base}, and live has moved on to version {current}:{listed}"
                      f"{more}\nBring that into the folder with `pull` and `package` again; or keep both with --merge, "
                      "and say why with --message")


def refused(connection: Connection) -> list[tuple[str, str, str]]:
    """The bundles that were refused: name, author, reason."""
    rows = connection.execute(select(_refused.c.name, _refused.c.author, _refused.c.reason))
    return [(row.name, row.author, row.reason) for row in rows]
