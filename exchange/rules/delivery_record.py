"""Where a contract's delivery stands, as a mirror of the core knows it."""


class Delivery:
    """Of one contract: phase 0 none, 1 in delivery, 2 settled for the last time."""

    __slots__ = ("accruals", "accrued_ns", "days_fixed", "phase")

    def __init__(self) -> None:
        self.phase = 0
        self.accruals = 0  # so many ACCRUEs
        self.accrued_ns = 0  # the newest
        self.days_fixed = 0  # by it
