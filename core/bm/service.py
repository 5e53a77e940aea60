"""Promotion as commands and the administrator's page use it: plan, promote, roll back, pull, list versions."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from sqlalchemy import Connection, Engine, select

from core.bm import settling
from core.bm.changes import fill_returned, migrations, seed_outlook, tightening
from core.bm.changes.rename_questions import answered
from core.bm.changes.required import EMPTY
from core.bm.changes.seeds import Seeding
from core.bm.drift import findings as drift
from core.bm.engine import processes
from core.bm.engine.run import Order, Say, Stop, never, silent
from core.bm.engine.steps import Plan
from core.bm.inputs import facts as fact_module
from core.bm.inputs.facts import Facts
from core.bm.inputs.questions import NO_ANSWERS, Answers
from core.bm.inputs.removed import explained
from core.bm.inputs.stored import of_live
from core.bm.inputs.way import Way
from core.bm.planning import probes, validation
from core.bm.planning.plan import plan as make_plan
from core.bm.planning.seen import Shown, everything
from core.bm.settling import Wanted, always, nothing
from core.bm.versions import folder, live, tables
from core.bm.versions.canonical import canonical, digest
from core.bm.versions.diff import diff
from core.bm.versions.identities import assign
from core.bm.versions.live import Contents, Version
from core.bm.versions.state import State, state_of
from core.database import engine as engines
from core.database import steps
from core.database.jobs import enqueue
from core.definition import Loaded, load, references
from core.definition.held import held
from core.definition.overrides import LOCK
from core.errors import DefinitionError, Problem, Refused
from core.plugins import Plugins
from core.settings import Settings


@dataclass(frozen=True)
class Planned:
    """A plan with what applying it needs."""

    plan: Plan
    base: State
    target: State
    what: Contents | None = None                     # None: a way back to a stored version
    merged: Mapping[str, bytes] | None = None        # the site's files, when live's changes were merged into them
    lock: Mapping[str, bytes] = field(default_factory=dict)     # what the site's changes are written against
    of_folder: bool = True                           # False: of a bundle, so that the site's folder stays as it is


@contextmanager
def owner(settings: Settings) -> Iterator[Engine]:
    """Connections as the owner of the database, for the time of a command. Raises Refused when it is not ready."""
    pool = engines.open(settings, "owner")
    try:
        with pool.connect() as connection:
            missing = steps.missing(connection)
        if missing:
            fresh = len(missing) == len(steps.available())
            raise Refused("the database is empty; run `server.py init`" if fresh
                          else "the database is older than this release; run `server.py upgrade`")
        yield pool
    finally:
        pool.dispose()


def describe_versions(connection: Connection, limit: int = 50) -> list[Version]:
    """The versions that were live, newest first."""
    return live.versions(connection, limit)


def load_plugins(settings: Settings) -> Plugins:
    """The Python code of all addons at hand."""
    return Plugins.load(settings.addon_folders)


def plan_folder(settings: Settings, engine: Engine, plugins: Plugins | None = None,
                answers: Answers = NO_ANSWERS, shown: Shown = everything) -> Planned:
    """Plan the way from live to the definitions on disk, with answers to what such plans ask.

    `shown` says which of the records that stand against it are named (core/bm/planning/seen.py).

    Raises DefinitionError, Refused (merge conflicts).
    """
    plugins = plugins or load_plugins(settings)
    return plan_loaded(settings, engine, plugins, load(settings.addon_folders, settings.metadata, plugins),
                       folder.read_base(settings.metadata), answers, shown)


def plan_loaded(settings: Settings, engine: Engine, plugins: Plugins, loaded: Loaded, hashed: str | None,
                answers: Answers = NO_ANSWERS, shown: Shown = everything) -> Planned:
    """The same for definitions that were read; `hashed` is the version that their site's layer last equalled."""
    with engine.connect() as connection:
        current, _ = live.current(connection)
        base = live.state(connection, current, plugins)
        if loaded.problems and base.model is not None:
            raise DefinitionError(explained(loaded, base.model, plugins))
        loaded.must()
        merged = _merged_files(connection, current, loaded, hashed)
        if merged is not None:
            loaded = _load_merged(settings, plugins, merged, loaded)
        loaded, lock = locked(loaded)
        what = live.contents(loaded, plugins)
        facts = fact_module.gather(connection, settings.parked_days)
        planned = _plan(connection, facts, base, loaded, what, plugins, answers, shown)
        return replace(planned, merged=merged, lock=lock)


