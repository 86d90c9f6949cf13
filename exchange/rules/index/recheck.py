"""One print again from nothing but the document it names, by the method (INDX_018).

What remembers other days is not judged here, only that it adds up: whether a move was held back
rightly needs all observations, and `wellhead index rebuild` has them.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from exchange.rules.findings import Finding
from exchange.rules.index.method import METHOD, Method
from exchange.rules.index.panel import TRIMMED, Middle, has_quorum, middle
from exchange.rules.index.prints import Print, Step
from exchange.rules.index.replay import TABLE, place_of
from exchange.rules.index.standing import COUNTED
from exchange.rules.median import median
from exchange.rules.money import div_half_even
from exchange.rules.observations import Offer


def recheck(
    one: Print, document: Mapping[str, Any], world: Print | None, method: Method = METHOD
) -> Iterator[Finding]:
    """Yield what a print says that does not follow from its document.

    Args:
        document: has the hash that the print names.
        world: the print that it follows by a spread, if it does.

    Errors:
        KeyError, TypeError, IndexError, ArithmeticError: a document of another form.
    """
    said = one.explanation
    raw = said["raw_usd_micros"]
    found = _raw(document, world, method)
    if found is None or found.usd_micros != raw:
        yield Finding(TABLE, place_of(one), "raw price", str(found and found.usd_micros), str(raw))
    elif one.step == Step.PANEL and found.weights_ppb != _weights(document):
        yield Finding(TABLE, place_of(one), "weights", "those of the method", "others")
    before = said["previous"]
    moved = raw if before is None else before["usd_micros"] + sum(said["move_usd_micros"].values())
    if moved != one.price_usd_micros:
        yield Finding(TABLE, place_of(one), "price", str(moved), str(one.price_usd_micros))


def _raw(document: Mapping[str, Any], world: Print | None, method: Method) -> Middle | None:
    """Return what a document says before any limit, None where it says nothing."""
    if "offers" in document:
        offers = [_offer(row) for row in document["offers"] if row[6] in (COUNTED, TRIMMED)]
        return middle(offers, method) if has_quorum(offers, method) else None
    if "spreads" in document:
        spread = median(row[1] for row in document["spreads"])
        return Middle(world.price_usd_micros + spread, {}) if world else None
    if "mean_of" in document:
        prices = [row[1] for row in document["mean_of"]]
        return Middle(div_half_even(sum(prices), len(prices)), {})
    return Middle(document["usd_micros"], {})


def _weights(document: Mapping[str, Any]) -> dict[int, int]:
    return {row[0]: row[5] for row in document["offers"] if row[5]}


def _offer(row: Sequence[Any]) -> Offer:
    """Return an offer as far as its weight and its price ask."""
    number, provider, region, gpus, usd_micros, _, _, digest = row
    return Offer(
        number, provider, region, "", "", "", gpus, usd_micros, "", 0, "", "", bytes.fromhex(digest)
    )
