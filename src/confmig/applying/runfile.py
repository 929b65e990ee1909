"""The run file: a copy of the plan with an outcome for every change, written before and after each request.

It is the journal that a repeated import goes on from, and the evidence that the report shows.
"""

import sqlite3
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing, suppress
from datetime import UTC, datetime
from itertools import count, takewhile
from pathlib import Path

from confmig.applying.outcomes import Outcome, Status
from confmig.errors import PlanError, UsageError
from confmig.planning.counting import count_changes
from confmig.planning.plan import WRITING, Change, TableCounts
from confmig.planning.planfile import RUN_TABLE, RUN_TABLES, PlanFile, change_from_row

_RECORD = """
INSERT INTO outcomes VALUES (?, ?, 1, ?, ?, ?, ?)
ON CONFLICT (seq) DO UPDATE SET status = excluded.status, attempts = attempts + (excluded.status = 'sent'),
    message = excluded.message, code = excluded.code, request_id = excluded.request_id, at = excluded.at
"""
_PENDING = (
    "SELECT c.* FROM changes c LEFT JOIN outcomes o USING (seq)"  # noqa: S608  # constants of ours
    f" WHERE c.action IN ({', '.join(repr(action.value) for action in WRITING)})"
    " AND (o.status IS NULL OR o.status <> 'applied') ORDER BY c.seq"
)


class RunFile:
    """One run of one plan. Use as a context manager; one thread writes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._plan = PlanFile(path)
        self._connection = self._plan.connection
        self.header = self._plan.header
        try:
            # Held until the file is closed: two imports writing one journal would both be wrong.
            self._connection.execute("PRAGMA locking_mode=EXCLUSIVE")
            self._connection.executescript(
                "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; BEGIN EXCLUSIVE; COMMIT;"
            )
        except sqlite3.Error as error:
            self._plan.close()
            raise UsageError(
                f"{path}: the run file cannot be used: {error}.", "Another import may be using it; give each its own."
            ) from error

    @classmethod
    def start(cls, plan: PlanFile, path: Path) -> "RunFile":
        """Open the run of a plan: a new one, or the one that was interrupted.

        What is applied is what stands in the run file. So that, and not only the plan, must give the plan's digest.

        Raises:
            PlanError: What stands there gives another digest than it claims.
            UsageError: The file holds the run of another plan.
        """
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            partial = path.with_name(path.name + ".part")
            partial.unlink(missing_ok=True)
            with closing(sqlite3.connect(partial)) as copy:
                plan.connection.backup(copy)  # a file's bytes are not all that SQLite reads: there may be a log beside
                copy.executescript("PRAGMA journal_mode=DELETE; DROP TABLE IF EXISTS outcomes;" + RUN_TABLES)
            partial.replace(path)
        run = cls.open(path)
        try:
            run.plan.require_untouched()
            if run.header.digest != plan.header.digest:
                raise UsageError(
                    f"{path}: this is the run of another plan.", "Give --run a name of its own for each plan."
                )
        except BaseException:
            run.close()
            raise
        return run

    @classmethod
    def open(cls, path: Path) -> "RunFile":
        """Open a run file that exists.

        Raises:
            UsageError: It is none, or another import is using it.
        """
        hint = "Give the file that an import wrote, or a name that is free."
        try:
            run = cls(path)
        except PlanError as error:
            raise UsageError(f"{path}: this is no run file.", hint) from error
        query = "SELECT count(*) FROM sqlite_master WHERE name = ?"
        found = run._connection.execute(query, [RUN_TABLE]).fetchone()[0]
        if not found:
            run.close()
            raise UsageError(f"{path}: this is a plan, not the file of a run.", hint)
        return run

    def __enter__(self) -> "RunFile":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file, with its journal folded in.

        What keeps the journal apart must not hide the error that ends the run; closing the connection folds it in too.
        """
        with suppress(sqlite3.OperationalError):
            self._connection.rollback()
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            self._connection.execute("PRAGMA journal_mode=DELETE")
        self._plan.close()

    @property
    def plan(self) -> PlanFile:
        """The plan in it."""
        return self._plan

    def pending(self) -> Generator[Change, None, None]:
        """The changes that are not applied yet, in the order of the plan. To be closed before the file is."""
        # The same connection writes outcomes meanwhile; they are of changes that were read already.
        with closing(self._connection.execute(_PENDING)) as cursor:
            while rows := cursor.fetchmany(1_000):
                yield from (change_from_row(row) for row in rows)

    def unclear(self) -> frozenset[int]:
        """The changes that an earlier import may have made: they were on their way, or their answer was lost."""
        query = f"SELECT seq FROM {RUN_TABLE} WHERE status IN (?, ?)"  # noqa: S608  # a name of ours
        return frozenset(seq for (seq,) in self._connection.execute(query, [Status.SENT, Status.UNKNOWN]))

    def not_applied(self, limit: int) -> Iterator[tuple[Change, Outcome]]:
        """The changes with an outcome other than applied, with it."""
        query = """
            SELECT c.*, o.status, o.message, o.code, o.request_id FROM changes c JOIN outcomes o USING (seq)
            WHERE o.status <> 'applied' ORDER BY c.seq LIMIT ?
        """
        for row in self._connection.execute(query, [limit]):
            *change, status, message, code, request_id = row
            yield change_from_row(tuple(change)), Outcome(row[0], Status(status), message, code, request_id)

    def record(self, outcomes: Iterable[Outcome]) -> None:
        """Write outcomes, in one transaction."""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        rows = [(o.seq, o.status.value, o.message, o.code, o.request_id, now) for o in outcomes]
        self._connection.execute("BEGIN")
        self._connection.executemany(_RECORD, rows)
        self._connection.execute("COMMIT")

    def can_resume(self, organization_id: str, package_digest: str) -> bool:
        """Whether it is the unfinished run of this package into this organization."""
        header = self.header
        same = (header.target_organization, header.package_digest) == (organization_id, package_digest)
        return same and not self.is_finished()

    def is_finished(self) -> bool:
        """Whether nothing is left to be applied."""
        return _is_finished(self._plan)

    def applied_counts(self) -> list[TableCounts]:
        """How many rows of each table were created, updated and so on; what is not applied counts as nothing."""
        marks = ",".join(f"'{action.value}'" for action in WRITING)
        self._connection.execute(
            "CREATE TEMP VIEW IF NOT EXISTS settled AS SELECT c.* FROM changes c LEFT JOIN outcomes o USING (seq)"  # noqa: S608
            f" WHERE c.action NOT IN ({marks}) OR o.status = 'applied'"
        )
        return count_changes(self._connection, "settled")

    def counts(self) -> dict[Status, int]:
        """How many changes ended how."""
        query = "SELECT status, count(*) FROM outcomes GROUP BY status"
        return {Status(status): count for status, count in self._connection.execute(query)}


