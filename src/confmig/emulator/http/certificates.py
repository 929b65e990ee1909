"""TLS: the files of a certificate, given or made for one run. Many clients of the Web API refuse plain http."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from confmig.emulator.errors import EmulatorStartError
from confmig.emulator.options import EmulatorOptions

_ANY_ADDRESS = {"0.0.0.0", "::", ""}  # noqa: S104  # looked for, not listened on


@dataclass(frozen=True)
class Tls:
    """PEM files: the server's certificate, its key if that is apart, and the authority that clients are to trust."""

    certificate: Path
    key: Path | None = None
    authority: Path | None = None


@contextmanager
def tls_files(options: EmulatorOptions) -> Iterator[Tls | None]:
    """The files to serve TLS with, as long as it is open; None for plain http.

    Raises:
        EmulatorStartError: The options contradict each other, or the files hold no certificate with its key.
    """
    given = options.tls_certificate is not None
    if options.tls_key is not None and not given:
        raise EmulatorStartError("a TLS key is given without its certificate")
    if options.self_signed and given:
        raise EmulatorStartError("a certificate of its own and a given one cannot be served together")
    if options.self_signed:
        with TemporaryDirectory(prefix="confmig-emulator-") as folder:
            yield _made(Path(folder), options.host)
        return
    if options.tls_certificate is None:
        yield None
        return
    tls = Tls(options.tls_certificate, options.tls_key)
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(tls.certificate, tls.key, password=_no_password)
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        raise EmulatorStartError(f"{tls.certificate} cannot be served: {error}") from error
    yield tls


def _no_password() -> str:
    """Python would ask on the terminal for the password of a key."""
    raise ValueError("its key has a password")


def _made(folder: Path, host: str) -> Tls:
    import trustme  # makes keys with a library that takes long to load

    authority = trustme.CA(organization_name="confmig emulator")
    names = {"localhost", "127.0.0.1", "::1", host} - _ANY_ADDRESS
    server = authority.issue_cert(*sorted(names))
    certificate, trusted = folder / "server.pem", folder / "ca.pem"
    server.private_key_and_cert_chain_pem.write_to_path(certificate)
    authority.cert_pem.write_to_path(trusted)
    return Tls(certificate, None, trusted)
