"""How an emulator is started."""

from dataclasses import dataclass, field
from pathlib import Path

from confmig.emulator.clock import Clock


@dataclass(frozen=True, kw_only=True)
class EmulatorOptions:
    """What the environment holds and where it listens.

    Attributes:
        host: Address to listen on.
        port: Port to listen on; 0 takes a free one.
        package: Data package (zip, folder or schema file) whose tables and rows are served.
        empty: Serve the package's tables without its rows.
        without_outside_rows: Leave out the rows that the package's lookups name but the package does not hold.
        environment: Name of a definition that comes with the emulator, or the path of a definition file; ``standard``
            without it and without a package.
        store: SQLite file kept between runs; None keeps everything in memory.
        organization_id: Id of the organization; None makes a new one for each new store.
        token: The only bearer token that is accepted; None accepts any request.
        tls_certificate: PEM file with the server's certificate, and its key unless that is in a file of its own.
        tls_key: PEM file with the key of that certificate.
        self_signed: Serve TLS with a certificate of an authority that is made for this run.
        clock: The one source of time.
        limits: Service protection limits that hold, as ``Limits.parse`` reads them; None limits nothing.
        latency: How long requests take, as ``Latency.parse`` reads it; None adds nothing.
        servers: How many web servers the environment has.
        dop_hint: Degree of parallelism that each answer recommends.
        faults: Faults on purpose, as ``FaultRule.parse`` reads them.
        seed: Decides which requests the faults with a rate strike.
        log: File to which each request adds a line.
        metadata_delay: How long changed metadata stay unseen without ``Consistency: Strong``, as ``duration`` reads it.
        key_delay: How long a new alternate key is Pending, while its index is being made, as ``duration`` reads it.
        behaviours: What is assumed of business logic, as ``name=value``.
        deny: Privileges that the caller lacks, such as ``prvCreateAccount``.
    """

    host: str = "127.0.0.1"
    port: int = 0
    package: Path | None = None
    empty: bool = False
    without_outside_rows: bool = False
    environment: str | None = None
    store: Path | None = None
    organization_id: str | None = None
    token: str | None = None
    tls_certificate: Path | None = None
    tls_key: Path | None = None
    self_signed: bool = False
    clock: Clock = field(default_factory=Clock)
    limits: str | None = None
    latency: str | None = None
    servers: int = 1
    dop_hint: int = 4
    faults: tuple[str, ...] = ()
    seed: int = 0
    log: Path | None = None
    metadata_delay: str = "0s"
    key_delay: str = "0s"
    deny: tuple[str, ...] = ()
    behaviours: tuple[str, ...] = ()
