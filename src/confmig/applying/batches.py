"""Cutting the changes of a plan into batches, and the batches into steps that wait for each other."""

from collections.abc import Iterable, Iterator
from itertools import groupby

from confmig.planning.plan import Change, Phase

BATCH_ROWS = 200
BATCH_CHARACTERS = 4_000_000
"""A bulk request may take two minutes and some 100 MB; this stays far below both."""


def steps(changes: Iterable[Change]) -> Iterator[Iterator[list[Change]]]:
    """Steps of batches: those of one step may run side by side, the next step waits for all of them.

    The changes must come in the order of the plan. A batch holds changes of one table and one kind.
    """
    for _, step in groupby(changes, key=lambda change: (change.phase, change.rank, change.level)):
        yield _batches(step)


def _batches(changes: Iterable[Change]) -> Iterator[list[Change]]:
    kinds = groupby(changes, key=lambda change: (change.table, change.action, change.relationship))
    for _, kind in kinds:
        batch: list[Change] = []
        size = 0
        for change in kind:
            weight = sum(len(value) for value in change.after.values() if isinstance(value, str))
            full = len(batch) >= BATCH_ROWS or change.phase is Phase.FILES  # each file is on record by itself
            if batch and (full or size + weight > BATCH_CHARACTERS):
                yield batch
                batch, size = [], 0
            batch.append(change)
            size += weight
        if batch:
            yield batch
