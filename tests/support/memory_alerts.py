"""Alerts in memory, behind the door of the real ones."""

from dataclasses import replace

from exchange.io.alerts import ID_MAX, AlertSeen


class MemoryAlerts:
    """What the API asks of Postgres."""

    def __init__(self, *rows: AlertSeen) -> None:
        self.rows = {row.alert_id: row for row in rows}

    async def alerts(
        self,
        *,
        before_id: int = ID_MAX,
        pattern: str | None = None,
        status: str | None = None,
        limit: int = 100,
    ) -> list[AlertSeen]:
        found = [
            row
            for row in sorted(self.rows.values(), key=lambda row: -row.alert_id)
            if row.alert_id < before_id
            and pattern in (None, row.pattern)
            and status in (None, row.status)
        ]
        return found[:limit]

    async def alert(self, alert_id: int) -> AlertSeen | None:
        return self.rows.get(alert_id)

    async def note(self, alert_id: int, status: str, note: str, by: str) -> bool:
        if alert_id not in self.rows:
            return False
        self.rows[alert_id] = replace(self.rows[alert_id], status=status, note=note, noted_by=by)
        return True


def seen(alert_id: int, pattern: str = "wash_trade") -> AlertSeen:
    return AlertSeen(
        alert_id=alert_id, pattern=pattern, subject="crook", symbol="H100-USE-2027M03",
        seqs=[5, 9], first_ns=1_000_000, last_ns=2_000_000, figures={"lots": 7},
        raised_ns=3_000_000, status="open", note=None, noted_by=None,
    )  # fmt: skip
