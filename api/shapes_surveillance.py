"""What surveillance answers, as shapes; see `shapes.py`."""

from api.shapes import Answer, Part


class Alert(Part):
    """A suspicion. `seqs` are commands of the journal; of a submission numbers of observations."""

    alert_id: str
    pattern: str
    subject: str
    symbol: str | None
    seqs: list[int]
    first_ts: int
    last_ts: int
    raised_ts: int
    figures: dict[str, int]
    status: str
    note: str | None
    noted_by: str | None


class AlertAnswer(Answer):
    """One alert."""

    alert: Alert


class AlertsAnswer(Answer):
    """Alerts, newest first."""

    alerts: list[Alert]
    next_cursor: str | None
