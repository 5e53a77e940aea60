"""The checks as a test class, so that three lines give an addon all of them."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from core.conformance.checks import CHECKS
from core.conformance.subject import Subject
from core.settings import ROOT


class AddonConformance:
    """Subclass it as `class TestLibrary(AddonConformance)` with `addon = Path(...)`, its folder; pytest does the rest.

    `languages` are those in which every text has to have words, the addon's own first. `needs` are more folders with
    addons that it builds on, besides those shipped with Tessera. `previous` is the folder of its earlier release.
    """

    addon: ClassVar[Path]
    languages: ClassVar[tuple[str, ...]] = ("en",)
    needs: ClassVar[tuple[Path, ...]] = ()
    previous: ClassVar[Path | None] = None
    _subject: ClassVar[Subject | None] = None

    @classmethod
    def setup_class(cls) -> None:
        """One scratch system for all checks of a class, made by the first that wants it."""
        folder = cls.addon.resolve()
        folders = (ROOT / "addons", *cls.needs)
        known = any((one / folder.name).resolve() == folder for one in folders)
        cls._subject = Subject(folders if known else (*folders, folder), None, folder.name, cls.languages, cls.previous)

    @classmethod
    def teardown_class(cls) -> None:
        """Take the scratch system away."""
        if cls._subject is not None:
            cls._subject.__exit__(None, None, None)

    def _holds(self, name: str) -> None:
        check = next(one for one in CHECKS if one.name == name)
        subject = self._subject
        if subject is None:
            raise RuntimeError("setup_class was not called")
        wrong = check.run(subject)
        if wrong:
            raise AssertionError("\n".join([f"expected that {check.says}:", *wrong]))

    def test_definitions(self) -> None:
        """The definitions have no problem."""
        self._holds("definitions")

    def test_places(self) -> None:
        """Each definition stands in the file that has its name."""
        self._holds("places")

    def test_references(self) -> None:
        """Whatever is named is there."""
        self._holds("references")

    def test_translations(self) -> None:
        """Every text has its words in every language."""
        self._holds("translations")

    def test_demo(self) -> None:
        """The demo records load."""
        self._holds("demo")

    def test_pages(self) -> None:
        """Lists and forms render for each role and language."""
        self._holds("pages")

    def test_upgrade(self) -> None:
        """A system on the earlier release can be brought up to this one."""
        self._holds("upgrade")
