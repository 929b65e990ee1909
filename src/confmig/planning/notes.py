"""Notes of a plan, counted: a thousand rows with the same remark make one line."""

from confmig.planning.plan import Note


class Notes:
    """Collects notes; equal ones are counted."""

    def __init__(self) -> None:
        self._notes: dict[tuple[str, str, str, str], Note] = {}

    def add(self, kind: str, table: str, column: str, message: str, example: str = "", count: int = 1) -> None:
        """Add one, or count it."""
        known = self._notes.get((table, column, kind, message))
        if known is None:
            self._notes[table, column, kind, message] = Note(kind, table, column, message, example, count)
        else:
            known.count += count

    def all(self) -> list[Note]:
        """All notes, by table, column and kind."""
        return [self._notes[key] for key in sorted(self._notes)]
