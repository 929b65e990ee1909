"""The main job by an application that may import configuration and nothing else."""

import base64
import json

from confmig.emulator.http.asgi import Application, Receive, Scope, Send
from tests.conftest import REPOSITORY
from tests.flow.conftest import Confmig, Serve

IMPORTER = "5e1d3c2b-bb01-4c1d-8e2f-1a2b3c4d5e03"
SCHEMA = REPOSITORY / "demo" / "data_schema.xml"


def as_importer(inner: Application) -> Application:
    """Lets every request come with a token of the application, as a gateway would that signs in for its clients."""
    parts = ({"alg": "none"}, {"appid": IMPORTER})
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts]
    header = (b"authorization", f"Bearer {'.'.join(encoded)}.none".encode())

    async def outer(scope: Scope, receive: Receive, send: Send) -> None:
        await inner({**scope, "headers": [*scope["headers"], header]}, receive, send)

    return outer


def test_the_configuration_importer_of_production_has_all_that_the_main_job_needs(
    confmig: Confmig, serve: Serve
) -> None:
    source = serve(as_importer, environment="journeys-sandbox")
    target = serve(as_importer, environment="journeys-production")
    arguments = ("promote", "--source", source.url, "--target", target.url, "--schema", SCHEMA, "--format", "json")
    done = confmig(*arguments, "--live", "exclude-status", "--run", "1.run")
    assert done.code == 0, done
    assert done.facts["created"] > 90
    again = confmig(*arguments, "--live", "exclude-status", "--run", "2.run")
    assert (again.code, again.facts["writes"]) == (0, 0)
