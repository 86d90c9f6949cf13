"""Answers about a book: its levels, and what other books offer in it."""

from api.shapes import Answer, Part


class ImpliedLevels(Part):
    """What other books offer in this one, best first: prices that orders of a combination and of
    its legs make together. They are no levels of the book, and not in its checksum.
    """

    symbol: str
    bids: list[tuple[str, str]]
    asks: list[tuple[str, str]]


class BookAnswer(Answer):
    """A book, best levels first, each [price, quantity]; `seq` is that of its last change."""

    symbol: str
    bids: list[tuple[str, str]]
    asks: list[tuple[str, str]]
    checksum: int
    state: str
    phase: str | None
    implied: ImpliedLevels
