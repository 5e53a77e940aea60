"""Bundles: what is written is read back the same, and what is no bundle is refused before it is looked into."""

from __future__ import annotations

import io
import json
import os
import stat
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from core.bm import bundle, bundling, service
from core.bm.versions.canonical import digest
from core.errors import DefinitionError, Refused
from core.plugins import Plugins
from tests.core.bm.conftest import Live
from tests.core.bm.sites import Site

REGION = "# regions are ours\nchange: table deal\nfields:\n  region: {type: text}\n"
HASH = "0" * 64
FILES = {"system.yaml": b"system: main\n", "tables/deal.yaml": b"change: table deal\n"}


def head(files: Mapping[str, bytes] = FILES) -> dict[str, object]:
    return {"tessera": "bundle", "format": 1, "system": "main", "base": None, "target": HASH, "addons": {},
            "environment": [], "message": "", "author": "", "made_on": "",
            "files": {name: digest(data) for name, data in files.items()}}


def zipped(members: list[tuple[str | zipfile.ZipInfo, bytes]]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return out.getvalue()


def packed(files: Mapping[str, bytes] = FILES, more: Mapping[str, bytes] | None = None) -> bytes:
    """A bundle as somebody else might make it, with what is in it besides what its head says."""
    return zipped([("tessera.json", json.dumps(head(files)).encode()),
                   *((f"site/{name}", data) for name, data in {**files, **(more or {})}.items())])


def refusal(data: bytes) -> str:
    with pytest.raises(Refused) as told:
        bundle.parse(data, "x.bundle")
    assert str(told.value).startswith("x.bundle: ")
    return str(told.value)


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    said = bundle.Head(system="main", target=HASH, addons={}, files={}, made_on="2026-01-01", message="Regions")
    bundle.write(tmp_path / "a", said, FILES)
    bundle.write(tmp_path / "b", said, dict(reversed(FILES.items())))
    found, hashed = bundle.read(tmp_path / "a")
    assert found.files == FILES and found.head.message == "Regions"
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes() and hashed == digest((tmp_path / "a").read_bytes())


def test_only_definitions_are_carried() -> None:
    files = {"system.yaml": b"", "customisation.lock": b"", "templates/a.html": b"", "forms/a.xml": b"", "de.po": b"",
             "README.md": b"", "run.py": b"", "a b.yaml": b"", "logo.png": b""}
    kept, left_out = bundle.carried(files)
    assert sorted(kept) == ["customisation.lock", "de.po", "forms/a.xml", "system.yaml", "templates/a.html"]
    assert left_out == ["README.md", "a b.yaml", "logo.png", "run.py"]


def test_row_77_a_changed_byte_is_refused() -> None:
    assert "system.yaml was changed after the bundle was made" in refusal(
        packed(files={**FILES}, more={"system.yaml": b"system: other\n"}))


def test_row_77_a_damaged_file_is_refused() -> None:
    whole = packed()
    for data in (b"", b"PK", whole[:100], whole[:-30], whole[:60] + b"\xff\xff\xff" + whole[63:], b"PK\x03\x04" + b"\0" * 500):
        assert "damaged" in refusal(data) or "no bundle" in refusal(data)


def test_row_77_a_missing_and_an_extra_file_are_refused() -> None:
    missing = zipped([("tessera.json", json.dumps(head()).encode()), ("site/system.yaml", FILES["system.yaml"])])
    assert "tables/deal.yaml is missing" in refusal(missing)
    assert "tables/extra.yaml is none of this bundle" in refusal(packed(more={"tables/extra.yaml": b"table: extra\n"}))


@pytest.mark.parametrize(("said", "told"), [
    ({"format": 2}, "format 2, this release reads format 1; install the newer release"),
    ({"format": "1"}, "format: "), ({"target": "../x"}, "target: "), ({"surprise": 1}, "surprise: "),
    ({"files": {"system.yaml": "short"}}, "files.system.yaml"), ({"tessera": "plan"}, "tessera: "),
])
def test_row_79_what_a_bundle_says_is_of_this_format(said: Mapping[str, object], told: str) -> None:
    data = zipped([("tessera.json", json.dumps({**head(), **said}).encode())])
    assert told in refusal(data)


@pytest.mark.parametrize("name", [
    "../system.yaml", "/etc/system.yaml", "a/../../system.yaml", "a\\b.yaml", ".hidden.yaml", "a//b.yaml", "a/./b.yaml",
    "c:system.yaml", "plugin.py", "a.yaml/", "ä.yaml", "x" * 300 + ".yaml", "nul\0.yaml", ".base", "Makefile",
])
def test_past_case_33_and_row_81_names_that_lead_elsewhere_are_refused(name: str) -> None:
    assert "cannot be in a bundle" in refusal(packed(more={name: b"table: x\n"})) or "no ordinary file" in refusal(
        packed(more={name: b"table: x\n"}))


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_row_81_names_that_differ_by_capitals_only_are_refused() -> None:
    assert "by capitals only" in refusal(packed(more={"System.yaml": b""}))
    assert "it is there twice" in refusal(zipped([("tessera.json", b"{}"), ("site/a.yaml", b""), ("site/a.yaml", b"")]))


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFCHR, stat.S_IFIFO, stat.S_IFDIR, stat.S_IFBLK])
def test_past_case_33_links_and_devices_are_refused(kind: int) -> None:
    info = zipfile.ZipInfo("site/system.yaml")
    info.external_attr = (kind | 0o777) << 16
    assert "no ordinary file" in refusal(zipped([("tessera.json", b"{}"), (info, b"/etc/passwd")]))


