"""The events of a generation that an engine announces: the only interface between running and measuring.

An engine calls `begin(phase)` when a phase starts, `token()` when a token's kernels have been issued, and
`end()` after the last one. It gets nothing in return, so that observers cannot change the run.
An engine that cannot see all phases begins those that it sees, `preprocess` first. One that gets its tokens
in chunks calls `token()` once for each chunk.
"""

from typing import Protocol

from bench.records.enums import Phase


class Observer(Protocol):
    """Watches one generation."""

    def begin(self, phase: Phase) -> None:
        """A phase starts; the one before it has ended."""

    def token(self) -> None:
        """One more token has been issued; the first one ends the prefill."""

    def end(self) -> None:
        """The generation is over."""


class CombinedObserver:
    """Several observers of one generation, called in order."""

    def __init__(self, *observers: Observer) -> None:
        self._observers = observers

    def begin(self, phase: Phase) -> None:
        """Pass the begin of a phase to each."""
        for observer in self._observers:
            observer.begin(phase)

    def token(self) -> None:
        """Pass a token to each."""
        for observer in self._observers:
            observer.token()

    def end(self) -> None:
        """Pass the end to each."""
        for observer in self._observers:
            observer.end()
