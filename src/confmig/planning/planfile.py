"""The plan file: one SQLite file with a header and the changes in the order in which they are applied.

It holds every value but files and images by the byte, so an approver approves exactly what is applied. The plan digest
is over what matters: who, what, the policies, and of every change its row, action and the columns that are written.
"""

import hashlib
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import msgspec

from confmig.errors import PlanError, UsageError
from confmig.model.codec import decode_values, encode_values, plain_values
from confmig.planning.counting import count_changes
from confmig.planning.plan import WRITING, Action, Change, MatchedBy, Note, Phase, TableCounts

FORMAT_VERSION = "2"
_UNREADABLE = (msgspec.MsgspecError, ValueError, TypeError, LookupError, AttributeError, ArithmeticError)
"""What reading a change raises that is none."""
_PORTION = 1_000
_LOCK_SECONDS = 2.0

_TABLES = """
CREATE TABLE header (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE notes (kind TEXT, tbl TEXT, col TEXT, message TEXT, example TEXT, count INTEGER);
CREATE TABLE changes (
    seq INTEGER PRIMARY KEY, phase INTEGER, rank INTEGER, level INTEGER, tbl TEXT, id TEXT, source_id TEXT, name TEXT,
    action TEXT, relationship TEXT, other_id TEXT, before TEXT, after TEXT, matched_by TEXT, reason TEXT,
    version TEXT, keys TEXT
);
CREATE INDEX by_table ON changes (tbl, action);
CREATE INDEX by_row ON changes (tbl, id);
"""
RUN_TABLE = "outcomes"
"""The table that makes a plan file into the file of its run."""
RUN_TABLES = """
CREATE TABLE outcomes (
    seq INTEGER PRIMARY KEY, status TEXT NOT NULL, attempts INTEGER NOT NULL, message TEXT, code TEXT, request_id TEXT,
    at TEXT NOT NULL
);
"""
_COLUMNS = (
    "phase, rank, level, tbl, id, source_id, name, action, relationship, other_id, before, after, matched_by, reason,"
    " version, keys"
)
_INSERT = "INSERT INTO incoming VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_ORDER = "phase, rank, level, tbl, relationship, action, id, other_id, source_id, after"


@dataclass(frozen=True, slots=True)
class PlanHeader:
    """What a plan is about.

    ``refusals`` are the reasons why it may not be applied as it is; a plan without any may be. ``tables`` are all
    tables that applying it touches or points to. ``source_organization`` and ``source_solutions`` are what the
    package's manifest says of the source; empty when it has none. ``as_of`` is the moment that relative dates were
    moved to, counted from when the package was ``exported``; both are empty in a plan that is the same at any time.
    """

    target_organization: str
    target_url: str
    package_digest: str
    schema_digest: str
    tool_version: str
    policies: dict[str, str] = field(default_factory=dict)
    package: str = ""
    created: str = ""
    refusals: list[str] = field(default_factory=list)
    tables: list[str] = field(default_factory=list)
    target_version: str = ""
    source_organization: str = ""
    source_url: str = ""
    source_solutions: dict[str, str] = field(default_factory=dict)
    as_of: str = ""
    exported: str = ""
    digest: str = ""
    format_version: str = FORMAT_VERSION


def discard_old_plan(path: Path) -> None:
    """Remove the plan that an earlier call left under this name: it would be taken for the new one.

    Raises:
        UsageError: The file there is no plan, or is the file of a run, which is evidence.
    """
    if not path.exists():
        return
    hint = "Give another name with --plan."
    try:
        with closing(sqlite3.connect(path)) as connection:
            names = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
    except sqlite3.Error:
        names = set()
    if "changes" not in names:
        raise UsageError(f"{path}: this file is no plan, and would be replaced by one.", hint)
    if RUN_TABLE in names:
        raise UsageError(f"{path}: this is the file of a run, which is never replaced.", hint)
    path.unlink()


