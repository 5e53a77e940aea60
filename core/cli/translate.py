"""`translate`: what the definitions say in which language, and catalogues brought up to date; needs no database."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import click

from core.cli import Invocation
from core.definition import Sources
from core.definition.building import Building
from core.definition.catalogue import Unit, missing, units, written_in
from core.definition.kinds.system import is_language
from core.definition.kinds.translation import TranslationKind
from core.definition.layers import SITE
from core.definition.model import Model
from core.definition.po import follow, outdated
from core.definition.replacing import replace_files
from core.definition.texts import translations
from core.definition.values import Layer, Merged
from core.errors import Refused
from core.plugins import Plugins


class FollowingTranslations(TranslationKind):
    """Catalogues that may translate what is not there any more: `translate` is what cleans them up."""

    def check(self, merged: Merged, value: Any, building: Building) -> None:
        """Let everything pass."""


class Following(Plugins):
    """Plugins under which a catalogue may be behind the definitions."""

    @cached_property
    def kinds(self) -> Mapping[str, Any]:
        """All kinds, with catalogues that are not checked."""
        return {**super().kinds, "translation": FollowingTranslations()}


@click.command("translate")
@click.argument("language", required=False)
@click.argument("layers", nargs=-1)
@click.pass_context
def command(context: click.Context, language: str | None, layers: tuple[str, ...]) -> None:
    """Report which texts have no translation; with LANGUAGE, bring catalogues up to date.

    `translate zh_CN` writes the site's translations/zh_CN.po: the site's own texts, and those of addons that come
    without that language. `translate zh_CN party opportunity` writes the catalogues of these addons, `translate zh_CN
    all` every one. Translators fill in what is empty, and what is marked as fuzzy was translated from other words.
    """
    invocation: Invocation = context.obj
    settings = invocation.settings
    plugins = Following.load(settings.addon_folders)
    loaded = Sources(settings.addon_folders, settings.metadata, plugins).load()
    model, places = loaded.must(), {layer.name: layer for layer in loaded.layers}
    found = units(model, plugins.kinds)
    own = written_in(model, loaded.layers)
    if language is None:
        context.exit(report(model, found, own, places))
    if not is_language(language):
        raise Refused(f'"{language}" is no language: write one such as zh_CN or de')
    for name in wanted_layers(layers, places):
        elsewhere = {unit.path for unit in found if unit.layer != name}
        write(places[name], language, texts_for(model, found, own, name, language, alone=not layers), elsewhere)
    if language not in model.system.languages:
        click.echo(f'People can choose {language} once system.yaml names it: languages: '
                   f'[{", ".join((*model.system.languages, language))}]')


def report(model: Model, found: tuple[Unit, ...], own: dict[str, str], places: dict[str, Layer]) -> int:
    """Print for each language and layer how much is translated, and what is not; 1 if something is missing."""
    texts, gaps = Counter(unit.layer for unit in found), missing(model, found, own)
    rank = {name: number for number, name in enumerate(places)}
    for language in model.system.languages:
        for name, layer in places.items():
            lacking = [gap.unit for gap in gaps if gap.language == language and gap.unit.layer == name]
            if own[name] != language and texts[name]:
                click.echo(f"{language}  {name}: {texts[name] - len(lacking)} of {texts[name]} texts")
            for unit in lacking:
                click.echo(f"  {unit.mark}: {unit.path}: {unit.short}")
            up_to = [unit for unit in found if rank[unit.layer] <= rank[name]]      # not what a higher layer says
            for unit in outdated(catalogue_file(layer, language), up_to):
                click.echo(f"  {unit.mark}: {unit.path}: was translated from other words than "
                           f'"{unit.text}"; look at it, and run translate {language} {name}')
    if gaps:
        click.echo("Write them with `translate LANGUAGE`, fill in the empty entries, and check.", err=True)
    return 1 if gaps else 0


def texts_for(model: Model, found: tuple[Unit, ...], own: dict[str, str], layer: str, language: str,
              alone: bool) -> list[Unit]:
    """The texts that a layer's catalogue holds: its own, and for a site alone those that no addon translates."""
    said = model.definitions.get(("translation", language))
    texts = translations(model, language)

    def belongs(unit: Unit) -> bool:
        if unit.layer == layer:
            return own[layer] != language
        if layer != SITE or own[unit.layer] == language:
            return False
        mine = unit.path in texts and said is not None and said.origin[("texts", unit.path)].layer == SITE
        return mine or (alone and unit.path not in texts)
    return [unit for unit in found if belongs(unit)]


def wanted_layers(names: tuple[str, ...], places: dict[str, Layer]) -> list[str]:
    """The layers whose catalogues are written; raises Refused for an unknown one."""
    if not names:
        return [SITE]
    unknown = [name for name in names if name != "all" and name not in places]
    if unknown:
        raise Refused(f'there is no addon "{unknown[0]}" here: there are {", ".join(places)}')
    return list(places) if "all" in names else list(dict.fromkeys(names))


def catalogue_file(layer: Layer, language: str) -> Path:
    """The layer's PO file of a language: the one it has, else where it belongs."""
    there = sorted(layer.path.rglob(f"{language}.po")) if layer.path.is_dir() else []
    return there[0] if there else layer.path / "translations" / f"{language}.po"


def write(layer: Layer, language: str, wanted: list[Unit], elsewhere: set[str]) -> None:
    """Bring one catalogue up to date, and say what is new."""
    path = catalogue_file(layer, language)
    followed = follow(path, language, wanted, elsewhere)
    if not wanted and not path.exists():
        click.echo(f"{layer.name}: nothing to translate")
        return
    replace_files(layer.path, {path: followed.text})
    click.echo(f"{path}: {len(wanted)} texts, {followed.new} new, {followed.changed} changed, {followed.gone} gone, "
               f"{followed.empty} not translated yet")
