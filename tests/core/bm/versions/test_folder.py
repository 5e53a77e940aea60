"""The site's folder and live: merging what others promoted, pulling, and what is never overwritten."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.bm import service
from core.bm.versions import folder
from core.definition.overrides import LOCK, Entry, read_lock, write_lock
from core.errors import DefinitionError, Refused
from tests.core.bm.conftest import Live
from tests.core.bm.sites import Site

BASE = b"change: table deal\nfields:\n  amount: {required: true, title: Amount}\n"


def merged(base: bytes | None, theirs: bytes | None, ours: bytes | None) -> tuple[bytes | None, list[str]]:
    files = [{} if one is None else {"deal.yaml": one} for one in (base, theirs, ours)]
    made, conflicts = folder.merge(*files)
    return made.get("deal.yaml"), conflicts


def test_what_one_side_changed_is_taken_whole_comments_and_all() -> None:
    changed = BASE + b"  # why\n  note: {type: memo}\n"
    assert merged(BASE, changed, BASE) == (changed, [])
    assert merged(BASE, BASE, changed) == (changed, [])
    assert merged(BASE, None, BASE) == (None, [])
    assert merged(None, changed, None) == (changed, [])


def test_properties_that_both_changed_apart_merge() -> None:
    theirs = BASE.replace(b"title: Amount", b"title: Sum")
    ours = BASE + b"  note: {type: memo}\n"
    made, conflicts = merged(BASE, theirs, ours)
    assert not conflicts
    assert made == (b"change: table deal\nfields:\n  amount:\n    required: true\n    title: Sum\n"
                    b"  note:\n    type: memo\n")


@pytest.mark.parametrize(("theirs", "ours", "told"), [
    (BASE.replace(b"Amount", b"Sum"), BASE.replace(b"Amount", b"Value"),
     "deal.yaml: fields.amount.title: live says 'Sum', this folder says 'Value' (it was 'Amount')"),
    (None, BASE.replace(b"Amount", b"Value"), "deal.yaml: live removed it, this folder changed it"),
    (BASE.replace(b"{required: true, title: Amount}", b"null"), BASE.replace(b"Amount", b"Value"),
     "deal.yaml: fields.amount: live says None"),
    (BASE.replace(b"required: true, ", b""), BASE.replace(b"required: true", b"required: false"),
     "deal.yaml: fields.amount.required: changed on one side and removed on the other"),
])
def test_what_both_changed_is_a_conflict_and_never_guessed(theirs: bytes | None, ours: bytes, told: str) -> None:
    _, conflicts = merged(BASE, theirs, ours)
    assert len(conflicts) == 1 and conflicts[0].startswith(told)


def test_a_file_never_leads_out_of_the_folder(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="leads out of the folder"):
        folder.write_files(tmp_path, {"../outside.yaml": b""}, {})


REGION = "# regions are ours\nchange: table deal\nfields:\n  region: {type: text}\n"
TITLE = "change: table company\ntitle: Firm\n"


def other(system: Live, tmp_path: Path) -> Live:
    """Another implementer's folder over the same live system, in the state it is in now."""
    site = Site.make(tmp_path / "other")
    made = Live(site, system.settings.model_copy(update={"metadata": site.metadata}), system.engine, system.plugins)
    service.pull(made.settings, made.engine, force=True)
    return made


def test_what_someone_else_promoted_is_merged_and_comes_into_the_folder(system: Live, tmp_path: Path) -> None:
    colleague = other(system, tmp_path)
    colleague.site.write("company.yaml", TITLE)
    colleague.promote()
    system.site.write("deal.yaml", REGION)
    planned = system.plan()
    assert [change.name for change in planned.plan.changes] == ["deal.region"]
    system.promote()
    assert (system.site.metadata / "company.yaml").read_text() == TITLE
    assert (system.site.metadata / "deal.yaml").read_text() == REGION
    assert system.plan().plan.empty
    assert colleague.plan().plan.changes == ()


