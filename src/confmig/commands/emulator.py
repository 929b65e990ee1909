"""``confmig emulator``: Serve a local Dataverse environment."""

import importlib.util
import os
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from confmig.commands.options import Auth, auth_mode
from confmig.errors import PackageError, UsageError


class Tls(StrEnum):
    """The certificates that the emulator makes."""

    SELF_SIGNED = "self-signed"


def emulator(
    listen: Annotated[
        str, typer.Option(envvar="CONFMIG_LISTEN", help="Address and port to listen on; port 0 takes a free one.")
    ] = "127.0.0.1:8401",
    package: Annotated[
        Path | None,
        typer.Option(envvar="CONFMIG_PACKAGE", help="Data package (zip, folder or schema file) to serve."),
    ] = None,
    empty: Annotated[
        bool, typer.Option("--empty", envvar="CONFMIG_EMPTY", help="Serve the package's tables without its rows.")
    ] = False,
    environment: Annotated[
        str | None,
        typer.Option(
            envvar="CONFMIG_ENVIRONMENT",
            help="Environment to serve: the path of a definition, or one that comes along: standard (the default), "
            "journeys-sandbox, journeys-production.",
        ),
    ] = None,
    store: Annotated[
        Path | None, typer.Option(envvar="CONFMIG_STORE", help="SQLite file that keeps the rows between runs.")
    ] = None,
    organization_id: Annotated[
        str | None, typer.Option(envvar="CONFMIG_ORGANIZATION_ID", help="Id of the organization; new by default.")
    ] = None,
    without_outside_rows: Annotated[
        bool,
        typer.Option(
            "--without-outside-rows",
            envvar="CONFMIG_WITHOUT_OUTSIDE_ROWS",
            help="Leave out the rows that the package's lookups name but the package does not hold.",
        ),
    ] = False,
    tls_certificate: Annotated[
        Path | None,
        typer.Option(envvar="CONFMIG_TLS_CERTIFICATE", help="Serve TLS with this certificate (PEM), key included."),
    ] = None,
    tls_key: Annotated[
        Path | None, typer.Option(envvar="CONFMIG_TLS_KEY", help="Key of the certificate, in a file of its own (PEM).")
    ] = None,
    tls: Annotated[
        Tls | None,
        typer.Option(
            envvar="CONFMIG_TLS",
            help="Serve TLS with a certificate made for this run; the ready line says where its authority's file is.",
        ),
    ] = None,
    limits: Annotated[
        str | None,
        typer.Option(
            envvar="CONFMIG_LIMITS",
            metavar="on|SETTINGS",
            help="Service protection limits: on, or any of window=30s,requests=600,execution=120s,concurrent=52; "
            "a window alone scales the budgets.",
        ),
    ] = None,
    latency: Annotated[
        str | None,
        typer.Option(
            envvar="CONFMIG_LATENCY",
            metavar="SETTINGS",
            help="How long requests take: any of request=60ms,row=8ms,read=0.02ms,workers=16.",
        ),
    ] = None,
    servers: Annotated[
        int,
        typer.Option(
            envvar="CONFMIG_SERVERS",
            min=1,
            max=64,
            help="Web servers with limits and workers of their own; a cookie holds clients to one.",
        ),
    ] = 1,
    dop_hint: Annotated[
        int,
        typer.Option(envvar="CONFMIG_DOP_HINT", min=1, max=1000, help="Degree of parallelism that answers recommend."),
    ] = 4,
    fault: Annotated[
        list[str] | None,
        typer.Option(
            envvar="CONFMIG_FAULT",
            metavar="KIND[:SETTINGS]",
            help="Fault on purpose, such as drop-after:every=7,method=POST,path=CreateMultiple,times=2; repeatable. "
            "The README lists kinds and settings.",
        ),
    ] = None,
    metadata_delay: Annotated[
        str,
        typer.Option(
            envvar="CONFMIG_METADATA_DELAY",
            metavar="DURATION",
            help="How long changed metadata stay unseen by requests without Consistency: Strong, such as 30s.",
        ),
    ] = "0s",
    key_delay: Annotated[
        str,
        typer.Option(
            envvar="CONFMIG_KEY_DELAY",
            metavar="DURATION",
            help="How long a new alternate key is Pending and cannot be used, such as 5s.",
        ),
    ] = "0s",
    seed: Annotated[
        int, typer.Option(envvar="CONFMIG_SEED", help="Decides which requests the faults with a rate strike.")
    ] = 0,
    log: Annotated[
        Path | None,
        typer.Option(
            envvar="CONFMIG_LOG", help="File to which each request adds a line of JSON, without bodies and queries."
        ),
    ] = None,
    behaviour: Annotated[
        list[str] | None,
        typer.Option(
            envvar="CONFMIG_BEHAVIOUR",
            help="What to assume of business logic, such as live-update=draft; for one table "
            "msdynmkt_email.live-update=allow; repeatable.",
        ),
    ] = None,
    deny: Annotated[
        list[str] | None,
        typer.Option(
            envvar="CONFMIG_DENY", help="Privilege that the caller lacks, such as prvCreateAccount; repeatable."
        ),
    ] = None,
    record: Annotated[
        str | None,
        typer.Option(
            envvar="CONFMIG_RECORD",
            metavar="URL",
            help="Serve nothing, but write a definition of this environment's tables to --output; without rows.",
        ),
    ] = None,
    output: Annotated[
        Path | None, typer.Option(envvar="CONFMIG_OUTPUT", help="With --record: the definition file to write.")
    ] = None,
    table: Annotated[
        list[str] | None,
        typer.Option(
            "--table",
            envvar="CONFMIG_TABLE",
            metavar="NAME",
            help="With --record: table to record; repeatable. Without any, all custom tables are.",
        ),
    ] = None,
    solution: Annotated[
        list[str] | None,
        typer.Option(
            "--solution",
            envvar="CONFMIG_SOLUTION",
            metavar="NAME",
            help="With --record: unique name of a solution whose tables are recorded; repeatable.",
        ),
    ] = None,
    schema: Annotated[
        Path | None,
        typer.Option(envvar="CONFMIG_SCHEMA", help="With --record: schema file or package whose tables are recorded."),
    ] = None,
    record_rows: Annotated[
        bool,
        typer.Option(
            "--record-rows",
            envvar="CONFMIG_RECORD_ROWS",
            help="With --record: write the rows of these tables, too. They, and the names of the people who own them, "
            "then stand in the file in plain text.",
        ),
    ] = False,
    auth: Auth = None,
) -> None:
    """Serve a local Dataverse environment over HTTP, or record a real one to serve it later.

    A bearer token that clients must send is taken from the variable CONFMIG_EMULATOR_TOKEN.
    """
    if record is not None:
        from confmig.commands.recording import record_environment

        mode = auth_mode(None, auth, record)
        record_environment(record, output, table or (), solution or (), schema, mode, rows=record_rows)
        return
    if record_rows:
        raise UsageError("--record-rows records rows only together with --record.", "Give the environment's URL.")
    host, port = _address(listen)
    if any(importlib.util.find_spec(name) is None for name in ("trustme", "uvicorn", "yaml")):
        raise UsageError("the emulator needs its extra: pip install 'confmig[emulator]'")
    from confmig.emulator.errors import EmulatorStartError, PackageFileError
    from confmig.emulator.http.server import serve
    from confmig.emulator.options import EmulatorOptions
    from confmig.package.packing import as_zip

    options = EmulatorOptions(
        host=host,
        port=port,
        empty=empty,
        without_outside_rows=without_outside_rows,
        environment=environment,
        store=store,
        organization_id=organization_id,
        token=os.environ.get("CONFMIG_EMULATOR_TOKEN") or None,
        tls_certificate=tls_certificate,
        tls_key=tls_key,
        self_signed=tls is Tls.SELF_SIGNED,
        limits=limits,
        latency=latency,
        servers=servers,
        dop_hint=dop_hint,
        faults=tuple(fault or ()),
        metadata_delay=metadata_delay,
        key_delay=key_delay,
        seed=seed,
        log=log,
        deny=tuple(deny or ()),
        behaviours=tuple(behaviour or ()),
    )
    try:
        with as_zip(package) as served:
            serve(replace(options, package=served))
    except PackageFileError as error:
        raise PackageError(str(error)) from error
    except EmulatorStartError as error:
        raise UsageError(str(error)) from error


def _address(text: str) -> tuple[str, int]:
    """Host and port of ``127.0.0.1:8401``, ``[::1]:8401`` or a port alone."""
    host, _, port = text.rpartition(":")
    host = host.strip("[]") or "127.0.0.1"
    if not port.isascii() or not port.isdigit() or int(port) > 65_535:
        raise UsageError(f"--listen {text} is not an address and a port", "for example 127.0.0.1:8401")
    return host, int(port)
