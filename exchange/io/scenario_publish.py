"""Publishes a set of scenarios with the add-ons of the market as it stands; nothing is swapped."""

import logging
from typing import Any, NamedTuple

from exchange.io.scenario_store import Scenarios
from exchange.rules.mirror_state import MirrorState
from exchange.rules.scenario_addons import AddonSet, addon_set_of, markets_of, volume_days
from exchange.rules.scenario_set import ScenarioSet, SetCorrupt, set_of
from exchange.rules.tenors import ns_of

_log = logging.getLogger("wellhead.scenarios")


class Published(NamedTuple):
    """A set as it is stored, with its add-ons; of one that was published before them, None."""

    set_id: int
    scenarios: ScenarioSet
    addons: AddonSet | None


async def publish(store: Scenarios, mirror: MirrorState, document: dict[str, Any]) -> Published:
    """Write a set and its add-ons; a set that is known keeps those it has.

    Errors:
        Corrupt: the same inputs made another set before.
        SetCorrupt: the document contradicts itself.
    """
    found = set_of(document)
    first, end = volume_days(found.day)
    idxs = [contract.contract_idx for contract in mirror.contracts if not contract.legs]
    traded = await store.traded_lots(idxs, ns_of(first), ns_of(end))
    made = AddonSet(found, markets_of(mirror, traded))
    set_id = await store.publish(document, found)
    await store.publish_addons(set_id, made)
    return Published(set_id, found, await addons_of(store, set_id, found))


async def addons_of(store: Scenarios, set_id: int, found: ScenarioSet) -> AddonSet | None:
    """Return the add-ons of a published set, None where it has none that can be used.

    Those that do not follow from their table any more, as after a change of fees, are no reason
    not to use the scenarios: what is staged stays until the next night.
    """
    document = await store.addons(set_id)
    try:
        return None if document is None else addon_set_of(document, found)
    except SetCorrupt as error:
        _log.error("add-ons of set %d cannot be used: %s", set_id, error)
        return None
