"""SURV_007: an observation far from what everybody else says of the same SKU and hub."""

from collections import defaultdict
from typing import Final

from exchange.rules.median import median
from exchange.rules.money import BPS
from exchange.rules.observations import Offer, OfferKind
from exchange.rules.surveillance.alerts import Alert, Pattern
from exchange.rules.tenors import NS_PER_DAY

STANDS_NS: Final = 30 * NS_PER_DAY  # how long an observation is compared with
NEW_NS: Final = 3 * NS_PER_DAY  # older ones are history that is read in: nobody is suspected
OTHERS_MIN: Final = 4
OUTLIER_BPS: Final = 5_000

Cell = tuple[str, str, str, str]  # SKU, hub, grade, kind


class Submissions:
    """The newest price of each provider in each cell."""

    def __init__(self) -> None:
        self._panels: dict[Cell, dict[str, tuple[int, int]]] = defaultdict(dict)  # ts_ns, price

    def take(self, offer: Offer, now_ns: int) -> Alert | None:
        """Take in an observation; return an alert if it is new and stands alone."""
        panel = self._panels[offer.sku, offer.hub, offer.grade, offer.kind]
        others = [
            price
            for provider, (ts_ns, price) in panel.items()
            if provider != offer.provider and offer.ts_ns - ts_ns <= STANDS_NS
        ]
        own_ns, _ = panel.get(offer.provider, (0, 0))
        if offer.ts_ns >= own_ns:
            panel[offer.provider] = offer.ts_ns, offer.price_usd_micros
        if offer.kind == OfferKind.RESERVED or now_ns - offer.ts_ns > NEW_NS:
            return None
        if len(others) < OTHERS_MIN:
            return None
        middle = median(others)
        away = abs(offer.price_usd_micros - middle)
        if away * BPS < OUTLIER_BPS * middle:
            return None
        return Alert(
            pattern=Pattern.SUBMISSION_OUTLIER,
            subject=offer.provider,
            contract_idx=-1,
            seqs=(offer.number,),
            first_ns=offer.ts_ns,
            last_ns=offer.ts_ns,
            figures={
                "price_usd_micros": offer.price_usd_micros,
                "middle_usd_micros": middle,
                "others": len(others),
                "away_bps": away * BPS // middle,
            },
        )