def _is_finished(run: PlanFile) -> bool:
    try:
        return run.connection.execute(f"{_PENDING} LIMIT 1").fetchone() is None
    except sqlite3.OperationalError:  # no run at all: the caller is told so when it is opened
        return False


def free_path(path: Path) -> Path:
    """The path, or a numbered one beside it: a run file is evidence and never replaced."""
    return next(other for other in _numbered(path) if not other.exists())


def taken_paths(path: Path) -> Iterator[Path]:
    """The path and the numbered ones beside it that have been given to runs, the first first."""
    return takewhile(Path.exists, _numbered(path))


def path_of_run(plan: PlanFile, path: Path) -> Path:
    """Where the outcomes of applying a plan go: into its run that did not end, else under a name that is free.

    What has ended is evidence of that time: the same plan is applied again when somebody has changed the target back.
    """
    for other in _numbered(path):
        if not other.exists():
            return other
        with PlanFile(other) as run:  # only looked at: opening it as a run would touch its bytes
            same = run.header.digest == plan.header.digest
            if (same and not _is_finished(run)) or (not same and other == path):
                return other  # of another plan: the caller is told so when it is opened
    raise AssertionError("numbers do not end")


def _numbered(path: Path) -> Iterator[Path]:
    """``a.run``, ``a-2.run``, ``a-3.run``, …."""
    yield path
    yield from (path.with_stem(f"{path.stem}-{number}") for number in count(2))
