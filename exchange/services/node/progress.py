"""What a node says while it starts."""

from typing import Protocol


class Progress(Protocol):
    """Told of each stage of the start: "migrations", "kernels", "recovery", "listing", ..."""

    def __call__(self, stage: str, done: int = 0, total: int = 0) -> None:
        """Show that `done` of `total` is done; total 0 when it is not known."""
        ...


def quiet(stage: str, done: int = 0, total: int = 0) -> None:
    """Show nothing."""
