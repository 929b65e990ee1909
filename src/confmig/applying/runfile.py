"""The run file: a copy of the plan with an outcome for every change, written before and after each request.

It is the journal that a repeated import goes on from, and the evidence that the report shows.
"""

import shutil
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

from confmig.applying.outcomes import Outcome, Status
from confmig.errors import PlanError, UsageError
from confmig.planning.plan import WRITING, Change, TableCounts
from confmig.planning.planfile import PlanFile, change_from_row, count_changes

_TABLES = """
CREATE TABLE outcomes (
    seq INTEGER PRIMARY KEY, status TEXT NOT NULL, attempts INTEGER NOT NULL, message TEXT, code TEXT, request_id TEXT,
    at TEXT NOT NULL
);
"""
_RECORD = """
INSERT INTO outcomes VALUES (?, ?, 1, ?, ?, ?, ?)
ON CONFLICT (seq) DO UPDATE SET status = excluded.status, attempts = attempts + (excluded.status = 'sent'),
    message = excluded.message, code = excluded.code, request_id = excluded.request_id, at = excluded.at
"""


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
    def start(cls, plan: Path, path: Path) -> "RunFile":
        """Open the run of a plan: a new one, or the one that was interrupted.

        Raises:
            UsageError: The file holds the run of another plan.
        """
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            partial = path.with_name(path.name + ".part")
            shutil.copyfile(plan, partial)
            with closing(sqlite3.connect(partial)) as connection:
                connection.executescript("DROP TABLE IF EXISTS outcomes;" + _TABLES)
            partial.replace(path)
            return cls(path)
        with PlanFile(plan) as planned:
            digest = planned.header.digest
        run = cls.open(path)
        if run.header.digest != digest:
            run.close()
            raise UsageError(f"{path}: this is the run of another plan.", "Give --run a name of its own for each plan.")
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
        found = run._connection.execute("SELECT count(*) FROM sqlite_master WHERE name = 'outcomes'").fetchone()[0]
        if not found:
            run.close()
            raise UsageError(f"{path}: this is a plan, not the file of a run.", hint)
        return run

    def __enter__(self) -> "RunFile":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file, with its journal folded in."""
        self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self._connection.execute("PRAGMA journal_mode=DELETE")
        self._plan.close()

    @property
    def plan(self) -> PlanFile:
        """The plan in it."""
        return self._plan

    def pending(self) -> Iterator[Change]:
        """The changes that are not applied yet, in the order in which they are applied."""
        marks = ",".join("?" * len(WRITING))
        query = (
            "SELECT c.* FROM changes c LEFT JOIN outcomes o USING (seq)"  # noqa: S608  # constants of ours
            f" WHERE c.action IN ({marks}) AND (o.status IS NULL OR o.status <> 'applied') ORDER BY c.seq"
        )
        # The same connection writes outcomes meanwhile; they are of changes that were read already.
        with closing(self._connection.execute(query, [action.value for action in WRITING])) as cursor:
            while rows := cursor.fetchmany(1_000):
                yield from (change_from_row(row) for row in rows)

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
        return next(self.pending(), None) is None

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


def free_path(path: Path) -> Path:
    """The path, or a numbered one beside it: a run file is evidence and never replaced."""
    numbered = (path.with_stem(f"{path.stem}-{number}") for number in count(2))
    return path if not path.exists() else next(other for other in numbered if not other.exists())
