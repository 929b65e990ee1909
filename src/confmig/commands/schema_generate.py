"""``confmig schema generate``: Write the schema of these tables, as the source describes them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from confmig.checking.dependencies import MAPPED
from confmig.checking.findings import Finding, errors_of
from confmig.checking.schemas import completeness_findings
from confmig.commands.options import (
    Auth,
    Format,
    FormatOption,
    Outside,
    Reports,
    Source,
    SourceAuth,
    auth_mode,
    require_distinct,
)
from confmig.commands.results import finish
from confmig.errors import ExitCode, PackageError, UsageError
from confmig.exporting.generating import GeneratedSchema, Selection, generate_schema, required_targets
from confmig.hosts.host import say
from confmig.package.schemafile import parse_schema, write_schema
from confmig.profiles.profile import Profiles, load_profiles
from confmig.reporting.build import schema_report
from confmig.reporting.findings import findings_report
from confmig.reporting.write import require_report_paths
from confmig.webapi.environment import Environment, connect
from confmig.webapi.solutions import tables_of_solution


def generate(
    source: Source,
    table: Annotated[
        list[str] | None,
        typer.Option("--table", envvar="CONFMIG_TABLE", metavar="NAME", help="Table to take in; repeatable."),
    ] = None,
    solution: Annotated[
        list[str] | None,
        typer.Option(
            "--solution",
            envvar="CONFMIG_SOLUTION",
            metavar="NAME",
            help="Unique name of a solution whose tables are taken in; repeatable.",
        ),
    ] = None,
    preset: Annotated[
        str | None, typer.Option(envvar="CONFMIG_PRESET", help="Tables that belong together: journeys-content.")
    ] = None,
    outside: Outside = None,
    output: Annotated[Path, typer.Option(envvar="CONFMIG_OUTPUT", help="Schema file to write.")] = Path(
        "data_schema.xml"
    ),
    auth: Auth = None,
    source_auth: SourceAuth = None,
    format_: FormatOption = Format.TEXT,
    report: Reports = None,
) -> ExitCode:
    """Write the schema of these tables, as the source describes them; the same tables give the same bytes."""
    require_distinct(output, *(report or ()))
    require_report_paths(report or ())
    _require_schema_name(output)
    profiles = load_profiles()
    if not (table or solution or preset):
        raise UsageError("There are no tables to make a schema of.", "Give --table, --solution or --preset.")
    selection = _selection(profiles, table or [], preset, outside or [])
    environment = connect(source, auth_mode(source_auth, auth, source), "source")
    held = [found for name in solution or () for found in tables_of_solution(environment, name)]
    selection = _completed(selection.with_tables([*selection.tables, *held]), profiles, environment)
    objections = _objections(selection, profiles, environment)
    usable = selection.with_tables([name for name in selection.tables if name not in objections])
    if findings := _findings(table or [], usable, objections, environment):
        return finish(findings_report("schema generate", findings), format_, report)
    generated = generate_schema(environment.describe(usable.tables), usable)
    generated.left_out += [(name, "", objection.message) for name, objection in objections.items()]
    # What is generated must be what confmig schema validate has nothing against.
    if findings := errors_of(completeness_findings(generated.schema, profiles, usable.outside)):
        return finish(findings_report("schema generate", findings), format_, report)
    changed = _write(output, generated)
    return finish(schema_report(generated, str(output), environment.url, changed=changed), format_, report)


def _selection(profiles: Profiles, tables: list[str], preset: str | None, outside: list[str]) -> Selection:
    if preset is None:
        return Selection(tables, None, outside)
    found = profiles.preset(preset)
    if found is None:
        raise UsageError(
            f"--preset {preset}: there is no such preset.", f"There are {', '.join(profiles.preset_names())}."
        )
    return Selection([*found.tables, *tables], found, outside)


def _completed(selection: Selection, profiles: Profiles, source: Environment) -> Selection:
    """The selection with the tables that the rest is no use without, and those that these need in turn."""
    while needed := _needed(selection, profiles, source):
        for name, why in needed.items():
            say(f"{name} is taken in too, since {why}; --outside {name} leaves it out.")
        selection = selection.with_tables([*selection.tables, *needed])
    return selection


def _needed(selection: Selection, profiles: Profiles, source: Environment) -> dict[str, str]:
    """The tables that the selected ones are no use without and that the source has, with the reason."""
    moved = [name for name in selection.tables if not profiles.why_never(name)]
    found = {name: f"{table} is incomplete without it" for name, table in profiles.companions(moved)}
    for name, column in required_targets(source.describe(moved), selection):
        found.setdefault(name, f"no row can be without {column}")
    known = {*selection.tables, *selection.outside, *MAPPED}
    present = source.describe(name for name in found if name not in known and not profiles.why_never(name))
    return {name: found[name] for name in present}


def _objections(selection: Selection, profiles: Profiles, source: Environment) -> dict[str, Finding]:
    """What stands against some of the tables, by table."""
    infos = source.describe(selection.tables)
    found: dict[str, Finding] = {}
    for name in selection.tables:
        if why := profiles.why_never(name):
            message = f"Rows of {name} are not moved as data: {why}."
            found[name] = Finding("never-moved", name, "", message, "Leave the table out.")
        elif name not in infos:
            message = f"{source.url} has no table {name}."
            found[name] = Finding("table-missing", name, "", message, "Give the table's logical name.")
        elif not any(column.creatable or column.updatable for column in infos[name].columns.values()):
            message = f"No column of {name} can be written."
            hint = "Leave the table out; the pairs of a many-to-many relationship come with the tables that it joins."
            found[name] = Finding("table-read-only", name, "", message, hint)
    return found


def _findings(
    named: list[str], usable: Selection, objections: Mapping[str, Finding], source: Environment
) -> list[Finding]:
    """What stops the command: an objection to a table that was named one by one, or that there is nothing left."""
    if not usable.tables:
        nothing = f"What was given holds no tables in {source.url}."
        hint = "Give other solutions, or tables with --table."
        return list(objections.values()) or [Finding("table-missing", "", "", nothing, hint)]
    return [objections[name] for name in dict.fromkeys(named) if name in objections]


def _require_schema_name(output: Path) -> None:
    """Check that no file but a schema would be replaced."""
    if output.is_dir():
        raise UsageError(f"--output {output}: this is a folder.", "Give the name of the file to write.")
    if output.suffix.lower() == ".zip":
        raise UsageError(f"--output {output}: a schema is no zip.", "Give the name of an XML file.")
    if output.exists():
        try:
            parse_schema(output.read_bytes(), str(output))
        except PackageError as error:
            raise UsageError(
                f"--output {output}: this file is no schema, and would be replaced by one.", "Give another name."
            ) from error


def _write(output: Path, generated: GeneratedSchema) -> bool:
    """Write the schema file if its bytes change; whether they did."""
    data = write_schema(generated.schema)
    if output.exists() and output.read_bytes() == data:
        return False
    output.parent.mkdir(parents=True, exist_ok=True)
    partial = output.with_name(output.name + ".part")
    partial.write_bytes(data)
    partial.replace(output)
    return True
