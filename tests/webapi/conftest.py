"""What the tests of the Web API client share."""

from pathlib import Path
from typing import NamedTuple

import pytest
import trustme

_FROM_OUTSIDE = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


class Certificates(NamedTuple):
    """Paths of PEM files: the authority's certificate, the server's certificate with key, another authority's."""

    authority: str
    server: str
    stranger: str


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    folder: Path = tmp_path_factory.mktemp("certificates")
    paths = Certificates(*(str(folder / f"{name}.pem") for name in Certificates._fields))
    authority = trustme.CA()
    authority.cert_pem.write_to_path(paths.authority)
    authority.issue_cert("127.0.0.1", "localhost").private_key_and_cert_chain_pem.write_to_path(paths.server)
    trustme.CA().cert_pem.write_to_path(paths.stranger)
    return paths


@pytest.fixture(autouse=True)
def _no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in _FROM_OUTSIDE:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def trusted(certificates: Certificates, monkeypatch: pytest.MonkeyPatch) -> Certificates:
    """The test's own authority is trusted, as a user would say it."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", certificates.authority)
    return certificates
