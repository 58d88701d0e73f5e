from bench.measure.observer import CombinedObserver
from bench.records.enums import Phase


class Notes:
    """An observer that writes down what it was reported, in a book shared with others."""

    def __init__(self, name: str, book: list[str]) -> None:
        self._name, self._book = name, book

    def begin(self, phase: Phase) -> None:
        self._book.append(f"{self._name} begin {phase}")

    def token(self) -> None:
        self._book.append(f"{self._name} token")

    def end(self) -> None:
        self._book.append(f"{self._name} end")


def test_each_observer_hears_everything_in_order() -> None:
    book: list[str] = []
    both = CombinedObserver(Notes("a", book), Notes("b", book))
    both.begin(Phase.ENCODE)
    both.token()
    both.end()
    assert book == ["a begin encode", "b begin encode", "a token", "b token", "a end", "b end"]


def test_nobody_has_to_listen() -> None:
    nobody = CombinedObserver()
    nobody.begin(Phase.LOAD)
    nobody.token()
    nobody.end()