class PlanWriter:
    """Writes a plan file; it appears under its name once ``finish`` was called. Use as a context manager."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._partial = path.with_name(path.name + ".part")
        self._partial.unlink(missing_ok=True)
        self._finished = False
        try:
            self._connection = sqlite3.connect(self._partial, isolation_level=None)
            self._connection.executescript("PRAGMA journal_mode=MEMORY; PRAGMA synchronous=OFF;" + _TABLES)
        except sqlite3.Error as error:
            raise UsageError(
                f"{path}: the plan file cannot be written: {error}.", "Check the path given with --plan."
            ) from error
        self._connection.execute("CREATE TEMP TABLE incoming AS SELECT * FROM changes")
        self._rows: list[tuple[object, ...]] = []
        self._seq = 0

    def __enter__(self) -> "PlanWriter":
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()
        if self._finished:
            self._partial.replace(self._path)
        self._partial.unlink(missing_ok=True)

    def add(self, change: Change) -> None:
        """Add one change, in any order."""
        self._seq += 1
        self._rows.append(_to_row(self._seq, change))
        if len(self._rows) >= _PORTION:
            self._flush()

    def _flush(self) -> None:
        self._connection.execute("BEGIN")
        self._connection.executemany(_INSERT, self._rows)
        self._connection.execute("COMMIT")
        self._rows.clear()

    def finish(self, header: PlanHeader, notes: Iterable[Note]) -> PlanHeader:
        """Bring the changes into their order, compute the digest, write the header, which is given back."""
        self._flush()
        connection = self._connection
        connection.execute(
            "INSERT INTO changes SELECT row_number() OVER (ORDER BY "  # noqa: S608  # constants of ours
            f"{_ORDER}), {_COLUMNS} FROM incoming"
        )
        digest = _plan_digest(connection, header)
        created = header.created or datetime.now(UTC).isoformat(timespec="seconds")
        whole = replace(header, created=created, digest=digest)
        connection.execute("BEGIN")
        connection.executemany("INSERT INTO header VALUES (?, ?)", _header_rows(whole))
        connection.executemany(
            "INSERT INTO notes VALUES (?, ?, ?, ?, ?, ?)",
            ((n.kind, n.table, n.column, n.message, n.example, n.count) for n in notes),
        )
        connection.execute("COMMIT")
        self._finished = True
        return whole


def _to_row(seq: int, change: Change) -> tuple[object, ...]:
    return (
        seq,
        int(change.phase),
        change.rank,
        change.level,
        change.table,
        change.id,
        change.source_id,
        change.name,
        change.action.value,
        change.relationship,
        change.other_id,
        encode_values(change.before) if change.before else "{}",
        encode_values(change.after) if change.after else "{}",
        change.matched_by.value if change.matched_by else None,
        change.reason,
        change.version,
        ",".join(change.key),
    )


def change_from_row(row: tuple[object, ...]) -> Change:
    """A change from a line of the table ``changes``, its columns in the order of the table."""
    seq, phase, rank, level, table, row_id, source_id, name, action, relationship, other, *rest = row
    before, after, by, why, version, keys = rest
    return Change(
        phase=Phase(int(str(phase))),
        table=str(table),
        id=str(row_id),
        action=Action(str(action)),
        source_id=str(source_id),
        name=str(name),
        rank=int(str(rank)),
        level=int(str(level)),
        before=decode_values(str(before)),
        after=decode_values(str(after)),
        relationship=str(relationship),
        other_id=str(other),
        matched_by=MatchedBy(str(by)) if by else None,
        reason=str(why),
        version=str(version) if version else None,
        key=tuple(str(keys).split(",")) if keys else (),
        seq=int(str(seq)),
    )


def _header_rows(header: PlanHeader) -> Iterator[tuple[str, str]]:
    for key, value in asdict(header).items():
        yield key, msgspec.json.encode(value).decode()


def _plan_digest(connection: sqlite3.Connection, header: PlanHeader) -> str:
    """SHA-256 over organization, package, policies, refusals, and every writing change's place, row and columns.

    Source, solutions and tables are in it because they decide which versions are compared before the plan is applied.
    """
    digest = hashlib.sha256()
    about = [header.target_organization, header.package_digest, sorted(header.policies.items()), header.refusals]
    origin = [header.source_organization, sorted(header.source_solutions.items()), sorted(header.tables)]
    digest.update(msgspec.json.encode([*about, *origin]))
    marks = ",".join("?" * len(WRITING))
    query = (
        "SELECT phase, rank, level, tbl, id, action, relationship, other_id, keys, before, after FROM changes"  # noqa: S608
        f" WHERE action IN ({marks}) ORDER BY seq"
    )
    rows = connection.execute(query, [action.value for action in WRITING])
    for *what, before, after in rows:
        # The names that lookups carry are for people, and no part of the value.
        written = [encode_values(plain_values(decode_values(text))) for text in (before, after)]
        digest.update(msgspec.json.encode([what, written]))
    return digest.hexdigest()


@cache
def _plain_tables() -> frozenset[tuple[str, str | None]]:
    """What the databases of plans and of their runs consist of, as SQLite describes it."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(_TABLES + RUN_TABLES)
        return frozenset(connection.execute("SELECT type, sql FROM sqlite_master"))


