"""One file: its row is looked at again, the payload goes from the package to the target, and the outcome is told.

A file column has no values that could be read back as a row's have. What tells is the id, which changes with every
upload [inferred], and where that is another one than planned, name and content.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing
from hashlib import sha256
from typing import IO

from confmig.applying.batch import TRIES, BatchResult, access_fault, outcome_of
from confmig.applying.outcomes import Outcome, Status
from confmig.errors import PackageError
from confmig.model.printable import printable
from confmig.model.values import FileContent, FileRef, Value
from confmig.planning.files import hash_of
from confmig.planning.plan import Change
from confmig.webapi.environment import Environment
from confmig.webapi.files import BLOCK
from confmig.webapi.writes import WriteStatus

OpenFile = Callable[[str], AbstractContextManager[IO[bytes]]]
"""Opens the payload of a file column by its id in the package."""


def apply_file(environment: Environment, change: Change, files: OpenFile, *, unclear: bool) -> BatchResult:
    """Upload the file of one change.

    Args:
        environment: The target.
        change: The change; it has one column, and the file that it is to hold.
        files: Opens the payload.
        unclear: Whether an earlier import may have made the change, since no answer came.

    Raises:
        PackageError: The package does not hold the file that was planned.
        ConfmigError: The environment could not be read, or did not answer properly.
    """
    ((column, after),) = change.after.items()
    assert isinstance(after, FileContent)  # noqa: S101  # changes of this phase hold nothing else
    if settled := _settle(environment, change, column, after, unclear=unclear):
        return BatchResult((settled,))
    for _ in range(TRIES):
        with files(after.id) as payload:
            blocks = _checked_blocks(payload, after)
            result = environment.write_file(change.table, change.id, column, after.name, blocks)
        if result.status is not WriteStatus.LOST:
            written = int(result.status is WriteStatus.DONE)
            return BatchResult((outcome_of(change, result),), written, access_fault([result]))
        if settled := _settle(environment, change, column, after, unclear=True):
            return BatchResult((settled,), int(settled.status is Status.APPLIED))
    return BatchResult((Outcome(change.seq, Status.UNKNOWN, "the answer was lost, three times"),))


def _settle(
    environment: Environment, change: Change, column: str, after: FileContent, *, unclear: bool
) -> Outcome | None:
    """The outcome of a change that needs no upload, or must not have one; None when the file is to be uploaded."""
    readable = environment.describe([change.table])[change.table].columns[column].readable
    row = next(environment.read_rows_by_id(change.table, [column] if readable else [], [change.id]), None)
    if row is None:
        return Outcome(change.seq, Status.STALE, "the row is gone since the plan was made")
    known = row.values.get(column)
    if column in change.before and _id_of(known) == _id_of(change.before[column]):
        return None
    if isinstance(known, FileRef) and _holds(environment, change, column, known, after):
        return Outcome(change.seq, Status.APPLIED)
    if column not in change.before:
        return None  # a row that this plan made had no file before
    if unclear:
        message = f"the answer was lost, and neither the file before nor the one planned is there: {column}"
        return Outcome(change.seq, Status.UNKNOWN, message)
    return Outcome(change.seq, Status.STALE, f"changed since the plan was made: {column}")


def _id_of(value: Value) -> str | None:
    return value.id if isinstance(value, FileRef | FileContent) else None


def _holds(environment: Environment, change: Change, column: str, known: FileRef, after: FileContent) -> bool:
    if known.name != after.name:
        return False
    with closing(environment.open_file(change.table, change.id, column)) as stored:
        return stored.size == after.size and hash_of(stored) == after.sha256


def _checked_blocks(payload: IO[bytes], after: FileContent) -> Iterator[bytes]:
    """The payload in blocks; before the upload is completed it must have turned out to be the planned one.

    Raises:
        PackageError: It is another.
    """
    content = sha256()
    while block := _read(payload):
        content.update(block)
        yield block
    if content.hexdigest() != after.sha256:
        raise PackageError(
            f"The payload of file {after.id} ({printable(after.name)}) is not the one that the plan was made from.",
            "Give the package that the plan was made from, unchanged.",
        )


def _read(payload: IO[bytes]) -> bytes:
    """A whole block, or what is left: a stream may give less at once than it is asked for."""
    block = bytearray()
    while len(block) < BLOCK and (part := payload.read(BLOCK - len(block))):
        block += part
    return bytes(block)