def locked(loaded: Loaded) -> tuple[Loaded, dict[str, bytes]]:
    """The set with its lock as it shall be once this is live: no override waits for a review, so all are recorded."""
    if not loaded.overrides.all and LOCK not in site_files(loaded):
        return loaded, {}
    lock = {LOCK: loaded.overrides.next_lock()}
    layers = tuple(replace(layer, files={**layer.files, **lock}) if layer is loaded.layers[-1] else layer
                   for layer in loaded.layers)
    return replace(loaded, layers=layers), lock


def _plan(connection: Connection, facts: Facts, base: State, loaded: Loaded, what: Contents, plugins: Plugins,
          answers: Answers, shown: Shown) -> Planned:
    known = live.find(connection, what.hash)
    target = state_of(loaded.must(), what.hash, live.identities(connection, known) if known else None, known,
                      live.storages(connection, known) if known else None)
    wanted = answered(base, target, answers)
    target = assign(base, wanted, facts.parked, facts.first_new, answers)
    facts = replace(facts, expressions=of_live(connection, base, plugins))
    facts = _looked(connection, facts, base, target, known is not None, answers, plugins, shown)
    filled = migrations.refilled(base, target, answers, lambda path: bool(facts.finding(EMPTY, path))) \
        | fill_returned.renamed(base, target, facts, answers)
    if filled and known is None:
        target = assign(base, wanted, facts.parked, facts.first_new, answers, filled)
    way = Way(base, target, diff(base, target), facts, known is not None, answers)
    facts = replace(facts, invalid=validation.look(connection, way, loaded.references))
    # A version that was live before is a way back, however it is asked for: what it forbids was allowed since.
    return Planned(make_plan(base, target, facts, known is not None, answers), base, target, what)


def _looked(connection: Connection, facts: Facts, base: State, target: State, back: bool, answers: Answers,
            plugins: Plugins, shown: Shown) -> Facts:
    """The facts with what the records themselves say of the change."""
    facts = replace(facts, drifted=drift.stopping(connection, base, facts))
    if facts.drifted:
        return facts                # it is refused whatever else there is, and what is looked at may not be there
    facts = replace(facts, values=fact_module.count_values(connection, facts, base, target))
    way = Way(base, target, diff(base, target), facts, back, answers)
    return replace(facts, returned=fill_returned.look(connection, target, facts),
                   findings=shown({**tightening.look(connection, base, target, facts),
                                   **probes.look(connection, way)}),
                   seeds=seed_outlook.look(connection, base, target, plugins))


def _merged_files(connection: Connection, current: int, loaded: Loaded,
                  hashed: str | None) -> dict[str, bytes] | None:
    """The site's files with live's own changes merged in; None when live did not move on. Raises Refused."""
    base = live.find(connection, hashed) if hashed else None
    if base is None or not current or current in live.ancestors(connection, base):
        return None
    merged, conflicts = folder.merge(live.files(connection, base), live.files(connection, current),
                                     site_files(loaded))
    if conflicts:
        raise Refused("Someone else promoted meanwhile, and both changed the same: {conflicts} Make these equal to "
                      "live's, or take live's with `pull --force`.",
                      conflicts="\n" + "".join(f"  {line}\n" for line in conflicts))
    return merged


def site_files(loaded: Loaded) -> dict[str, bytes]:
    """The source files of the site's layer."""
    return {path: data for layer in loaded.layers for path, data in layer.files.items()}


def _load_merged(settings: Settings, plugins: Plugins, files: Mapping[str, bytes], before: Loaded) -> Loaded:
    """Check the merged files as if they stood where the site's layer was read."""
    loaded = load(settings.addon_folders, held(files, str(before.layers[-1].path)), plugins)
    if loaded.problems:
        raise DefinitionError(
            Problem(one.file, one.line, one.column, f"{one.message} (after merging what someone else promoted)")
            for one in loaded.problems)
    return loaded


