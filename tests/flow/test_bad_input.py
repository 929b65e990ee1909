"""Bad input ends with its exit code and a message that names the thing, the reason and the next step."""

import http.server
import socket
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.flow import packages
from tests.flow.conftest import Confmig, Result, Serve


def says(result: Result, code: int, *words: str) -> None:
    assert result.code == code, result
    said = result.err + result.out
    for word in words:
        assert word in said, (word, said)
    assert "Traceback" not in said


@pytest.fixture
def package(tmp_path: Path) -> Path:
    return packages.write(tmp_path / "shop.zip", packages.full_data())


@pytest.fixture
def website() -> Iterator[str]:
    """A server that is no environment."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = b"<html>Welcome</html>"
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


def test_an_unreachable_target(confmig: Confmig, package: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        says(confmig("plan", "--target", url, "--data", package), 8, url, "cannot be reached", "refused")


def test_a_host_that_does_not_exist(confmig: Confmig, package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TENANT_ID", "CLIENT_ID", "CLIENT_SECRET"):
        monkeypatch.setenv(f"AZURE_{name}", f"value-of-{name}")
    monkeypatch.setenv("AZURE_AUTHORITY_HOST", "https://no-such-host.invalid")
    result = confmig("plan", "--target", "https://no-such-host.invalid", "--data", package)
    says(result, 7, "no-such-host.invalid", "See that this machine reaches it")
    assert "HTTPSConnectionPool" not in result.err
    assert "value-of-CLIENT_SECRET" not in result.err


def test_a_url_that_is_no_environment(confmig: Confmig, package: Path, website: str) -> None:
    says(confmig("plan", "--target", website, "--data", package), 8, website, "no JSON", "Check that the URL")


@pytest.mark.parametrize("url", ["contoso", "ftp://x", "http://contoso.crm4.dynamics.com", "https://x.com/path"])
def test_a_url_that_cannot_be_one(url: str, confmig: Confmig, package: Path) -> None:
    says(confmig("plan", "--target", url, "--data", package), 2, url.removesuffix("/path"))


@pytest.mark.parametrize(
    "url",
    [
        "https://x.com/?sig=s3cret",
        "https://x.com/s3cret",
        "https://x.com#s3cret",
        "https://x.com:s3cret",
        "https://me:s3cret@x.com",
        "https://x.com:s3cret@",
        "https://me@x.com:s3cret",
        "s3cret@x.com",
        "http://[x",
        "https://[::1",
        "https://[x]:s3cret",
    ],
)
def test_what_may_be_a_secret_in_a_url_is_not_repeated(url: str, confmig: Confmig, package: Path) -> None:
    result = confmig("plan", "--target", url, "--data", package)
    assert result.code == 2
    assert "s3cret" not in result.out + result.err


@pytest.mark.parametrize("option", ["--plan", "--report", "--data"])
def test_a_name_that_is_no_text(option: str, confmig: Confmig, package: Path, serve: Serve) -> None:
    arguments = {"--target": serve(package=package).url, "--data": str(package), option: "caf\udce9.html"}
    words = [word for pair in arguments.items() for word in pair]
    says(confmig("plan", *words), 2, r"caf\xe9.html", "no UTF-8")


def test_a_variable_that_is_no_text(confmig: Confmig, package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONFMIG_PLAN", "caf\udce9")
    says(confmig("plan", "--target", "http://127.0.0.1:1", "--data", package), 2, r"caf\xe9", "no UTF-8")


def test_a_rejected_token(confmig: Confmig, package: Path, serve: Serve) -> None:
    target = serve(package=package, token="another-token")
    says(confmig("plan", "--target", target.url, "--data", package), 7, "rejects the token", "application is a user")


def test_a_missing_privilege_to_read(confmig: Confmig, package: Path, serve: Serve) -> None:
    target = serve(package=package, deny=("prvReadshop_item",))
    says(confmig("plan", "--target", target.url, "--data", package), 7, "shop_item", "prvRead", "security role")


def test_a_missing_privilege_to_write_stops_the_run_and_keeps_its_outcomes(
    confmig: Confmig, package: Path, serve: Serve
) -> None:
    target = serve(package=package, empty=True, deny=("prvCreateshop_item",))
    result = confmig("import", "--target", target.url, "--data", package, "--run", "a.run")
    says(result, 7, "shop_item", "prvCreate", "it resumes")
    assert Path("a.run").exists()


def test_a_table_that_the_target_lacks(confmig: Confmig, package: Path, serve: Serve) -> None:
    target = serve(environment="journeys-production")
    result = confmig("plan", "--target", target.url, "--data", package)
    says(result, 3, "no table shop_kind", "Import the solution")
    assert not Path("confmig.plan").exists()


def test_a_column_that_the_target_lacks(confmig: Confmig, package: Path, serve: Serve, tmp_path: Path) -> None:
    other = packages.SCHEMA.replace('name="shop_weight"', 'name="shop_mass"')
    target = serve(package=packages.write(tmp_path / "other.zip", packages.data(), other))
    says(confmig("import", "--target", target.url, "--data", package), 3, "no column shop_weight", "shop_item")


def test_a_zip_that_is_no_package(confmig: Confmig, tmp_path: Path, serve: Serve, package: Path) -> None:
    target = serve(package=package)
    other = tmp_path / "other.zip"
    with zipfile.ZipFile(other, "w") as archive:
        archive.writestr("readme.txt", "hello")
    says(confmig("plan", "--target", target.url, "--data", other), 6, "other.zip", "no data.xml", "readme.txt")


def test_a_file_that_is_no_zip(confmig: Confmig, tmp_path: Path, serve: Serve, package: Path) -> None:
    target = serve(package=package)
    other = tmp_path / "other.zip"
    other.write_text("not a zip")
    says(confmig("plan", "--target", target.url, "--data", other), 6, "other.zip", "no data package")
    says(confmig("plan", "--target", target.url, "--data", "nowhere.zip"), 6, "nowhere.zip", "no such data package")


def test_broken_xml(confmig: Confmig, tmp_path: Path, serve: Serve, package: Path) -> None:
    target = serve(package=package)
    broken = packages.write(tmp_path / "broken.zip", packages.full_data()[:-40])
    says(confmig("plan", "--target", target.url, "--data", broken), 6, "data.xml, line", "well-formed")
    broken = packages.write(tmp_path / "schema.zip", packages.full_data(), packages.SCHEMA[:-5])
    says(confmig("plan", "--target", target.url, "--data", broken), 6, "data_schema.xml, line", "well-formed")


@pytest.mark.parametrize(
    ("column", "value"),
    [("shop_price", "much"), ("shop_pieces", "1.5"), ("createdon", "yesterday"), ("shop_itemid", "no-guid")],
)
def test_a_malformed_value(
    column: str, value: str, confmig: Confmig, tmp_path: Path, serve: Serve, package: Path
) -> None:
    target = serve(package=package, empty=True)
    row = f'<record id="{packages.APPLE}">{packages.field(column, value)}</record>'
    bad = packages.write(tmp_path / "bad.zip", packages.data(items=row))
    says(confmig("import", "--target", target.url, "--data", bad), 6, "shop_item", packages.APPLE, column, value)


def test_a_lookup_that_resolves_nowhere_refuses_the_plan(confmig: Confmig, package: Path, serve: Serve) -> None:
    target = serve(package=package, empty=True, without_outside_rows=True)
    result = confmig("import", "--target", target.url, "--data", package)
    says(result, 5, "refused", "transactioncurrencyid", packages.CURRENCY, packages.APPLE, "Euro")
    planned = confmig("plan", "--target", target.url, "--data", package, "--plan", "a.plan")
    assert planned.code == 5
    again = confmig("import", "--target", target.url, "--plan", "a.plan")
    says(again, 5, "refused")
    kept = confmig("import", "--target", target.url, "--data", package, "--lookups", "keep", "--format", "json")
    assert kept.code == 0, kept
    assert kept.facts["created"] == 4


def test_a_broken_package_never_becomes_an_export_target(confmig: Confmig, tmp_path: Path, serve: Serve) -> None:
    package = packages.write(tmp_path / "shop.zip", packages.full_data())
    source = serve(package=package)
    bad_filter = packages.SCHEMA.replace("<relationships />", "<relationships /><filter>&lt;fetch&gt;</filter>")
    schema = tmp_path / "schema.xml"
    schema.write_text(bad_filter)
    before = package.read_bytes()
    result = confmig("export", "--source", source.url, "--schema", schema, "--data", package)
    says(result, 3, "filter-wrong", "shop_item", "Mend it")
    assert package.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["schema.xml", "shop.zip"]


def test_wrong_arguments(confmig: Confmig, package: Path) -> None:
    says(confmig("plan"), 2, "--target")
    says(confmig("nonsense"), 2, "nonsense")
    says(confmig("plan", "--target", "http://127.0.0.1:1", "--data", package, "--report", "x.pdf"), 2, ".pdf", ".html")
    says(confmig("import", "--target", "http://127.0.0.1:1"), 2, "nothing to import")
    says(confmig("plan", "--target", "http://127.0.0.1:1", "--ignore", "x"), 2, "--ignore x")
    says(
        confmig("export", "--source", "http://127.0.0.1:1", "--schema", "nowhere.xml"),
        6,
        "nowhere.xml: the schema file cannot be read",
    )
    says(confmig("export", "--source", "http://127.0.0.1:1", "--schema", package), 8, "cannot be reached")


def test_a_package_is_not_applied_unseen_in_a_pipeline(
    confmig: Confmig, package: Path, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = serve(package=package, empty=True)
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    says(confmig("import", "--target", target.url, "--data", package), 2, "--unreviewed")
    says(confmig("promote", "--source", target.url, "--target", target.url, "--schema", package), 2, "a local run")
    assert confmig("import", "--target", target.url, "--data", package, "--unreviewed").code == 0


def test_source_and_target_may_not_be_the_same(confmig: Confmig, package: Path, serve: Serve) -> None:
    one = serve(package=package)
    says(confmig("promote", "--source", one.url, "--target", one.url, "--schema", package), 2, "same organization")


def test_a_missing_secret_is_named_and_never_replaced_by_another_mode(confmig: Confmig, package: Path) -> None:
    says(
        confmig("plan", "--target", "https://contoso.crm4.dynamics.com", "--data", package),
        2,
        "AZURE_TENANT_ID",
        "never options",
    )
    says(
        confmig("plan", "--target", "https://contoso.crm4.dynamics.com", "--data", package, "--auth", "none"),
        2,
        "loopback",
    )
