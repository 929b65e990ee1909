"""The reference that the emulator's rows are compared with: what each operation does, and when it is refused."""

from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from .operations import TOO_LONG, Operation


@dataclass
class Model:
    """The reference: bicycles with a name, a frame number that is a key, a holder, and riders."""

    riders: set[int] = field(default_factory=lambda: {0, 1})
    rows: dict[object, dict[str, Any]] = field(default_factory=dict)

    def do(self, operation: Operation) -> bool:
        """Do one operation, or nothing of it; says whether it succeeded."""
        before = deepcopy((self.riders, self.rows))
        done = bool(getattr(self, operation.kind)(operation))
        if not done:
            self.riders, self.rows = before
        return done

    def _fits(self, key: object, name: str, frame: str | None) -> bool:
        others = (row["frame"] for other, row in self.rows.items() if other != key)
        return name != TOO_LONG and (frame is None or frame not in others)

    def create(self, operation: Operation, key: object = None) -> bool:
        key = operation.bicycle if key is None else key
        if key in self.rows or not self._fits(key, operation.name, operation.frame):
            return False
        self.rows[key] = {"name": operation.name, "frame": operation.frame, "holder": None, "riders": set()}
        return True

    def update(self, operation: Operation, key: object = None) -> bool:
        key = operation.bicycle if key is None else key
        if key not in self.rows or not self._fits(key, operation.name, operation.frame):
            return False
        self.rows[key] |= {"name": operation.name, "frame": operation.frame}
        return True

    def upsert(self, operation: Operation) -> bool:
        return self.update(operation) if operation.bicycle in self.rows else self.create(operation)

    def upsert_by_key(self, operation: Operation) -> bool:
        found = [key for key, row in self.rows.items() if row["frame"] == operation.frame]
        return self.update(operation, found[0]) if found else self.create(operation, object())

    def create_many(self, operation: Operation) -> bool:
        return all(self.create(item) for item in operation.items)

    def delete(self, operation: Operation) -> bool:
        return self.rows.pop(operation.bicycle, None) is not None

    def delete_rider(self, operation: Operation) -> bool:
        if operation.rider not in self.riders:
            return False
        self.riders.remove(operation.rider)
        for row in self.rows.values():
            row["riders"].discard(operation.rider)
            row["holder"] = None if row["holder"] == operation.rider else row["holder"]
        return True

    def hold(self, operation: Operation) -> bool:
        there = operation.bicycle in self.rows and operation.rider in self.riders
        if there:
            self.rows[operation.bicycle]["holder"] = operation.rider
        return there

    def associate(self, operation: Operation) -> bool:
        there = operation.bicycle in self.rows and operation.rider in self.riders
        if not there or operation.rider in self.rows[operation.bicycle]["riders"]:
            return False
        self.rows[operation.bicycle]["riders"].add(operation.rider)
        return True

    def disassociate(self, operation: Operation) -> bool:
        if operation.bicycle not in self.rows:
            return False
        self.rows[operation.bicycle]["riders"].discard(operation.rider)
        return True

    def change_set(self, operation: Operation) -> bool:
        return all(self.do(item) for item in operation.items)

    def batch(self, operation: Operation, *, on: bool) -> list[bool]:
        """What each part of a batch answers; a change set that succeeds answers for each of its requests."""
        answers: list[bool] = []
        for item in operation.items:
            done = self.do(item)
            answers += [done] * (len(item.items) if item.kind == "change_set" and done else 1)
            if not (done or on):
                break
        return answers
