"""Whatever is sent in whatever order, the rows are those that a small model of the service has."""

import itertools
import json
import re
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from confmig.emulator.http.server import Emulator
from confmig.emulator.options import EmulatorOptions
from tests.emulator.client import Client

from .operations import Operation, batches, singles
from .reference import Model

OFFICE = Path(__file__).with_name("office.yml")
YEAR = 2026
WORLDS = itertools.count()

Request = tuple[str, str, dict[str, Any] | None, dict[str, str]]


class World:
    """The rows of one example in the emulator: ids, names and frame numbers that no other example has."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.mark = f"w{next(WORLDS):05}"
        for rider in (0, 1):
            client.create("contacts", {"contactid": self.rider(rider), "lastname": self.mark})

    def bicycle(self, number: int) -> str:
        return str(uuid.uuid5(uuid.NAMESPACE_OID, f"{self.mark} bicycle {number}"))

    def rider(self, number: int) -> str:
        return str(uuid.uuid5(uuid.NAMESPACE_OID, f"{self.mark} rider {number}"))

    def row(self, operation: Operation) -> dict[str, Any]:
        frame = operation.frame and self.mark + operation.frame
        return {"new_name": f"{self.mark} {operation.name}", "new_frame": frame, "new_year": YEAR}

    def request(self, operation: Operation) -> Request:
        """Method, path, body and headers."""
        there = f"new_bicycles({self.bicycle(operation.bicycle)})"
        rider, must_be_there = f"contacts({self.rider(operation.rider)})", {"If-Match": "*"}
        row = self.row(operation)
        new = {"new_bicycleid": self.bicycle(operation.bicycle), **row}
        if operation.kind == "create_many":
            kind = {"@odata.type": "Microsoft.Dynamics.CRM.new_bicycle"}
            items = [{**kind, "new_bicycleid": self.bicycle(one.bicycle), **self.row(one)} for one in operation.items]
            return "POST", "new_bicycles/Microsoft.Dynamics.CRM.CreateMultiple", {"Targets": items}, {}
        if operation.kind == "upsert_by_key":
            path = f"new_bicycles(new_frame='{row['new_frame']}',new_year={YEAR})"
            return "PATCH", path, {"new_name": row["new_name"]}, {}
        requests: dict[str, Request] = {
            "create": ("POST", "new_bicycles", new, {}),
            "update": ("PATCH", there, row, must_be_there),
            "upsert": ("PATCH", there, row, {}),
            "delete": ("DELETE", there, None, {}),
            "delete_rider": ("DELETE", rider, None, {}),
            "hold": ("PATCH", there, {"new_holderid_contact@odata.bind": f"/{rider}"}, must_be_there),
            "associate": ("POST", f"{there}/new_riders/$ref", {"@odata.id": self.client.root + rider}, {}),
            "disassociate": ("DELETE", f"{there}/new_riders({self.rider(operation.rider)})/$ref", None, {}),
        }
        return requests[operation.kind]

    def part(self, operation: Operation, content_id: int) -> str:
        if operation.kind == "change_set":
            inside = "".join(f"--set\r\n{self.part(item, n)}" for n, item in enumerate(operation.items))
            return f"Content-Type: multipart/mixed; boundary=set\r\n\r\n{inside}--set--\r\n\r\n"
        method, path, body, headers = self.request(operation)
        head = "Content-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n"
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        text = "" if body is None else json.dumps(body)
        kind = "Content-Type: application/json\r\n" if body is not None else ""
        line = f"{method} {self.client.root}{path} HTTP/1.1\r\n"
        return f"{head}Content-ID: {content_id}\r\n\r\n{line}{kind}{lines}\r\n{text}\r\n"

    def do(self, operation: Operation) -> list[bool]:
        """Send an operation; what each of its requests answered."""
        if operation.kind in ("batch", "batch_to_the_end"):
            parts = "".join(f"--all\r\n{self.part(item, n)}" for n, item in enumerate(operation.items))
            headers = {"Content-Type": "multipart/mixed; boundary=all"}
            if operation.kind == "batch_to_the_end":
                headers["Prefer"] = "odata.continue-on-error"
            reply = self.client.send("POST", "$batch", f"{parts}--all--\r\n".encode(), **headers)
            return [int(status) < 400 for status in re.findall(r"^HTTP/1\.1 (\d+)", reply.text, re.MULTILINE)]
        method, path, body, headers = self.request(operation)
        return [self.client.send(method, path, body, **headers).ok]

    def rows(self) -> list[tuple[str, str, object, list[str]]]:
        """What the emulator has: name, frame number, holder and riders of each bicycle."""
        query = (
            "new_bicycles?$select=new_name,new_frame,_new_holderid_value&$expand=new_riders($select=contactid)"
            f"&$filter=startswith(new_name,'{self.mark}')"
        )
        return sorted(
            (
                row["new_name"],
                row["new_frame"] or "",
                row["_new_holderid_value"] or "",
                sorted(rider["contactid"] for rider in row["new_riders"]),
            )
            for row in self.client.get(query)["value"]
        )

    def expected(self, model: Model) -> list[tuple[str, str, object, list[str]]]:
        """What the model has, in the same words."""
        return sorted(
            (
                f"{self.mark} {row['name']}",
                self.mark + row["frame"] if row["frame"] else "",
                "" if row["holder"] is None else self.rider(row["holder"]),
                sorted(self.rider(rider) for rider in row["riders"]),
            )
            for row in model.rows.values()
        )


def answers(model: Model, operation: Operation) -> list[bool]:
    """What the model answers to an operation."""
    if operation.kind in ("batch", "batch_to_the_end"):
        return model.batch(operation, on=operation.kind == "batch_to_the_end")
    return [model.do(operation)]


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    with Emulator(EmulatorOptions(environment=str(OFFICE))) as emulator:
        opened = Client(emulator.url)
        yield opened
        opened.close()


@settings(deadline=None, max_examples=150)
@given(operations=st.lists(singles | batches, max_size=10))
def test_the_rows_are_those_of_the_model(client: Client, operations: list[Operation]) -> None:
    world, model = World(client), Model()
    for operation in operations:
        assert world.do(operation) == answers(model, operation), operation
        assert world.rows() == world.expected(model), operation
