"""What a reader could not use: told in a sentence while the rest goes on, or refused."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from odah.errors import InputError


class Findings:
    """Sentences about a dataset folder. strict: whatever is missing or damaged ends the reading."""

    def __init__(self, strict: bool = False) -> None:
        self.strict = strict
        self.notes: list[str] = []

    def note(self, sentence: str) -> None:
        """Something to know, which takes nothing away; said once."""
        if sentence not in self.notes:
            self.notes.append(sentence)

    def left_out(self, what: str, found: str, expected: str) -> None:
        """Something that is not used.

        Raises:
            InputError: that is no option.
        """
        self._report(InputError(what, found, expected))

    @contextmanager
    def going_on(self) -> Iterator[None]:
        """What cannot be read in the block is left out.

        Raises:
            InputError: that is no option.
        """
        try:
            yield
        except InputError as error:
            self._report(error)

    def doubt(self, where: str, found: str, expected: str, instead: str) -> None:
        """Something that is used, but not as it is.

        Raises:
            InputError: that is no option.
        """
        if self.strict:
            raise InputError(where, found, expected)
        self.note(f"{where}: found {found}, expected {expected}; {instead}")

    def _report(self, error: InputError) -> None:
        if self.strict:
            raise error
        self.note(f"left out: {error}")
