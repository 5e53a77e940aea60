"""Passwords: argon2id, and the same work for a login that does not exist."""

from __future__ import annotations

from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from core.errors import FieldProblem, Invalid
from core.web.i18n import N_

SHORTEST, LONGEST = 12, 128
COMMON = frozenset((
    "123456789012", "1234567890123", "12345678901234", "123456123456", "111111111111", "000000000000", "qwertyuiop12",
    "qwertyuiop123", "password1234", "password12345", "password123456", "passwordpassword", "adminadmin12",
    "administrator", "administrator1", "iloveyou1234", "letmeinletmein", "welcome12345", "changeme1234", "qwerty123456",
    "qwerty1234567", "abcdefghijkl", "abc123abc123", "1q2w3e4r5t6y", "1qaz2wsx3edc", "qazwsxedcrfv", "asdfghjkl123",
    "aaaaaaaaaaaa", "tesseratessera"))

hasher = PasswordHasher()        # its parameters stand in each hash, so raising them here never locks anyone out


@cache
def _nobody() -> str:
    return hasher.hash("no password has this hash")


def check_strength(password: str, login: str = "", field: str = "password") -> None:
    """Length and a list of the commonest, no rules of composition (ASVS 6.2); raises Invalid."""
    if len(password) < SHORTEST:
        raise Invalid([FieldProblem(field, "too_short", N_("A password has at least {least} characters."),
                                    {"least": SHORTEST})])
    if len(password) > LONGEST:
        raise Invalid([FieldProblem(field, "too_long", N_("A password has at most {most} characters."),
                                    {"most": LONGEST})])
    plain = password.lower()
    if plain in COMMON or len(set(plain)) < 4 or (len(login) > 3 and plain.replace(login.lower(), "") == ""):
        raise Invalid([FieldProblem(field, "common", N_("This password is too easy to guess."))])


def hash_password(password: str) -> str:
    """What is stored instead of a password."""
    return hasher.hash(password)


def matches(stored: str | None, password: str) -> bool:
    """Whether it is the password; takes as long when there is none to compare with."""
    try:
        return hasher.verify(stored or _nobody(), password[:1000]) and stored is not None
    except (VerificationError, InvalidHashError):
        return False
