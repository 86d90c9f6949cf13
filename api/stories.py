"""What the live scenarios are called, and the stories behind them."""

from collections.abc import Mapping

from api.deps import Services
from exchange.rules.mirror_state import MirrorState
from exchange.rules.scenarios import SCENARIOS

Stories = Mapping[int, tuple[str, str]]  # of the live rows: name and story


async def stories_of(services: Services, state: MirrorState) -> Stories:
    """Return names and stories of the live rows, as far as they are known."""
    set_id = await services.scenarios.chosen_id()
    found = None if set_id is None else await services.scenarios.get(set_id)
    if found is not None and len(found.document["rows"]) == state.scenario_count:
        rows = enumerate(found.document["rows"])
        return {number: (row["name"], row["story"]) for number, row in rows}
    if state.scenario_count != len(SCENARIOS):
        return {}
    return {number: (one.name, one.row.story) for number, one in enumerate(SCENARIOS)}
