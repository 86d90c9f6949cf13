"""What is traded: one GPU (or accelerator) model a row. A new one needs no code.

Prices are never converted between models by some FLOPS ratio: the ratio changes
its sign with the yardstick.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from exchange.rules.money import TICK_USD_MICROS


@dataclass(frozen=True, slots=True, kw_only=True)
class Sku:
    """One model. `short` is its name inside a contract's symbol."""

    symbol: str
    short: str
    name: str
    memory_gb: int
    generation: int  # rises with the vendor's generations: margin stresses old against new
    watts: int  # of the board or module by its data sheet, 0 where none is published
    raw_names: tuple[str, ...]  # spellings in the price data that are exactly this model
    tick_usd_micros: int = TICK_USD_MICROS  # per GPU-hour


# Spellings that do not say the form factor ("H100", "A100") are left out: such an offer
# may be a PCIe card, which is another good at another price.
SKUS: Final = (
    Sku(symbol="A100-80GB", short="A100", name="NVIDIA A100 80 GB SXM", memory_gb=80,
        generation=1, watts=400, raw_names=("A100-80GB",)),
    Sku(symbol="H100-SXM", short="H100", name="NVIDIA H100 80 GB SXM", memory_gb=80,
        generation=2, watts=700, raw_names=("H100-SXM",)),
    Sku(symbol="H200-SXM", short="H200", name="NVIDIA H200 141 GB SXM", memory_gb=141,
        generation=2, watts=700, raw_names=("H200",)),
    Sku(symbol="B200", short="B200", name="NVIDIA B200", memory_gb=192,
        generation=3, watts=1000, raw_names=("B200",)),
    Sku(symbol="GB200", short="GB200", name="NVIDIA GB200 NVL72", memory_gb=192,
        generation=3, watts=1200, raw_names=("GB200",)),
    Sku(symbol="L40S", short="L40S", name="NVIDIA L40S", memory_gb=48,
        generation=2, watts=350, raw_names=("L40S",)),
    Sku(symbol="MI300X", short="MI300X", name="AMD Instinct MI300X", memory_gb=192,
        generation=2, watts=750, raw_names=("MI300X",)),
    Sku(symbol="RTX-PRO-6000", short="RTXPRO6000", name="NVIDIA RTX PRO 6000 Blackwell",
        memory_gb=96, generation=3, watts=600, raw_names=("RTX-PRO-6000", "RTX-PRO-6000-SERVER")),
    Sku(symbol="TPU-v6e", short="TPUV6E", name="Google TPU v6e", memory_gb=32,
        generation=2, watts=0, raw_names=()),
    Sku(symbol="TRAINIUM3", short="TRN3", name="AWS Trainium 3", memory_gb=144,
        generation=3, watts=0, raw_names=()),
)  # fmt: skip

SKU_BY_SYMBOL: Final[Mapping[str, Sku]] = MappingProxyType({sku.symbol: sku for sku in SKUS})
SKU_BY_SHORT: Final[Mapping[str, Sku]] = MappingProxyType({sku.short: sku for sku in SKUS})
SKU_BY_RAW_NAME: Final[Mapping[str, Sku]] = MappingProxyType(
    {raw: sku for sku in SKUS for raw in sku.raw_names}
)
assert len(SKU_BY_SYMBOL) == len(SKU_BY_SHORT) == len(SKUS)
