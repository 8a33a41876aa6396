"""The two ways a command can end badly, each told in one sentence."""

from __future__ import annotations


class OdahError(Exception):
    """The work failed: one sentence, exit status 1."""

    exit_code = 1


class InputError(OdahError):
    """The user's input cannot be used: names file, field, what was found and expected; exit status 2."""

    exit_code = 2

    def __init__(self, where: object, found: str, expected: str) -> None:
        self.where, self.found, self.expected = str(where), found, expected
        super().__init__(f"{where}: found {found}, expected {expected}")