def test_past_case_33_too_many_and_too_large_files_are_refused_by_the_directory_alone(
        monkeypatch: pytest.MonkeyPatch) -> None:
    def opened(*_: object) -> None:
        raise AssertionError("looked into")
    many = zipped([("tessera.json", b"{}"), *((f"site/{number}.yaml", b"") for number in range(10_001))])
    bomb = zipped([("tessera.json", b"{}"), *((f"site/{number}.yaml", b"\0" * 900_000) for number in range(30))])
    monkeypatch.setattr(zipfile.ZipFile, "open", opened)
    assert "no more than 10,000 files" in refusal(many)
    assert "larger than 20 MB together" in refusal(bomb) and len(bomb) < 100_000


def test_past_case_33_a_file_that_is_larger_than_it_says_is_refused() -> None:
    assert "larger than" in refusal(packed(files={"a.yaml": b"#" * 1_000_001}))
    lying = bytearray(packed(files={"a.yaml": b"#" * 5000}))
    for place in (lying.find(b"site/a.yaml") - 8, lying.rfind(b"site/a.yaml") - 22):     # its size, in both directories
        lying[place:place + 4] = (10).to_bytes(4, "little")
    told = refusal(bytes(lying))
    assert "larger than it says" in told or "damaged" in told


def test_what_is_no_file_is_no_bundle_and_nobody_waits_for_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to(tmp_path / "pipe")
    for place in (tmp_path / "pipe", tmp_path / "link", tmp_path, Path("/dev/zero")):
        for look in (bundle.is_bundle, bundle.read):
            with pytest.raises(Refused, match="is no ordinary file"):
                look(place)


@pytest.mark.parametrize("change", [
    lambda whole: whole.replace(b"site/", b"sitE/", 1),                 # the local header, not the directory
    lambda whole: whole[:-10], lambda whole: whole + b"\x00" * 70_000, lambda whole: b"PK\x05\x06" + b"\xff" * 18,
    lambda whole: whole + whole, lambda whole: b"PK" + whole, lambda whole: whole[:-2] + b"\x04\x00note",
    lambda whole: whole.replace(b"PK\x01\x02", b"more" + b"PK\x01\x02", 1)])
def test_past_case_33_a_file_that_two_readers_read_differently_is_refused(change: Callable[[bytes], bytes]) -> None:
    whole = packed()
    assert bundle.parse(whole, "x.bundle")
    assert "damaged" in refusal(change(whole))


def test_row_82_an_encrypted_member_is_refused() -> None:
    data = bytearray(packed())
    place = data.rfind(b"PK\x01\x02")
    data[place + 8] |= 1
    assert "encrypted" in refusal(bytes(data))


def test_a_head_that_says_a_thing_twice_is_refused() -> None:
    assert "damaged" in refusal(zipped([("tessera.json", b'{"format": 1, "format": 1}')]))
    assert "cannot be read" in refusal(zipped([("tessera.json", b"[" * 100_000)]))


# Promoted

def packaged(system: Live, folder: Path, name: str = "new.bundle") -> Path:
    path = folder / name
    bundling.package(system.settings, Plugins(), path, "Regions", "ada")
    return path


def planned(system: Live, path: Path, merge: bool = False) -> service.Planned:
    return bundling.plan(system.settings, system.engine, system.plugins, path, merge=merge)


def promoted(system: Live, path: Path, merge: bool = False) -> int:
    return system.promote(planned=planned(system, path, merge))


@pytest.fixture
def elsewhere(system: Live, tmp_path: Path) -> Callable[[str | None], Path]:
    """Where somebody works on a copy of the site, and what makes a bundle of it."""
    count = iter(range(100))

    def make(text: str | None) -> Path:
        copy = Site(tmp_path / f"copy{next(count)}")
        for path in system.site.metadata.iterdir():
            Site.write_in(copy.metadata, path.name, path.read_text())
        if text is not None:
            copy.write("deal.yaml", text)
        made = system.settings.model_copy(update={"metadata": copy.metadata})
        path = copy.folder / "site.bundle"
        bundling.package(made, Plugins(), path)
        return path
    return make


def test_a_bundle_is_promoted_and_a_second_time_changes_nothing(
        system: Live, elsewhere: Callable[[str | None], Path]) -> None:
    path = elsewhere(REGION)
    before = sorted(system.site.metadata.rglob("*"))
    version = promoted(system, path)
    assert system.version == version and system.create("deal", region="north")
    assert sorted(system.site.metadata.rglob("*")) == before, "nothing of a bundle is written to the folder"
    assert planned(system, path).plan.empty and promoted(system, path) == version


