"""``confmig emulator --record``: write the definition of a real environment, so that it can be rehearsed on."""

from collections.abc import Sequence
from pathlib import Path

import yaml

from confmig.errors import UsageError
from confmig.hosts.host import say, show
from confmig.package.package import read_schema
from confmig.webapi.auth import AuthMode
from confmig.webapi.environment import connect
from confmig.webapi.recordedrows import record_rows
from confmig.webapi.recording import Recording, record
from confmig.webapi.replies import encode_json
from confmig.webapi.solutions import tables_of_solution

_HEADER = "# Recorded by confmig emulator --record from "


def record_environment(
    url: str,
    output: Path | None,
    tables: Sequence[str],
    solutions: Sequence[str],
    schema: Path | None,
    mode: AuthMode,
    *,
    rows: bool,
) -> None:
    """Write a definition of an environment's tables.

    Args:
        url: The environment's root URL.
        output: The file to write.
        tables: Tables to record; together with those of the solutions and the schema, or all that are custom.
        solutions: Unique names of solutions whose tables are recorded.
        schema: A schema whose tables are recorded.
        mode: How to sign in.
        rows: Record the rows, too.

    Raises:
        UsageError: There is no file to write, or it holds something else; or a table or solution does not exist, or
            there is nothing to record.
        PackageError: The schema cannot be read.
        AccessError: Sign-in failed, or a privilege is missing.
        ServiceError: The environment does not answer properly.
    """
    path = _definition_path(output)
    named = [*tables, *((table.name for table in read_schema(schema)[0].tables) if schema else ())]
    environment = connect(url, mode, "source")
    named += [name for solution in solutions for name in tables_of_solution(environment, solution)]
    recording = record(environment, named)
    if not recording.tables:
        raise UsageError(
            f"{environment.url} has no custom tables to record.", "Name some with --table, --solution or --schema."
        )
    if rows:
        record_rows(environment, recording)
    _write(path, environment.url, recording)
    for sentence in recording.left_out:
        say(f"Left out: {sentence}.")
    counts = {name: len(listed) for name, listed in recording.definition.get("rows", {}).items()}
    facts = {"output": str(path), "tables": len(recording.tables), "names_only": len(recording.stubs)}
    show(encode_json({**facts, "rows": sum(counts.values())}).decode() + "\n")


def _definition_path(output: Path | None) -> Path:
    """Check that nothing but an earlier recording would be replaced."""
    if output is None or output.suffix not in (".yml", ".yaml"):
        raise UsageError("--record needs a file to write.", "Give one with --output, such as our.yml.")
    if output.is_dir() or (output.exists() and not output.read_bytes().startswith(_HEADER.encode())):
        raise UsageError(
            f"--output {output}: this is no recording, and would be replaced by one.", "Give another name."
        )
    return output


def _write(path: Path, url: str, recording: Recording) -> None:
    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    text = yaml.dump(
        recording.definition,
        Dumper=dumper,
        sort_keys=False,
        allow_unicode=True,
        width=120,
        default_flow_style=None,
    )
    left_out = "".join(f"# Left out: {sentence}\n" for sentence in recording.left_out)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".part")
    partial.write_text(f"{_HEADER}{url}\n{left_out}{text}", "utf-8")
    partial.replace(path)
