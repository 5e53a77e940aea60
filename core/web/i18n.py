"""What the pages themselves say, in the viewer's language; catalogues are translations/<language>.po."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from babel.messages.pofile import read_po

from core.errors import N_, Words, fill

__all__ = ["LANGUAGES", "N_", "Text", "negotiate", "text_of"]

FOLDER = Path(__file__).parent / "translations"
LANGUAGES = {"en": "English", "zh_CN": "简体中文"}


@dataclass(frozen=True, slots=True)
class Text:
    """gettext for one language: text("Signed in as {name}", name=...); a missing msgid stands for itself.

    Parameters that are Words themselves are translated too.
    """

    language: str
    messages: Mapping[str, str | tuple[str, ...]]

    def __call__(self, msgid: str, **params: object) -> str:
        message = self.messages.get(msgid) or msgid
        text = message if isinstance(message, str) else message[0]
        return fill(text, {name: self._value(value) for name, value in params.items()}) if params else text

    def of(self, words: Words | str) -> str:
        """What core said without knowing to whom; plain text stays as it is."""
        return self(words.message, **words.params) if isinstance(words, Words) else words

    def _value(self, value: object) -> object:
        return self.of(value) if isinstance(value, Words) else value

    def plural(self, singular: str, plural: str, count: int, **params: object) -> str:
        """Choose the form for a count; Chinese has one form, English two."""
        forms = self.messages.get(singular)
        if isinstance(forms, tuple) and all(forms):
            chosen = forms[0] if len(forms) == 1 or count == 1 else forms[1]
        else:
            chosen = singular if count == 1 else plural
        return fill(chosen, {"count": count, **params})


@cache
def text_of(language: str) -> Text:
    """The catalogue of a language; English needs none."""
    path = FOLDER / f"{language}.po"
    if language not in LANGUAGES or not path.exists():
        return Text("en", {})
    with path.open("rb") as file:
        catalogue = read_po(file, locale=language)
    messages: dict[str, str | tuple[str, ...]] = {}
    for message in catalogue:
        if not message.id or message.fuzzy or not message.string:
            continue
        if isinstance(message.id, (tuple, list)):
            forms = message.string
            messages[message.id[0]] = tuple(forms) if isinstance(forms, (tuple, list)) else (forms,)
        else:
            messages[message.id] = str(message.string)
    return Text(language, messages)


def negotiate(accept: str | None, offered: tuple[str, ...]) -> str:
    """Choose a language for someone who is not signed in, from the Accept-Language header."""
    wanted: list[tuple[float, str]] = []
    for part in (accept or "")[:500].split(","):
        tag, _, quality = part.strip().partition(";q=")
        try:
            wanted.append((-float(quality or 1), tag.strip().lower().replace("-", "_")))
        except ValueError:
            continue
    for _, tag in sorted(wanted):
        for language in offered:
            if tag == language.lower() or tag.split("_")[0] == language.split("_")[0].lower():
                return language
    return offered[0] if offered else "en"
