"""What the emulator takes and gives a second: ``make bench``. One client process, one connection, no latency model.

Rows are written by CreateMultiple, 100 a request, and read in pages of 5,000 with 15 columns each.
"""

import http.client
import json
import os
import platform
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

REQUESTS = 200
ROWS = 100
PASSES = 3
CREATE = "/api/data/v9.2/new_items/Microsoft.Dynamics.CRM.CreateMultiple"
JSON = {"Content-Type": "application/json", "Accept": "application/json"}

DEFINITION = """
name: bench
organization: {name: Bench}
tables:
  new_item:
    primary_name: new_name
    ownership: user
    columns:
      new_itemid: {type: Uniqueidentifier}
      new_name: {type: String, max_length: 200}
      new_text1: {type: String, max_length: 200}
      new_text2: {type: String, max_length: 200}
      new_text3: {type: String, max_length: 200}
      new_text4: {type: String, max_length: 200}
      new_memo: {type: Memo, max_length: 2000}
      new_whole1: {type: Integer}
      new_whole2: {type: Integer}
      new_whole3: {type: Integer}
      new_whole4: {type: Integer}
      new_decimal: {type: Decimal, precision: 4}
      new_money: {type: Money, precision: 2}
      new_flag: {type: Boolean}
      new_when: {type: DateTime}
"""
COLUMNS = [line.split(":")[0].strip() for line in DEFINITION.splitlines() if line.startswith("      new_")]


class Page(msgspec.Struct):
    """A page as far as the client looks at it: its rows one by one, and the link to the next."""

    value: list[msgspec.Raw]
    next_link: str = msgspec.field(default="", name="@odata.nextLink")


def row(number: int) -> dict[str, object]:
    return {
        "@odata.type": "Microsoft.Dynamics.CRM.new_item",
        "new_name": f"Item {number}",
        **{f"new_text{column}": f"text {number} in column {column}, Größe L" for column in range(1, 5)},
        "new_memo": f"A longer text about item {number}.",
        **{f"new_whole{column}": number * column for column in range(1, 5)},
        "new_decimal": 12.3456,
        "new_money": 99.12,
        "new_flag": number % 2 == 0,
        "new_when": "2026-01-02T03:04:05Z",
    }


def bodies() -> Iterator[bytes]:
    for first in range(0, REQUESTS * ROWS, ROWS):
        yield json.dumps({"Targets": [row(number) for number in range(first, first + ROWS)]}).encode()


def ask(connection: http.client.HTTPConnection, method: str, path: str, body: bytes | None = None) -> bytes:
    connection.request(method, path, body, JSON)
    reply = connection.getresponse()
    content = reply.read()
    assert reply.status == 200, content
    return content


def write(connection: http.client.HTTPConnection) -> float:
    """Rows written a second; the requests are ready before the time begins."""
    ready = list(bodies())
    started = time.perf_counter()
    for body in ready:
        ask(connection, "POST", CREATE, body)
    return REQUESTS * ROWS / (time.perf_counter() - started)


def read(connection: http.client.HTTPConnection) -> float:
    """Rows read a second, in pages to the end."""
    started, rows = time.perf_counter(), 0
    for _ in range(PASSES):
        link = f"/api/data/v9.2/new_items?$select={','.join(COLUMNS)}"
        while link:
            page = msgspec.json.decode(ask(connection, "GET", link), type=Page)
            rows += len(page.value)
            address = urlsplit(page.next_link)
            link = f"{address.path}?{address.query}" if address.path else ""
    assert rows == PASSES * REQUESTS * ROWS
    return rows / (time.perf_counter() - started)


def main() -> None:
    print(
        f"{os.cpu_count()} cores, Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, "
        f"{len(COLUMNS)} columns"
    )
    with tempfile.TemporaryDirectory() as folder:
        definition = Path(folder) / "bench.yml"
        definition.write_text(DEFINITION, "utf-8")
        command = [
            sys.executable,
            "-m",
            "confmig",
            "emulator",
            "--listen",
            "127.0.0.1:0",
            "--environment",
            str(definition),
        ]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        try:
            address = urlsplit(json.loads(process.stdout.readline())["url"])
            connection = http.client.HTTPConnection(address.hostname or "", address.port)
            print(f"CreateMultiple, {ROWS} rows a request: {write(connection):10,.0f} rows/s", flush=True)
            print(f"pages of 5,000 rows, {len(COLUMNS)} columns:  {read(connection):10,.0f} rows/s", flush=True)
        finally:
            process.terminate()
            process.wait()


if __name__ == "__main__":
    main()