def folder_files(site: Path) -> dict[str, bytes]:
    """Every file of a folder that is no hidden one."""
    return {str(path.relative_to(site)): path.read_bytes() for path in sorted(site.rglob("*"))
            if path.is_file() and not any(part.startswith(".") for part in path.relative_to(site).parts)}


def promote_folder(settings: Settings, engine: Engine, planned: Planned | None = None, message: str = "",
                   author: str = "", account: int | None = None, plugins: Plugins | None = None,
                   say: Say = silent, stop: Stop = never) -> int:
    """Make the definitions on disk live; gives the version. Raises DefinitionError, Refused; Cancelled, Left.

    A promotion that broke off is settled first.
    """
    plugins = plugins or load_plugins(settings)
    wanted = of_folder(settings, plugins) if planned is None else lambda target: target == planned.target.hash
    finish_earlier(engine, plugins, author, say, wanted=wanted, stop=stop)
    planned = planned or plan_folder(settings, engine, plugins)
    version = settling.apply(engine, _order(settings, planned, plugins, message, author, account), say, stop)
    if not planned.of_folder:
        return version
    if planned.merged is not None:
        folder.write_files(settings.metadata, planned.merged, planned.merged)
    folder.put_lock(settings.metadata, planned.lock)
    folder.write_base(settings.metadata, planned.target.hash)
    return version


def begin_promotion(settings: Settings, engine: Engine, planned: Planned, message: str = "", author: str = "",
                    account: int | None = None, plugins: Plugins | None = None) -> int | None:
    """Write a promotion, or a way back, down for the `work` process to run; gives its number, None for no changes.

    Raises Refused as promoting does, and where no work process is alive.
    """
    plugins = plugins or load_plugins(settings)
    with engine.connect() as connection:
        if not planned.plan.empty and not processes.work_is_alive(connection):
            raise Refused("no work process is running that could do it; start `server.py work`, or promote from the "
                          "command line")
    return settling.begin(engine, _order(settings, planned, plugins, message, author, account), _enqueue)


def _enqueue(connection: Connection, promotion: int) -> None:
    enqueue(connection, "run_promotion", promotion=promotion)


def finish_earlier(engine: Engine, plugins: Plugins, author: str = "", say: Say = silent, *, wanted: Wanted = always,
                   stop: Stop = never, patient: bool = True) -> bool:
    """Finish or take back a promotion that broke off (settling.settle); True if there was any. Raises Refused."""
    number = settling.settle(engine, Seeding(plugins), plugins, author, say, wanted=wanted, stop=stop, patient=patient)
    if number is not None:
        _follow_in_folder(engine, number)
    return number is not None


def last_error(engine: Engine) -> str:
    """What the last promotion could not do after its version was live; "" if nothing."""
    with engine.connect() as connection:
        return str(connection.scalar(select(tables.promotion.c.error).where(tables.promotion.c.state == "done")
                                     .order_by(tables.promotion.c.id.desc()).limit(1)) or "")


def of_folder(settings: Settings, plugins: Plugins) -> Wanted:
    """Says whether a version is the one that the site's folder makes."""
    def wanted(target: str) -> bool:
        loaded = load(settings.addon_folders, settings.metadata, plugins)
        return not loaded.problems and live.contents(locked(loaded)[0], plugins).hash == target
    return wanted


def _place(settings: Settings, planned: Planned) -> dict[str, str] | None:
    """Where the folder stands that is to say which version it equals, and what is in it now."""
    if not planned.of_folder or planned.what is None:
        return None
    return {"host": socket.gethostname(), "path": str(settings.metadata), "files": _digest(settings.metadata)}


def _digest(site: Path) -> str:
    return digest(canonical({name: digest(data) for name, data in folder_files(site).items()}))


def _follow_in_folder(engine: Engine, promotion: int) -> None:
    """Tell the folder from which a promotion came that it is live, if it is here and nobody changed it since."""
    with engine.connect() as connection:
        row = connection.execute(select(*tables.promotion.c["folder", "target", "state"])
                                 .where(tables.promotion.c.id == promotion)).one()
        place = row.folder
        if row.state != "done" or place is None or place["host"] != socket.gethostname():
            return
        site = Path(place["path"])
        if not site.is_dir() or _digest(site) != place["files"]:
            return
        files = live.files(connection, row.target)
        hashed = connection.scalar(select(tables.version.c.hash).where(tables.version.c.id == row.target))
    folder.write_files(site, files, folder_files(site))
    folder.write_base(site, str(hashed))


