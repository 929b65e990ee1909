"""The application of a plan: step by step, the batches of a step side by side, every outcome on record."""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import closing
from dataclasses import dataclass

from confmig.applying.batch import BatchResult, OnDrift, apply_batch
from confmig.applying.batches import steps
from confmig.applying.files import OpenFile, apply_file
from confmig.applying.outcomes import ApplyResult, Outcome, Status
from confmig.applying.runfile import RunFile
from confmig.errors import AccessError, ConfmigError
from confmig.model.values import FileContent
from confmig.planning.plan import Action, Change, Phase
from confmig.webapi.environment import Environment

MOST_PARALLEL = 16
_MOST_LARGE_FILES = 4
"""Large files side by side: each that is under way holds a block of 4 MB several times over."""
_LARGE_FILE = 1024**2

Progress = Callable[[int, str], None]
"""Told how many changes are done since the last call, and of which table."""


@dataclass(slots=True)
class _Stop:
    """Why no further batch is begun."""

    reason: str = ""
    error: ConfmigError | None = None


def apply_plan(
    environment: Environment,
    run: RunFile,
    on_drift: OnDrift,
    progress: Progress,
    stopping: Callable[[], bool],
    files: OpenFile | None = None,
) -> ApplyResult:
    """Apply what is not applied yet of a run's plan.

    Args:
        environment: The target.
        run: The run file; outcomes are written to it before and after each request.
        on_drift: Whether a row that is no longer as planned stops the run or is skipped.
        progress: Told of each batch that ended.
        stopping: When it says true, no further batch is begun; those on their way are waited for and recorded.
        files: Opens the payloads of file columns by their ids in the package; a plan without files needs none.

    An error that ends the run, a missing privilege or an environment that does not answer any more, is part of the
    result: what was done until then is on record.
    """
    environment.prepare(run.header.tables)  # all at once, before several threads ask one by one
    application = _Application(environment, run, on_drift, progress, stopping, files)
    stop = application.run()
    return ApplyResult(run.counts(), application.written, stop.reason, stop.error)


class _Application:
    def __init__(
        self,
        environment: Environment,
        run: RunFile,
        on_drift: OnDrift,
        progress: Progress,
        stopping: Callable[[], bool],
        files: OpenFile | None,
    ) -> None:
        self._environment = environment
        self._run = run
        self._on_drift = on_drift
        self._progress = progress
        self._stopping = stopping
        self._files = files
        self._unclear = run.unclear()
        self._failed_rows: set[tuple[str, str]] = set()
        self._stop = _Stop()
        self.written = 0
        self._running: dict[Future[BatchResult], list[Change]] = {}

    def run(self) -> _Stop:
        """Run step after step until the plan is done or something stops it."""
        workers = max(1, min(self._environment.parallel, MOST_PARALLEL))
        with closing(self._run.pending()) as pending, ThreadPoolExecutor(max_workers=workers) as pool:
            # As many batches as threads are under way: one that is begun is really being written.
            for step in steps(pending):
                for batch in step:
                    if self._is_stopped():
                        break
                    self._begin(pool, self._without_failed_rows(batch))
                    while len(self._running) >= (min(workers, _MOST_LARGE_FILES) if _is_large(batch) else workers):
                        self._collect()
                while self._running:
                    self._collect()
                if self._is_stopped():
                    break
        return self._stop

    def _is_stopped(self) -> bool:
        if self._stopping() and not self._stop.reason:
            self._stop.reason = "it was asked to stop"
        return bool(self._stop.reason or self._stop.error)

    def _begin(self, pool: ThreadPoolExecutor, batch: list[Change]) -> None:
        if batch:
            self._run.record(Outcome(change.seq, Status.SENT) for change in batch)
            self._running[pool.submit(self._apply, batch)] = batch

    def _apply(self, batch: list[Change]) -> BatchResult:
        if batch[0].phase is Phase.FILES and self._files is not None:
            return apply_file(self._environment, batch[0], self._files, unclear=batch[0].seq in self._unclear)
        return apply_batch(self._environment, batch, self._on_drift, self._unclear)

    def _collect(self) -> None:
        """Wait for a batch to end and put its outcomes on record."""
        done, _ = wait(self._running, return_when=FIRST_COMPLETED)
        for future in done:
            batch = self._running.pop(future)
            error = future.exception()
            if isinstance(error, ConfmigError):
                # What was sent of the batch stays "sent": the next run reads back what became of it.
                self._stop.error = self._stop.error or error
                continue
            self._take(batch, future.result())

    def _take(self, batch: Sequence[Change], result: BatchResult) -> None:
        self._run.record(result.outcomes)
        self.written += result.written
        created = {change.seq: (change.table, change.id) for change in batch if change.action is Action.CREATE}
        bad = [outcome for outcome in result.outcomes if outcome.status is not Status.APPLIED]
        self._failed_rows.update(created[outcome.seq] for outcome in bad if outcome.seq in created)
        self._progress(len(result.outcomes), batch[0].table)
        if result.access:
            self._stop.error = self._stop.error or AccessError(
                f"Writing {batch[0].table}: access is denied: {result.access}",
                "Give the application user a security role with that privilege, and run the import again: it resumes.",
            )
        stale = [outcome for outcome in bad if outcome.status is Status.STALE]
        if stale and self._on_drift is OnDrift.STOP and not self._stop.reason:
            by_seq = {change.seq: change for change in batch}
            first = by_seq[stale[0].seq]
            self._stop.reason = f"the target has moved: {first.table} {first.id} {stale[0].message}" + (
                f" (and {len(stale) - 1} more rows)" if len(stale) > 1 else ""
            )

    def _without_failed_rows(self, batch: Iterable[Change]) -> list[Change]:
        """The batch without changes to rows whose creation failed; those get their outcome here."""
        left: list[Change] = []
        skipped: list[Outcome] = []
        for change in batch:
            if change.action is not Action.CREATE and (change.table, change.id) in self._failed_rows:
                skipped.append(Outcome(change.seq, Status.SKIPPED, "its row could not be created"))
            else:
                left.append(change)
        if skipped:
            self._run.record(skipped)
        return left


def _is_large(batch: Sequence[Change]) -> bool:
    """Whether a batch is a large file."""
    return any(isinstance(value, FileContent) and value.size > _LARGE_FILE for value in batch[0].after.values())
