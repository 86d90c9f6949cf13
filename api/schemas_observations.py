"""Bodies about observations; `schemas.py` has all others."""

from typing import Annotated, Final

from msgspec import UNSET, Meta

from api.schemas import Body, MaybeText, Text

ROWS_MAX: Final = 100  # of one submission


class ObservationNew(Body):
    """A price of the provider's own, with the columns of `docs/observations.md`."""

    sku: MaybeText = UNSET
    usd_per_gpu_hour: MaybeText = UNSET
    kind: MaybeText = UNSET
    ts: MaybeText = UNSET
    date: MaybeText = UNSET
    provider: MaybeText = UNSET
    region: MaybeText = UNSET
    gpus_per_instance: MaybeText = UNSET
    instance: MaybeText = UNSET
    grade: MaybeText = UNSET
    term_months: MaybeText = UNSET


class SubmissionNew(Body):
    """Prices that a provider signs."""

    rows: Annotated[list[ObservationNew], Meta(min_length=1, max_length=ROWS_MAX)]


class ProviderKeyNew(Body):
    """A provider's public key of Ed25519, in hex, and the licence of what it signs."""

    provider: Text
    public_key: Text
    licence: Text
