"""The npm client dynamics-web-api, unchanged: each of its scenarios in npm/scenarios is a test here.

https://github.com/AleksandrRogov/DynamicsWebApi; `make test` installs the client into npm/node_modules.
"""

import json
import os
import re
import subprocess
from functools import cache
from pathlib import Path

import pytest

from confmig.emulator.http.server import Emulator
from confmig.emulator.options import EmulatorOptions

HERE = Path(__file__).parent
OFFICE = str(HERE / "office.yml")
TOKEN = "a-token"
NPM = HERE / "npm"
SCENARIO = re.compile(r"^export async function (\w+)", re.MULTILINE)
SCENARIOS = [
    f"{module.stem}.{name}"
    for module in sorted((NPM / "scenarios").glob("*.js"))
    for name in SCENARIO.findall(module.read_text("utf-8"))
]


@cache
def outcomes(*, secure: bool) -> dict[str, str | None]:
    """What went wrong in each scenario; one process plays them all, against an environment of its own."""
    variables = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    with Emulator(EmulatorOptions(environment=OFFICE, token=TOKEN, self_signed=secure)) as emulator:
        if emulator.authority is not None:
            variables["NODE_EXTRA_CA_CERTS"] = str(emulator.authority)
        command = ["node", "run.js", emulator.url, TOKEN]
        done = subprocess.run(command, cwd=NPM, env=variables, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, f"{done.stderr}\n`make test` installs node and the client."
    results = [json.loads(line) for line in done.stdout.splitlines()]
    return {result["name"]: result["error"] for result in results}


@pytest.mark.parametrize("name", SCENARIOS)
def test_over_http(name: str) -> None:
    assert outcomes(secure=False)[name] is None


def test_all_over_tls() -> None:
    found = outcomes(secure=True)
    assert sorted(found) == sorted(SCENARIOS)
    assert {name: error for name, error in found.items() if error} == {}
