"""Alerts over the wire: for operators alone, in pages, with notes that are kept."""

import pytest

from tests.support.api_world import World, running
from tests.support.memory_alerts import MemoryAlerts, seen

ALERTS = "/admin/surveillance/alerts"


@pytest.fixture
async def world():
    async with running() as one:
        one.services.alerts = MemoryAlerts(seen(1), seen(2, "layering"), seen(3))  # type: ignore[assignment]
        yield one


async def test_alerts_come_newest_first_in_pages_and_by_pattern(world: World):
    first = (await world.call("operator", "GET", f"{ALERTS}?limit=2")).json()
    assert [row["alert_id"] for row in first["alerts"]] == ["3", "2"]
    cursor = first["next_cursor"]
    rest = (await world.call("operator", "GET", f"{ALERTS}?limit=2&cursor={cursor}")).json()
    assert [row["alert_id"] for row in rest["alerts"]] == ["1"] and rest["next_cursor"] is None
    some = (await world.call("operator", "GET", f"{ALERTS}?pattern=layering")).json()
    assert [row["alert_id"] for row in some["alerts"]] == ["2"]


async def test_what_became_of_an_alert_is_said_with_a_reason(world: World):
    body = {"status": "dismissed", "note": "two desks of one bank, reported"}
    noted = (await world.call("operator", "POST", f"{ALERTS}/2/notes", body)).json()["alert"]
    assert (noted["status"], noted["note"]) == ("dismissed", body["note"])
    assert noted["noted_by"]
    left = (await world.call("operator", "GET", f"{ALERTS}?status=open")).json()["alerts"]
    assert [row["alert_id"] for row in left] == ["3", "1"]


@pytest.mark.parametrize(
    ("who", "method", "path", "body", "status", "code"),
    [
        ("operator", "GET", f"{ALERTS}/9", None, 404, "alert_unknown"),
        ("operator", "GET", f"{ALERTS}/x", None, 422, "query_invalid"),
        ("operator", "GET", f"{ALERTS}?pattern=x", None, 422, "query_invalid"),
        ("operator", "GET", f"{ALERTS}?status=x", None, 422, "query_invalid"),
        ("operator", "POST", f"{ALERTS}/1/notes", {"status": "x", "note": "y"}, 422,
         "query_invalid"),
        ("operator", "POST", f"{ALERTS}/1/notes", {"status": "open", "note": ""}, 422,
         "field_invalid"),
        ("operator", "POST", f"{ALERTS}/9/notes", {"status": "open", "note": "y"}, 404,
         "alert_unknown"),
    ],
)  # fmt: skip
async def test_what_is_wrong_gets_its_code(
    world: World, who: str, method: str, path: str, body: object, status: int, code: str
):
    answer = await world.call(who, method, path, body)
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