class PlanFile:
    """A plan file, read. Use as a context manager.

    Raises:
        PlanError: It is no plan file, or one of another format.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        if not path.is_file():
            raise PlanError(f"{path}: there is no such plan file.", "Make one with confmig plan, and check the path.")
        self.connection = sqlite3.connect(path, isolation_level=None, timeout=_LOCK_SECONDS)
        try:
            self.header = self._read_header()
        except (sqlite3.DatabaseError, msgspec.DecodeError, TypeError, ValueError) as error:
            self.close()
            if "locked" in str(error):
                raise UsageError(f"{path}: another import is using this run.", "Wait until it has ended.") from error
            raise PlanError(f"{path}: this is no plan file: {error}.", "Make one with confmig plan.") from error
        except PlanError:
            self.close()
            raise

    def _read_header(self) -> PlanHeader:
        self._require_plain_tables()
        values = {key: msgspec.json.decode(value) for key, value in self.connection.execute("SELECT * FROM header")}
        if not values:
            raise PlanError(f"{self.path}: this plan is not finished.", "Make it again with confmig plan.")
        version = values.get("format_version")
        if version != FORMAT_VERSION:
            raise PlanError(
                f"{self.path}: a plan of format {version}; this confmig reads format {FORMAT_VERSION}.",
                "Make the plan again with this version.",
            )
        return msgspec.convert(values, PlanHeader)

    def _require_plain_tables(self) -> None:
        """Refuse a file with anything in it that could show other changes than it holds: views, triggers, …."""
        found = self.connection.execute("SELECT type, name, sql FROM sqlite_master").fetchall()
        foreign = [name for kind, name, sql in found if (kind, sql) not in _plain_tables()]
        # To SQLite, a view that is called CHANGES is what a query of changes reads.
        if foreign and any(name.lower() == "changes" for _, name, _ in found):
            raise PlanError(
                f"{self.path}: the plan was changed after it was made: it holds {', '.join(foreign)}.",
                "Make the plan again, and apply it unchanged.",
                reason="plan-changed",
            )

    def __enter__(self) -> "PlanFile":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self.connection.close()

    def require_untouched(self) -> None:
        """Check that the changes are those that the digest was computed over.

        Raises:
            PlanError: They are not: the file was changed after it was made.
        """
        digest = None  # what cannot be read has none, and so never the one that the header may claim
        with suppress(sqlite3.DatabaseError, *_UNREADABLE):
            self._require_whole()
            digest = _plan_digest(self.connection, self.header)
        if digest != self.header.digest:
            raise PlanError(
                f"{self.path}: the plan was changed after it was made: its content does not give its digest.",
                "Make the plan again, and apply it unchanged.",
                reason="plan-changed",
            )

    def _require_whole(self) -> None:
        """Check that each index has the rows of its table, since some queries read it alone, and each change is one.

        Raises:
            ValueError: They have not; whatever else reading raises means the same.
        """
        (found,) = self.connection.execute("PRAGMA integrity_check(1)").fetchone()
        if found != "ok":
            raise ValueError(found)
        for _ in self.changes():
            pass

    def changes(self, actions: Iterable[Action] = tuple(Action)) -> Iterator[Change]:
        """The changes with one of these actions, in the order in which they are applied."""
        chosen = [action.value for action in actions]
        marks = ",".join("?" * len(chosen))
        query = f"SELECT * FROM changes WHERE action IN ({marks}) ORDER BY seq"  # noqa: S608  # only question marks
        for row in self.connection.execute(query, chosen):
            yield change_from_row(row)

    def changes_of(self, table: str, row_id: str) -> list[Change]:
        """The changes of one row and of its associations, in the order in which they are applied."""
        query = "SELECT * FROM changes WHERE tbl = ? AND id = ? ORDER BY seq"
        return [change_from_row(row) for row in self.connection.execute(query, [table, row_id])]

    def count(self, actions: Iterable[Action]) -> int:
        """How many changes have one of these actions."""
        chosen = [action.value for action in actions]
        marks = ",".join("?" * len(chosen))
        query = f"SELECT count(*) FROM changes WHERE action IN ({marks})"  # noqa: S608  # only question marks
        number: int = self.connection.execute(query, chosen).fetchone()[0]
        return number

    def notes(self) -> list[Note]:
        """The notes."""
        return [Note(*row) for row in self.connection.execute("SELECT * FROM notes")]

    def counts(self) -> list[TableCounts]:
        """How many rows of each table are to be created, updated, and so on; a row counts once."""
        return count_changes(self.connection)

    def brings_files(self) -> bool:
        """Whether a change uploads a file, whose bytes only the package holds."""
        query = "SELECT count(*) FROM changes WHERE phase = ?"
        number: int = self.connection.execute(query, [int(Phase.FILES)]).fetchone()[0]
        return number > 0

    def writes(self) -> int:
        """How many changes write."""
        return self.count(WRITING)
