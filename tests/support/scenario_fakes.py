"""Published sets of scenarios in memory, true to their protocol, for tests of the API."""

import time
from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np

from exchange.io.errors import NotFound
from exchange.io.scenario_store import ID_MAX, Matrix, SetDocument, SetRow
from exchange.rules.scenario_addons import AddonSet
from exchange.rules.scenario_dry_run import DryRun
from exchange.rules.scenario_set import ScenarioSet


class MemoryScenarios:
    """Sets by id, and which was chosen."""

    def __init__(self) -> None:
        self.documents: list[dict[str, Any]] = []
        self.sets: list[ScenarioSet] = []
        self.addon_documents: dict[int, dict[str, Any]] = {}
        self.traded: dict[int, int] = {}
        self.choices: list[tuple[int, str, DryRun]] = []

    async def publish(self, document: dict[str, Any], found: ScenarioSet) -> int:
        for at, known in enumerate(self.documents):
            if known["inputs_hash"] == document["inputs_hash"]:
                return at + 1
        self.documents.append(document)
        self.sets.append(found)
        return len(self.documents)

    async def list(self, *, before_id: int = ID_MAX, limit: int = 100) -> list[SetRow]:
        rows = [self._row(at + 1) for at in range(len(self.documents)) if at + 1 < before_id]
        return rows[::-1][:limit]

    def _row(self, set_id: int) -> SetRow:
        document = self.documents[set_id - 1]
        return SetRow(
            set_id=set_id,
            day=date.fromisoformat(document["day"]),
            inputs_hash=document["inputs_hash"],
            rows_hash=document["rows_hash"],
            matrix_hash=document["matrix_hash"],
            scenario_count=document["scenario_count"],
            worst_count=document["worst_count"],
            error_max_ppm=document["error"]["held_out"]["max_ppm"],
            built_at_ns=time.time_ns(),
            chosen_at_ns=time.time_ns() if self._was_chosen(set_id) else None,
        )

    def _was_chosen(self, set_id: int) -> bool:
        return any(set_id == chosen for chosen, _, _ in self.choices)

    async def get(self, set_id: int) -> SetDocument | None:
        if not 0 < set_id <= len(self.documents):
            return None
        row = self._row(set_id)
        return SetDocument(
            set_id=set_id,
            document=self.documents[set_id - 1],
            built_at_ns=row.built_at_ns,
            chosen_at_ns=row.chosen_at_ns,
        )

    async def matrix(self, set_id: int) -> Matrix | None:
        if not 0 < set_id <= len(self.documents):
            return None
        matrix = self.sets[set_id - 1].matrix()
        return list(matrix), np.array(list(matrix.values()), np.int64)

    async def publish_addons(self, set_id: int, found: AddonSet) -> None:
        self.addon_documents.setdefault(set_id, found.document())

    async def addons(self, set_id: int) -> dict[str, Any] | None:
        return self.addon_documents.get(set_id)

    async def traded_lots(
        self, contract_idxs: Sequence[int], first_ns: int, end_ns: int
    ) -> dict[int, int]:
        return {idx: self.traded[idx] for idx in contract_idxs if idx in self.traded}

    async def choose(self, set_id: int, by: str, found: DryRun) -> int:
        if not 0 < set_id <= len(self.documents):
            raise NotFound(f"there is no set of scenarios {set_id}")
        self.choices.append((set_id, by, found))
        return len(self.choices)

    async def chosen_id(self) -> int | None:
        return self.choices[-1][0] if self.choices else None
