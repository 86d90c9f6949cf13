"""What the exchange answers about observations, as shapes; see `shapes.py`."""

from api.shapes import Answer, Part


class ObservationHead(Part):
    """The end of the chain: whoever keeps it notices any change of what came before."""

    number: str
    digest: str


class Observation(Part):
    """A price as it is recorded, for ever; `hub` is empty for a place in no hub."""

    number: str
    provider: str
    region: str
    sku: str
    hub: str
    grade: str
    size_gpus: int
    price: str
    kind: str
    observed_ts: int
    observed_ts_ns: str
    source: str
    licence: str
    term_months: int
    instance: str
    digest: str


class ObservationsAnswer(Answer):
    """Observations, newest first."""

    observations: list[Observation]
    head: ObservationHead
    next_cursor: str | None


class RowResult(Part):
    """What became of a row: accepted, duplicate or quarantined, then with a reason."""

    status: str
    number: str | None
    reason: str | None
    detail: str


class SubmissionAnswer(Answer):
    """What became of each row, in their order."""

    results: list[RowResult]
    head: ObservationHead


class QuarantinedRow(Part):
    """A row that was not recorded, as it came."""

    quarantine_id: str
    source: str
    reason: str
    detail: str
    row: str
    via: str
    name: str
    recorded_ts: int


class QuarantineAnswer(Answer):
    """Rows that were not recorded, newest first."""

    quarantine: list[QuarantinedRow]
    next_cursor: str | None


class ProviderKeyOut(Part):
    """A provider's key."""

    key: str
    provider: str
    public_key: str
    licence: str
    added_by: str
    added_ts: int
    ended_ts: int | None


class ProviderKeyAnswer(Answer):
    """One provider's key."""

    provider_key: ProviderKeyOut


class ProviderKeysAnswer(Answer):
    """Keys of providers."""

    provider_keys: list[ProviderKeyOut]