def plan_rollback(settings: Settings, engine: Engine, version: int | None = None,
                  plugins: Plugins | None = None, answers: Answers = NO_ANSWERS,
                  shown: Shown = everything) -> Planned:
    """Plan the way back to an earlier version: the given one, or the one before. Raises Refused."""
    plugins = plugins or load_plugins(settings)
    with engine.connect() as connection:
        current, _ = live.current(connection)
        wanted = version or live.previous(connection)
        if wanted is None:
            raise Refused("there is no version before this one")
        if wanted not in {one.id for one in live.versions(connection, limit=10_000)}:
            raise Refused("version {version} was never live; see `versions`", version=wanted)
        base, target = (live.state(connection, one, plugins) for one in (current, wanted))
        facts = fact_module.gather(connection, settings.parked_days)
        target = assign(base, target, facts.parked, facts.first_new)
        facts = _looked(connection, facts, base, target, True, answers, plugins, shown)
        if target.model is not None:
            way = Way(base, target, diff(base, target), facts, True, answers)
            facts = replace(facts, invalid=validation.look(connection, way, references(target.model, plugins)))
    return Planned(make_plan(base, target, facts, True, answers), base, target)


def rollback_to(settings: Settings, engine: Engine, version: int | None = None, planned: Planned | None = None,
                author: str = "", account: int | None = None, plugins: Plugins | None = None,
                say: Say = silent, stop: Stop = never) -> int:
    """Make an earlier version live again; the site's folder keeps its files. Gives the version. Raises Refused.

    A promotion that broke off before its version was live is taken back first, one that broke off later is finished.
    """
    plugins = plugins or load_plugins(settings)
    finish_earlier(engine, plugins, author, say, wanted=nothing, stop=stop)
    planned = planned or plan_rollback(settings, engine, version, plugins)
    return settling.apply(engine, _order(settings, planned, plugins, "", author, account), say, stop)


def _order(settings: Settings, planned: Planned, plugins: Plugins, message: str, author: str,
           account: int | None) -> Order:
    return Order(planned.plan, planned.base, planned.target, planned.what, Seeding(plugins), message, author, account,
                 _place(settings, planned), "promote" if planned.what is not None else "roll_back")


def pull(settings: Settings, engine: Engine, force: bool = False) -> list[str]:
    """Bring live's site layer into the folder; gives the files that changed.

    Raises Refused when the folder holds changes that were never promoted, unless `force` throws them away.
    """
    site = settings.metadata
    with engine.connect() as connection:
        current, _ = live.current(connection)
        if not current:
            raise Refused("nothing was promoted yet")
        theirs = live.files(connection, current)
        hashed = folder.read_base(site)
        base = live.find(connection, hashed) if hashed else None
        known = live.files(connection, base) if base else {}
        target = next(one.hash for one in live.versions(connection, 10_000) if one.live)
    ours = _local(site, {*theirs, *known})
    locks, _ = folder.merge(*({LOCK: files[LOCK]} if LOCK in files else {} for files in (known, theirs, ours)))
    theirs, ours = {**theirs, **locks}, {name: data for name, data in ours.items() if name != LOCK}
    changed = sorted(name for name, data in ours.items() if data not in (known.get(name), theirs.get(name)))
    changed += sorted(name for name in known if name not in ours and name in theirs and name != LOCK)
    if changed and not force:
        raise Refused("these files hold changes that were never promoted: {files}; promote them, or throw them away "
                      "with --force", files=", ".join(changed))
    written = folder.write_files(site, theirs, ours)
    folder.write_base(site, target)
    return written


def _local(site: Path, known: set[str]) -> dict[str, bytes]:
    """The folder's files that could be definitions: what a version knows, and files of the same kinds."""
    endings = (".yaml", ".xml", ".po")
    return {name: data for name, data in folder_files(site).items() if name in known or name.endswith(endings)}
