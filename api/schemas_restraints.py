"""Bodies about owners, what can be delivered, and what a client is trusted with."""

from typing import Annotated, Final

from msgspec import UNSET, Meta

from api.schemas import Body, MaybeText, Text
from exchange.rules.regions import HUBS
from exchange.rules.skus import SKUS

GPUS_MAX: Final = 1_000_000_000
GPU_HOURS_MAX: Final = 1 << 50

Gpus = Annotated[int, Meta(ge=0, le=GPUS_MAX)]
GpuHours = Annotated[int, Meta(ge=0, le=GPU_HOURS_MAX)]
SKU_NAMES: Final = tuple(sku.short for sku in SKUS)
HUB_NAMES: Final = tuple(hub.symbol for hub in HUBS)


class OwnerChange(Body):
    """Whose sub-account an account becomes; null: nobody's."""

    owner: Text | None


class CapacityNew(Body):
    """GPUs that can deliver: of an account, or measured of everybody else; 0: none any more."""

    sku: Text
    hub: Text
    gpus: Gpus
    source: Text
    account_id: MaybeText = UNSET


class CreditChange(Body):
    """What an account may use: initial margin in USD, GPU-hours a day; absent or 0 is no limit.

    `clients_margin` limits the initial margin of all clients of a member, said by an operator.
    """

    initial_margin: MaybeText = UNSET
    turnover_gpu_hours: GpuHours = 0
    clients_margin: MaybeText = UNSET
