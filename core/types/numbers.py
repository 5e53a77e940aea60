"""Reading and writing numbers: exact decimals, with the separators of the reader's language."""

from __future__ import annotations

import re
from decimal import ROUND_HALF_UP, Context, Decimal, InvalidOperation
from functools import lru_cache

from babel import Locale as BabelLocale

from core.types.base import BadValue, Locale

LIMIT = Decimal(10) ** 15
_PLAIN = re.compile(r"[+-]?\d{1,40}(\.\d{1,40})?", re.ASCII)
_EXACT = Context(prec=60)
_FULL_WIDTH = str.maketrans("０１２３４５６７８９．，－＋％", "0123456789.,-+%")


@lru_cache(maxsize=64)
def separators(language: str) -> tuple[str, str]:
    """The decimal and the grouping sign of a language."""
    symbols = BabelLocale.parse(language).number_symbols["latn"]
    return str(symbols["decimal"]), str(symbols["group"])


def from_text(text: str, locale: Locale) -> Decimal | None:
    """Read a number as a person of that language types it; groups must have three digits. Raises BadValue."""
    plain = text.strip().translate(_FULL_WIDTH)
    if not plain:
        return None
    point, group = separators(locale.language)
    plain = plain.replace("\u2212", "-").replace("\u00a0", " ").replace("\u202f", " ")
    group = " " if group in ("\u00a0", "\u202f") else group
    whole, sign, fraction = plain.partition(point)
    if group in whole:
        if not re.fullmatch(rf"[+-]?\d{{1,3}}({re.escape(group)}\d{{3}})+", whole, re.ASCII):
            raise _not_a_number(text)
        whole = whole.replace(group, "")
    candidate = whole + ("." + fraction if sign else "")
    if candidate.lstrip("+-").startswith("."):
        candidate = candidate.replace(".", "0.", 1)
    if not _PLAIN.fullmatch(candidate):
        raise _not_a_number(text)
    return Decimal(candidate)


def from_json(value: object) -> Decimal | None:
    """Read a number off the wire: a string such as "12.50", or a whole number. Raises BadValue."""
    if value is None or value == "":
        return None
    if isinstance(value, int) and not isinstance(value, bool):
        return Decimal(value)
    if isinstance(value, str):
        if _PLAIN.fullmatch(value):
            return Decimal(value)
        raise _not_a_number(value)
    raise BadValue("type", "Send this number as a string such as \"12.50\".")


def bounded(value: object, scale: int, least: Decimal | None = None,
            most: Decimal | None = None) -> Decimal | None:
    """Check a number: finite, in bounds, with no more decimals than `scale`; never rounded. Raises BadValue."""
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
        raise BadValue("type", "This must be a number.")
    number = Decimal(value)
    if not number.is_finite():
        raise _not_a_number(str(value))
    if abs(number) >= LIMIT:
        raise BadValue("range", "This number is too large.")
    check_range(number, least, most)
    exact = plain(number)
    exponent = exact.as_tuple().exponent
    if isinstance(exponent, int) and -exponent > scale:
        raise BadValue("scale", "This may have {scale} decimals.", scale=scale)
    return exact


def check_range(number: Decimal | int, least: Decimal | int | None, most: Decimal | int | None) -> None:
    """Check that a number lies between two bounds, each of which may be missing. Raises BadValue."""
    if least is not None and number < least:
        raise BadValue("too_small", "This must be {least} or more.", least=str(least))
    if most is not None and number > most:
        raise BadValue("too_large", "This must be {most} or less.", most=str(most))


def plain(number: Decimal) -> Decimal:
    """Drop trailing zeros and any exponent; zero has no sign."""
    if number == 0:
        return Decimal(0)
    short = number.normalize(_EXACT)
    exponent = short.as_tuple().exponent
    return short.quantize(Decimal(1), context=_EXACT) if isinstance(exponent, int) and exponent > 0 else short


def rounded(number: Decimal, scale: int) -> Decimal:
    """Round a worked-out number (never a typed one) half up."""
    try:
        return number.quantize(Decimal(1).scaleb(-scale), rounding=ROUND_HALF_UP, context=_EXACT)
    except InvalidOperation:             # too many digits to show exactly: as it is
        return number


def readable(number: Decimal, locale: Locale, scale: int | None = None) -> str:
    """Write a number with the separators of a language; `scale` fixes how many decimals are shown."""
    point, group = separators(locale.language)
    # Babel's own takes 30 times as long
    written = f"{number:,f}" if scale is None else f"{number:,.{scale}f}"
    return written if (point, group) == (".", ",") else written.translate({ord("."): point, ord(","): group})


def _not_a_number(text: str) -> BadValue:
    return BadValue("number", "\"{value}\" is not a number.", value=text[:40])
