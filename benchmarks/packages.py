"""Writing, reading and comparing a package of any size, and how much memory: ``make bench``; an argument sets the rows.

The rows are of 20 tables with columns of every type. Each step is a process of its own; its rates are of one core, and
what it takes to make up the rows is not counted. A step that takes more than 200 MB is a failure.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from base64 import b64encode
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from confmig.model.records import Association, PackageEvent, Record, TableStart
from confmig.model.schema import Column, Relationship, Schema, Table
from confmig.model.values import Choices, ColumnType, FileRef, Lookup, Parties, Party, Value
from confmig.package.container import Container
from confmig.package.package import Package
from confmig.package.reader import read_rows
from confmig.package.schemafile import write_schema
from confmig.package.writer import write_package

ROWS = 1_000_000
TABLES = 20
MOST_MEMORY = 200

T = ColumnType
COLUMNS = {
    "name": T.STRING,
    "description": T.STRING,
    "count": T.NUMBER,
    "price": T.MONEY,
    "rate": T.DECIMAL,
    "ratio": T.FLOAT,
    "open": T.BOOL,
    "due": T.DATETIME,
    "day": T.DATETIME,
    "kind": T.CHOICE,
    "kinds": T.CHOICES,
    "statecode": T.STATE,
    "statuscode": T.STATUS,
    "ownerid": T.OWNER,
    "parentid": T.LOOKUP,
}
RARE = {"total": T.BIGINT, "process": T.GUID, "to": T.PARTIES, "picture": T.IMAGE, "report": T.FILE}
"""Columns that only the last table has."""

TEXTS = [
    "Plain words of a sentence, as most texts are",
    '<p class="intro">Hello <b>you</b> &amp; it\'s a mail</p>\r\n<p>With a second line</p>',
    "Größe, naïve façade, œuvre, ¿qué?",
    "漢字かな交じり文 and 😀",
    '{"journey": {"steps": [1, 2, 3], "name": "Welcome"}}',
]
DAY = datetime(2024, 1, 1, tzinfo=UTC)
PICTURE = b64encode(bytes(range(120))).decode()


def schema() -> Schema:
    return Schema(tuple(table(f"bench_table{number}", number == TABLES - 1) for number in range(TABLES)))


def table(name: str, rare: bool) -> Table:
    kinds = {f"{name}id": T.GUID, **COLUMNS, **(RARE if rare else {})}
    columns = (
        Column(column, kind, column.title(), kind.value, (name,) if kind is T.LOOKUP else (), column == f"{name}id")
        for column, kind in kinds.items()
    )
    links = (Relationship(f"{name}_link", True, False, "bench_table0", "bench_table0id"),)
    return Table(name, f"{name}id", tuple(columns), name.title(), primary_name="name", relationships=links)


def events(rows: int) -> Iterator[PackageEvent]:
    """Rows by their ids, and for each tenth row two associations."""
    for place, declared in enumerate(schema().tables):
        yield TableStart(declared.name, declared.display_name)
        count = rows // TABLES + (place < rows % TABLES)
        for number in range(count):
            yield record(declared, place, number)
        for number in range(0, count, 10):
            targets = (row_id(0, number), row_id(0, number + 1))
            yield Association(
                f"{declared.name}_link",
                declared.name,
                row_id(place, number),
                "bench_table0",
                targets,
                "bench_table0id",
            )


def record(declared: Table, place: int, number: int) -> Record:
    own = row_id(place, number)
    values: dict[str, Value] = {
        declared.primary_id: own,
        "name": f"Row {number} of {declared.name}",
        "description": f"{TEXTS[number % len(TEXTS)]} {number}",
        "count": number,
        "price": Decimal(f"{number}.5000"),
        "rate": Decimal("12345678901.0123456789"),
        "ratio": number / 8,
        "open": number % 3 == 0,
        "due": DAY + timedelta(seconds=number),
        "day": datetime(2024, 1 + number % 12, 1 + number % 28),  # a day has no zone
        "kind": 330650000 + number % 7,
        "kinds": Choices((1, 2 + number % 9)),
        "statecode": number % 2,
        "statuscode": 1 + number % 2,
        "ownerid": Lookup("systemuser", row_id(90, number % 50), f"User {number % 50}"),
        "parentid": Lookup(declared.name, row_id(place, number // 2), f"Row {number // 2} & more"),
    }
    if place == TABLES - 1:
        who = Lookup("contact", row_id(91, number), "Ann")
        party = Party(who, 2, (("partyid", who), ("participationtypemask", "2")), row_id(92, number))
        values |= {"total": number, "process": row_id(93, number), "to": Parties((party,)), "picture": PICTURE}
        values["report"] = FileRef(row_id(94, number), "report.pdf")
    return Record(declared.name, own, values)


def row_id(place: int, number: int) -> str:
    # Spread over all digits, as real ids are: they cost a packer the most.
    mixed = (number * 0x9E3779B97F4A7C15 + place) & 0xFFFFFFFFFFFFFFFF
    return f"{number:08x}-{mixed >> 48:04x}-4{(mixed >> 36) & 0xFFF:03x}-8{place:03x}-{mixed & 0xFFFFFFFFFFFF:012x}"


def count(found: Iterable[PackageEvent]) -> tuple[int, int]:
    rows = fields = 0
    for event in found:
        if isinstance(event, Record):
            rows += 1
            fields += len(event.values)
    return rows, fields


def write(path: Path, rows: int) -> None:
    described = schema()
    write_package(path, write_schema(described), described, events(rows))


def read(path: Path, rows: int) -> tuple[int, int]:
    with Package(path) as package, Container(path) as container:
        found = count(read_rows(container, package.schema))
    assert found[0] == rows
    return found


def digest(path: Path, rows: int) -> tuple[int, int]:
    with Package(path) as package:
        found = count(package.rows())
        assert (found[0], len(package.digest)) == (rows, 64)
    return found


STEPS = ("write", "read", "digest")


def step(name: str, path: Path, rows: int) -> None:
    """Run in the process of a step: rows and fields, and the CPU time that they took, as JSON."""
    started = time.process_time()
    if name == "write":
        found = count(events(rows))
        made_up = time.process_time()
        write(path, rows)
        cpu = time.process_time() - made_up - (made_up - started)
    else:
        found = (read if name == "read" else digest)(path, rows)
        cpu = time.process_time() - started
    print(json.dumps([*found, cpu]))


def measure(name: str, command: list[str]) -> bool:
    """Run a step, and print what it took; whether it ended well and within the memory."""
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert process.stdout is not None
    out = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    seconds, memory = time.perf_counter() - started, usage.ru_maxrss / 1024
    code = os.waitstatus_to_exitcode(status)
    rows, fields, cpu = json.loads(out) if out.startswith("[") else (0, 0, usage.ru_utime + usage.ru_stime)
    rates = f"{rows / cpu:12,.0f} {fields / cpu:12,.0f}" if rows else f"{'':12} {'':12}"
    fine = code == 0 and memory <= MOST_MEMORY
    print(f"{name:10} {code:4} {seconds:8.1f} {cpu:8.1f} {rates} {memory:6.0f}{'' if fine else '  !'}", flush=True)
    return fine


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", nargs="?", type=int, default=ROWS, help=f"how many rows; {ROWS:,} by default")
    parser.add_argument("--keep", type=Path, help="where the package goes, and stays")
    parser.add_argument("--step", choices=STEPS, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.step:
        step(arguments.step, arguments.keep, arguments.rows)
        return
    print(f"{arguments.rows:,} rows on Python {platform.python_version()}, {os.cpu_count()} cores")
    print(f"{'step':10} {'exit':>4} {'seconds':>8} {'cpu':>8} {'rows/s':>12} {'fields/s':>12} {'MB':>6}")
    with tempfile.TemporaryDirectory() as folder:
        path = arguments.keep or Path(folder, "data.zip")
        own = [sys.executable, __file__, str(arguments.rows), "--keep", str(path)]
        done = [measure(name, [*own, "--step", name]) for name in STEPS]
        done.append(measure("diff", [sys.executable, "-m", "confmig", "diff", str(path), str(path)]))
        print(f"{path.stat().st_size / 1024**2:,.0f} MB packed")
    sys.exit(0 if all(done) else 1)


if __name__ == "__main__":
    main()
