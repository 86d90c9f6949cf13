"""Published sets of scenarios in Postgres: written once, chosen by further rows."""

import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, Protocol

import asyncpg
import numpy as np

from exchange.io.db import queries
from exchange.io.errors import Corrupt, NotFound
from exchange.io.notify import SCENARIOS
from exchange.io.store import Store, to_ns, to_ns_or_none
from exchange.rules.scenario_addons import AddonSet
from exchange.rules.scenario_dry_run import DryRun
from exchange.rules.scenario_set import ScenarioSet, set_of

ID_MAX: Final = (1 << 62) - 1

Matrix = tuple[list[str], np.ndarray]  # symbols, and (contracts, scenarios)

_SQL: Final = queries("scenarios")
_NOTIFY: Final = queries("registry")["notify"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SetRow:
    """A published set without its rows."""

    set_id: int
    day: date
    inputs_hash: str
    rows_hash: str
    matrix_hash: str
    scenario_count: int
    worst_count: int
    error_max_ppm: int
    built_at_ns: int
    chosen_at_ns: int | None  # last


@dataclass(frozen=True, slots=True, kw_only=True)
class SetDocument:
    """A published set as it stands in its document."""

    set_id: int
    document: dict[str, Any]
    built_at_ns: int
    chosen_at_ns: int | None


class Scenarios(Protocol):
    """Published sets of scenarios."""

    async def publish(self, document: dict[str, Any], found: ScenarioSet) -> int:
        """Write a set; the same inputs again return the id they have."""
        ...

    async def list(self, *, before_id: int = ID_MAX, limit: int = 100) -> list[SetRow]:
        """Return sets, the newest first."""
        ...

    async def get(self, set_id: int) -> SetDocument | None:
        """Return one set."""
        ...

    async def matrix(self, set_id: int) -> Matrix | None:
        """Return symbols and the matrix as it was published: (contracts, scenarios)."""
        ...

    async def publish_addons(self, set_id: int, found: AddonSet) -> None:
        """Write the add-ons of a set, unless it has some."""
        ...

    async def addons(self, set_id: int) -> dict[str, Any] | None:
        """Return the document of a set's add-ons."""
        ...

    async def traded_lots(
        self, contract_idxs: Sequence[int], first_ns: int, end_ns: int
    ) -> dict[int, int]:
        """Return what traded of contracts on whole days, in lots."""
        ...

    async def choose(self, set_id: int, by: str, found: DryRun) -> int:
        """Make a set the one that is used; the leader swaps it in within moments."""
        ...

    async def chosen_id(self) -> int | None:
        """Return the set that is used."""
        ...


class PostgresScenarios(Store):
    """Published sets of scenarios."""

    async def publish(self, document: dict[str, Any], found: ScenarioSet) -> int:
        """Write a set; the same inputs again return the id they have.

        Errors:
            Corrupt: the same inputs made another set before: the build is not what it was.
        """
        matrix = np.array(list(found.matrix().values()), "<i8")
        hashes = (document["rows_hash"], document["matrix_hash"])
        set_id = await self._value(
            _SQL["insert_set"],
            found.day,
            found.made.inputs_hash,
            *hashes,
            found.count,
            found.worst_count,
            max(found.made.chosen_with.max_ppm, found.made.held_out.max_ppm),
            json.dumps(document),
            zlib.compress(matrix.tobytes()),
        )
        if set_id is not None:
            return int(set_id)
        row = await self._row(_SQL["set_by_inputs"], found.made.inputs_hash)
        assert row is not None, "it was in the way a moment ago, and none is ever removed"
        if (row["rows_hash"], row["matrix_hash"]) != hashes:
            raise Corrupt(f"scenario set {row['set_id']} was made of the same and is another")
        return int(row["set_id"])

    async def list(self, *, before_id: int = ID_MAX, limit: int = 100) -> list[SetRow]:
        """Return sets, the newest first."""
        rows = await self._rows(_SQL["sets"], min(before_id, ID_MAX), limit)
        return [_set_row(row) for row in rows]

    async def get(self, set_id: int) -> SetDocument | None:
        """Return one set."""
        row = await self._row(_SQL["one_set"], set_id) if 0 < set_id <= ID_MAX else None
        if row is None:
            return None
        return SetDocument(
            set_id=row["set_id"],
            document=json.loads(row["document"]),
            built_at_ns=to_ns(row["built_at"]),
            chosen_at_ns=to_ns_or_none(row["chosen_at"]),
        )

    async def matrix(self, set_id: int) -> Matrix | None:
        """Return symbols and the matrix as it was published: (contracts, scenarios)."""
        row = await self._row(_SQL["matrix"], set_id) if 0 < set_id <= ID_MAX else None
        if row is None:
            return None
        symbols = [symbol for symbol, _ in json.loads(row["prices_ticks"])]
        flat = np.frombuffer(zlib.decompress(row["matrix"]), "<i8")
        return symbols, flat.reshape(len(symbols), row["scenario_count"])

    async def publish_addons(self, set_id: int, found: AddonSet) -> None:
        """Write the add-ons of a set, unless it has some."""
        document = found.document()
        text = json.dumps(document)
        await self._rows(_SQL["insert_addons"], set_id, document["addons_hash"], text)

    async def addons(self, set_id: int) -> dict[str, Any] | None:
        """Return the document of a set's add-ons, None for none."""
        text = await self._value(_SQL["addons"], set_id)
        document: dict[str, Any] | None = None if text is None else json.loads(text)
        return document

    async def traded_lots(
        self, contract_idxs: Sequence[int], first_ns: int, end_ns: int
    ) -> dict[int, int]:
        """Return what traded of contracts on whole days, in lots; who has none is left out."""
        rows = await self._rows(_SQL["traded_lots"], list(contract_idxs), first_ns, end_ns)
        return {row["contract_idx"]: row["lots"] for row in rows}

    async def chosen_of(self, day: date, by: str) -> int | None:
        """Return the set of a day that somebody chose."""
        set_id = await self._value(_SQL["chosen_of_day"], day, by)
        return None if set_id is None else int(set_id)

    async def choose(self, set_id: int, by: str, found: DryRun) -> int:
        """Make a set the one that is used; the leader swaps it in within moments.

        Errors:
            NotFound: there is no such set.
        """
        try:
            choice_id = await self._value(
                _SQL["insert_choice"],
                set_id,
                by,
                found.seq,
                found.accounts_count,
                len(found.short),
                found.before_usd_micros,
                found.after_usd_micros,
                found.shortfall_usd_micros,
            )
        except asyncpg.ForeignKeyViolationError as error:
            raise NotFound(f"there is no set of scenarios {set_id}") from error
        await self._rows(_NOTIFY, SCENARIOS, str(set_id))
        return int(choice_id)

    async def chosen_id(self) -> int | None:
        """Return the set that is used."""
        set_id = await self._value(_SQL["chosen_id"])
        return None if set_id is None else int(set_id)

    async def chosen(self) -> tuple[int, ScenarioSet] | None:
        """Return the set that is used, with its id.

        Errors:
            SetCorrupt: what is stored contradicts its hashes.
        """
        row = await self._row(_SQL["chosen"])
        return (row["set_id"], set_of(json.loads(row["document"]))) if row else None


def _set_row(row: asyncpg.Record) -> SetRow:
    return SetRow(
        set_id=row["set_id"],
        day=row["day"],
        inputs_hash=row["inputs_hash"],
        rows_hash=row["rows_hash"],
        matrix_hash=row["matrix_hash"],
        scenario_count=row["scenario_count"],
        worst_count=row["worst_count"],
        error_max_ppm=row["error_max_ppm"],
        built_at_ns=to_ns(row["built_at"]),
        chosen_at_ns=to_ns_or_none(row["chosen_at"]),
    )