def test_what_both_changed_is_refused_with_the_place(system: Live, tmp_path: Path) -> None:
    colleague = other(system, tmp_path)
    colleague.site.write("company.yaml", TITLE)
    colleague.promote()
    system.site.write("company.yaml", TITLE.replace("Firm", "Business"))
    with pytest.raises(Refused, match="company.yaml: title: live says 'Firm', this folder says 'Business'"):
        system.plan()


def test_after_a_rollback_the_folder_is_planned_straight(system: Live) -> None:
    system.site.write("deal.yaml", REGION)
    system.promote()
    system.rollback()
    assert [change.name for change in system.plan().plan.changes] == ["deal.region"]


def test_pull_brings_the_files_as_they_were_written(system: Live, tmp_path: Path) -> None:
    colleague = other(system, tmp_path)
    system.site.write("deal.yaml", REGION)
    system.promote()
    assert service.pull(colleague.settings, colleague.engine) == ["customisation.lock", "deal.yaml"]
    assert (colleague.site.metadata / "deal.yaml").read_text() == REGION
    assert colleague.plan().plan.empty
    assert service.pull(colleague.settings, colleague.engine) == []


def test_pull_refuses_to_overwrite_what_was_never_promoted(system: Live) -> None:
    system.site.write("deal.yaml", REGION)
    with pytest.raises(Refused, match=r"deal\.yaml; promote them, or throw them away with --force"):
        service.pull(system.settings, system.engine)
    assert (system.site.metadata / "deal.yaml").read_text() == REGION
    assert service.pull(system.settings, system.engine, force=True) == ["deal.yaml"]
    assert not (system.site.metadata / "deal.yaml").exists()


def test_pull_takes_back_what_was_rolled_back(system: Live) -> None:
    system.site.write("deal.yaml", REGION)
    system.promote()
    system.rollback()
    service.pull(system.settings, system.engine)
    assert not (system.site.metadata / "deal.yaml").exists()
    assert system.plan().plan.empty


def test_a_promotion_records_what_overrides_are_written_against(system: Live, tmp_path: Path) -> None:
    system.site.write("company.yaml", TITLE)
    system.plan()
    lock = system.site.metadata / LOCK
    assert not lock.exists()
    system.promote()
    assert "table company.title: {base:" in lock.read_text()
    colleague = other(system, tmp_path)
    assert (colleague.site.metadata / LOCK).read_bytes() == lock.read_bytes()


def test_locks_of_two_people_merge_by_override(system: Live, tmp_path: Path) -> None:
    colleague = other(system, tmp_path)
    colleague.site.write("company.yaml", TITLE)
    colleague.promote()
    system.site.write("deal.yaml", REGION)
    system.promote()
    text = (system.site.metadata / LOCK).read_text()
    assert "table company.title" in text
    assert "table deal.fields.region" in text
    assert service.pull(colleague.settings, colleague.engine) == ["customisation.lock", "deal.yaml"]
    assert (colleague.site.metadata / LOCK).read_text() == text


def test_a_promotion_is_refused_while_an_override_waits_for_a_review(system: Live) -> None:
    system.site.write("company.yaml", TITLE)
    system.promote()
    lock = system.site.metadata / LOCK
    lock.write_text(lock.read_text().replace("{base: ", "{base: Was "))
    with pytest.raises(DefinitionError, match="changed what this overrides: it was "):
        system.plan()


def test_of_two_locks_what_this_folder_reviewed_counts() -> None:
    base, theirs, ours = (write_lock({"a": Entry(1, "x 1"), "b": Entry(b, "x 1"), **more}) for b, more in (
        (1, {"c": Entry(1, "x 1")}), (2, {}), (3, {"c": Entry(1, "x 1"), "d": Entry(None, "x 2")})))
    files, conflicts = folder.merge({LOCK: base}, {LOCK: theirs}, {LOCK: ours})
    assert conflicts == []
    assert read_lock(files[LOCK], LOCK)[0] == {"a": Entry(1, "x 1"), "b": Entry(3, "x 1"), "d": Entry(None, "x 2")}