def test_promoting_a_bundle_makes_the_same_version_as_the_folder(
        system: Live, elsewhere: Callable[[str | None], Path]) -> None:
    target = planned(system, elsewhere(REGION)).plan.target
    system.site.write("deal.yaml", REGION)
    assert system.plan().plan.target == target


def test_row_78_an_older_bundle_is_refused_and_noted(system: Live, elsewhere: Callable[[str | None], Path]) -> None:
    first, second = elsewhere(REGION), elsewhere(REGION.replace("region", "area"))
    promoted(system, first)
    promoted(system, second, merge=True)
    with pytest.raises(Refused, match=r"was live here as version 2 and is not any more; to go back to it: `rollback 2`"):
        planned(system, first)
    with system.engine.connect() as connection:
        (name, _, reason), = bundling.refused(connection)
    assert name == "site.bundle" and "rollback 2" in reason


def test_row_80_a_bundle_of_another_base_is_refused_with_what_live_changed_since(
        system: Live, elsewhere: Callable[[str | None], Path]) -> None:
    path = elsewhere("change: table deal\nfields:\n  area: {type: text}\n")
    system.site.write("company.yaml", "change: table company\nfields:\n  region: {type: text}\n")
    version = system.promote()
    with pytest.raises(Refused, match=r"made against version 1, and live has moved on to version 2:\n  \+ field company.region"):
        planned(system, path)
    assert system.version == version
    promoted(system, path, merge=True)
    assert system.create("deal", area="north") and system.create("company", region="south")


def test_row_80_a_bundle_of_a_version_that_live_never_had_is_refused(system: Live, tmp_path: Path) -> None:
    (system.site.metadata / ".base").write_text("f" * 64)
    system.site.write("deal.yaml", REGION)
    with pytest.raises(Refused, match="a version that was never live here; bring live's with `pull`"):
        planned(system, packaged(system, tmp_path))


def test_row_80_a_bundle_of_another_system_is_refused(system: Live, elsewhere: Callable[[str | None], Path]) -> None:
    path = elsewhere(REGION)
    found, _ = bundle.read(path)
    bundle.write(path, found.head.model_copy(update={"system": "other"}), found.files)
    with pytest.raises(Refused, match='is for the system "other", this one is "main"'):
        planned(system, path)


@pytest.mark.parametrize(("file", "text", "told"), [
    ("addon.yaml", "addon: shop\nversion: 2.0.0\n", "addon shop is 2.0.0 here, 1.0.0 in the bundle"),
    ("party.yaml", "table: ticket\ntitle: Case\nplural: Cases\nfields:\n  title: {type: text}\n",
     "addon shop 1.0.0 has other definitions here"),
])
def test_row_79_a_bundle_made_with_other_addons_is_refused(
        system: Live, elsewhere: Callable[[str | None], Path], file: str, text: str, told: str) -> None:
    path = elsewhere(REGION)
    system.site.addon(file, text)
    with pytest.raises(Refused, match=told):
        planned(system, path)


def test_row_79_a_bundle_of_an_addon_that_is_not_here_is_refused(
        system: Live, elsewhere: Callable[[str | None], Path]) -> None:
    path = elsewhere(REGION)
    found, _ = bundle.read(path)
    more = {**found.head.addons, "sales": bundle.Addon(version="3.1.0", definitions=HASH)}
    bundle.write(path, found.head.model_copy(update={"addons": more}), found.files)
    with pytest.raises(Refused, match=r"addon sales 3.1.0 is not here. Install the release"):
        planned(system, path)


def test_what_is_wrong_in_a_bundle_is_told_with_its_place(
        system: Live, elsewhere: Callable[[str | None], Path]) -> None:
    path = elsewhere(REGION)
    found, _ = bundle.read(path)
    bundle.write(path, found.head, {**found.files, "deal.yaml": b"change: table deal\nfields:\n  region: {type: txt}\n"})
    with pytest.raises(DefinitionError, match=r'site.bundle/deal.yaml:3:12: .*"txt"'):
        planned(system, path)


def test_a_bundle_that_makes_another_version_than_it_says_is_refused(
        system: Live, elsewhere: Callable[[str | None], Path]) -> None:
    path = elsewhere(REGION)
    found, _ = bundle.read(path)
    bundle.write(path, found.head.model_copy(update={"target": HASH}), found.files)
    with pytest.raises(Refused, match="is not the version that it says it makes"):
        planned(system, path)


def test_a_set_with_problems_makes_no_bundle(system: Live, tmp_path: Path) -> None:
    system.site.write("deal.yaml", REGION.replace("text", "txt"))
    with pytest.raises(DefinitionError, match="txt"):
        packaged(system, tmp_path)
    assert not (tmp_path / "new.bundle").exists()
