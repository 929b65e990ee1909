"""TLS: many clients of the Web API refuse plain http."""

import json
import signal
import ssl
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import requests
import trustme

from confmig.emulator.errors import EmulatorStartError
from confmig.emulator.http.server import Emulator
from confmig.emulator.options import EmulatorOptions
from tests.conftest import REPOSITORY

SHOP = str(REPOSITORY / "tests/emulator/shop.yml")


def who(url: str, authority: object) -> Any:
    return requests.get(f"{url}/api/data/v9.2/WhoAmI", verify=str(authority), timeout=10).json()


def test_a_certificate_made_for_the_run() -> None:
    with Emulator(EmulatorOptions(environment=SHOP, self_signed=True)) as emulator:
        authority = emulator.authority
        assert authority is not None
        assert emulator.url.startswith("https://127.0.0.1:")
        assert who(emulator.url, authority)["OrganizationId"] == emulator.organization_id
        assert who(emulator.url.replace("127.0.0.1", "localhost"), authority)
        with pytest.raises(requests.exceptions.SSLError):
            requests.get(f"{emulator.url}/api/data/v9.2/WhoAmI", timeout=10)
        assert authority.parent.stat().st_mode & 0o077 == 0  # the key lies there, too
    assert not authority.parent.exists()


def test_links_are_of_the_scheme_that_was_asked() -> None:
    with Emulator(EmulatorOptions(environment=SHOP, self_signed=True, token="t")) as emulator:
        url, trust = f"{emulator.url}/api/data/v9.2", str(emulator.authority)
        headers = {"Authorization": "Bearer t", "Prefer": "odata.maxpagesize=1"}
        refused = requests.get(f"{url}/WhoAmI", verify=trust, timeout=10)
        assert f"resource_id={emulator.url}/" in refused.headers["WWW-Authenticate"]
        made = requests.post(f"{url}/accounts", json={"name": "A"}, headers=headers, verify=trust, timeout=10)
        assert made.headers["OData-EntityId"].startswith(f"{url}/accounts(")
        requests.post(f"{url}/accounts", json={"name": "B"}, headers=headers, verify=trust, timeout=10)
        page = requests.get(f"{url}/accounts", headers=headers, verify=trust, timeout=10).json()
        assert page["@odata.nextLink"].startswith(f"{url}/accounts?")


@pytest.mark.parametrize("apart", [True, False])
def test_a_certificate_of_ones_own(tmp_path: Path, apart: bool) -> None:
    authority = trustme.CA()
    server = authority.issue_cert("127.0.0.1")
    trust, certificate, key = (tmp_path / name for name in ("ca.pem", "server.pem", "key.pem"))
    authority.cert_pem.write_to_path(trust)
    if apart:
        server.private_key_pem.write_to_path(key)
        server.cert_chain_pems[0].write_to_path(certificate)
    else:
        server.private_key_and_cert_chain_pem.write_to_path(certificate)
    options = EmulatorOptions(environment=SHOP, tls_certificate=certificate, tls_key=key if apart else None)
    with Emulator(options) as emulator:
        assert emulator.authority is None
        assert who(emulator.url, trust)["OrganizationId"] == emulator.organization_id


def test_what_is_no_certificate_with_its_key(tmp_path: Path) -> None:
    authority, text = tmp_path / "ca.pem", tmp_path / "text.pem"
    trustme.CA().cert_pem.write_to_path(authority)
    text.write_text("no certificate")
    for options in (
        EmulatorOptions(tls_certificate=authority),
        EmulatorOptions(tls_certificate=text),
        EmulatorOptions(tls_certificate=tmp_path / "none.pem"),
        EmulatorOptions(tls_certificate=authority, tls_key=text),
        EmulatorOptions(tls_key=authority),
        EmulatorOptions(tls_certificate=authority, self_signed=True),
    ):
        with pytest.raises(EmulatorStartError):
            Emulator(options).start()


def test_the_ready_line_says_where_the_authority_is() -> None:
    command = [sys.executable, "-m", "confmig", "emulator", "--listen", "0", "--tls", "self-signed"]
    with subprocess.Popen([*command, "--environment", SHOP], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        assert who(ready["url"], ready["ca"])["OrganizationId"] == ready["organization_id"]
        assert ssl.create_default_context(cafile=ready["ca"]).cert_store_stats()["x509_ca"] == 1
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    assert not Path(ready["ca"]).exists()
