"""Our engine in batches of 256 rows, every order checked against a margin of 64 scenarios."""

from tools.peers.ours import batches


class Book(batches.Book):
    """Takes batches."""

    def __init__(self) -> None:
        super().__init__(margin=True)
