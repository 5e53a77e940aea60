"""Where a text holds what somebody looked for: pieces of it, each marked or not, around the first place."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from core.ed.words import FEWEST_DIGITS, fold, is_chinese, is_short, numbers_of, runs

Piece = tuple[str, bool]                    # a part of the text, and whether it was looked for
BEFORE = 40
LONGEST = 160


def pieces(text: str, wanted: str, longest: int = LONGEST) -> tuple[Piece, ...]:
    """A text with the places marked that the wanted words found; of a long one only the part around the first."""
    text = " ".join(text.split())
    marks = list(_joined(sorted(_marks(text, wanted))))
    if len(text) > longest:
        text, marks = _cut(text, marks, longest)
    found: list[Piece] = []
    at = 0
    for start, end in marks:
        if start > at:
            found.append((text[at:start], False))
        found.append((text[start:end], True))
        at = end
    return (*found, (text[at:], False)) if at < len(text) else tuple(found)


def is_marked(found: Sequence[Piece]) -> bool:
    """Whether anything of it was looked for."""
    return any(marked for _, marked in found)


def _marks(text: str, wanted: str) -> Iterator[tuple[int, int]]:
    """The places of the text as a whole, of its words, and of its digits."""
    folded, places = _folded(text)
    plain = "".join(fold(character) for character in wanted.strip())
    if plain and not is_short(wanted):      # fewer letters are looked for where words begin
        yield from _places(folded, plain, places)
    for word in runs(wanted):
        for start, end in _places(folded, word, places):
            if is_chinese(word) or _begins_word(text, start):
                yield start, end
    if any(character.isdigit() for character in wanted) and len(plain) >= FEWEST_DIGITS:
        kept = [(character, at) for at, character in enumerate(text) if character.isalnum()]
        joined = "".join(fold(character)[:1] or " " for character, _ in kept)
        codes = ["".join(filter(str.isalnum, plain)), *numbers_of(wanted)]
        for code in filter(None, codes):
            yield from _places(joined, code, [at for _, at in kept])


def _folded(text: str) -> tuple[str, list[int]]:
    """The text as it is compared, and where each of its characters stands in the text."""
    characters: list[str] = []
    places: list[int] = []
    for at, character in enumerate(text):
        for one in fold(character):
            characters.append(one)
            places.append(at)
    return "".join(characters), places


def _places(folded: str, wanted: str, places: Sequence[int]) -> Iterator[tuple[int, int]]:
    at = folded.find(wanted)
    while at >= 0:
        yield places[at], places[at + len(wanted) - 1] + 1
        at = folded.find(wanted, at + 1)


def _begins_word(text: str, at: int) -> bool:
    return at == 0 or not text[at - 1].isalnum() or is_chinese(text[at - 1])


def _joined(marks: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Marks that touch or overlap are one."""
    current: tuple[int, int] | None = None
    for start, end in marks:
        if current is not None and start <= current[1]:
            current = (current[0], max(current[1], end))
            continue
        if current is not None:
            yield current
        current = (start, end)
    if current is not None:
        yield current


def _cut(text: str, marks: Sequence[tuple[int, int]], longest: int) -> tuple[str, list[tuple[int, int]]]:
    """The part around the first mark, with what is left out as dots."""
    first = marks[0][0] if marks else 0
    start = max(0, first - BEFORE)
    if start:                               # not in the middle of a word
        space = text.find(" ", start, first)
        start = space + 1 if space >= 0 else start
    end = min(len(text), start + longest)
    head = "…" if start else ""
    moved = [(max(a, start) - start + len(head), min(b, end) - start + len(head)) for a, b in marks
             if a < end and b > start]
    return head + text[start:end] + ("…" if end < len(text) else ""), moved
