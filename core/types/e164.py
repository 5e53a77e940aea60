"""Phone numbers that leave no question: read in a tenth of the time that the library of all numbers takes."""

from __future__ import annotations

import re
from functools import lru_cache

_INTERNATIONAL = re.compile(r"\+[1-9][0-9 ().-]*")
_SIGNS = re.compile("[ ().-]+")


def clear(number: str) -> str | None:
    """The digits ("+4930123456") of a number in international form that can be read in one way only, else None."""
    if not _INTERNATIONAL.fullmatch(number):
        return None
    digits = _SIGNS.sub("", number)
    for width in (1, 2, 3):
        lengths, prefix = _plan(digits[1:1 + width])
        if lengths:
            national = digits[1 + width:]
            asks = len(national) not in lengths or national.startswith("0") or (prefix and prefix.match(national))
            return None if asks else digits
    return None


@lru_cache(maxsize=1000)
def _plan(code: str) -> tuple[frozenset[int], re.Pattern[str] | None]:
    """How long the national numbers of a country code are, and what may stand before them at home; nothing if none."""
    from phonenumbers import PhoneMetadata, region_code_for_country_code

    region = region_code_for_country_code(int(code or 0))
    metadata = PhoneMetadata.metadata_for_region_or_calling_code(int(code or 0), region)
    if metadata is None or metadata.general_desc is None:
        return frozenset(), None
    prefix = metadata.national_prefix_for_parsing
    return frozenset(metadata.general_desc.possible_length), re.compile(prefix) if prefix else None
