"""The main job, on two emulators: promote Customer Insights - Journeys content from a sandbox to production.

Run by ``make demo``. Each step is a command that a pipeline would run, shown before it is run.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

HERE = Path(__file__).parent
OUTPUT = HERE.parent / "demo-output"
CONFMIG = [sys.executable, "-m", "confmig"]


@contextmanager
def environment(name: str) -> Iterator[str]:
    """Serve a built-in environment on a free port; gives its URL."""
    command = [*CONFMIG, "emulator", "--listen", "127.0.0.1:0", "--environment", name]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603  # our own program
    try:
        assert process.stdout is not None  # noqa: S101  # it is a pipe
        ready = process.stdout.readline()
        if not ready:
            raise SystemExit(f"The emulator did not start: {' '.join(command)}")
        yield json.loads(ready)["url"]
    finally:
        process.terminate()
        process.wait()


def confmig(*arguments: str) -> dict[str, object]:
    """Run a command, show it and its result, and give its facts; a failure ends the demo with its exit code."""
    print(f"\n$ confmig {' '.join(arguments)}", flush=True)
    result = subprocess.run([*CONFMIG, *arguments, "--format", "json"], stdout=subprocess.PIPE, text=True)  # noqa: S603
    if not result.stdout:
        raise SystemExit(result.returncode or 1)
    report = json.loads(result.stdout)
    print(report["verdict"])
    if result.returncode:
        print(json.dumps(report["sections"], indent=2))
        raise SystemExit(result.returncode)
    facts: dict[str, object] = report["facts"]
    return facts


def main() -> None:
    """Check, export, plan, import, verify; then import a second time, which writes nothing."""
    shutil.rmtree(OUTPUT, ignore_errors=True)
    OUTPUT.mkdir()
    os.chdir(HERE.parent)
    data, plan, run, page = (
        f"demo-output/{name}" for name in ("data.zip", "confmig.plan", "confmig.run", "report.html")
    )
    schema = "demo/data_schema.xml"
    with ExitStack() as stack:
        source = stack.enter_context(environment("journeys-sandbox"))
        target = stack.enter_context(environment("journeys-production"))
        print(f"A sandbox at {source}, a production environment at {target}.")
        # Some of the sandbox's content is published; it moves without its states, and so arrives as drafts.
        live = ("--live", "exclude-status")
        confmig("check", "--source", source, "--target", target, "--schema", schema, *live)
        confmig("export", "--source", source, "--schema", schema, "--data", data, *live)
        planned = confmig(
            "plan", "--target", target, "--data", data, "--plan", plan, "--report", "demo-output/plan.html"
        )
        done = confmig(
            "import", "--target", target, "--plan", plan, "--data", data, "--run", run,
            "--expect-digest", str(planned["plan_digest"]), "--report", page,
        )  # fmt: skip
        confmig("verify", "--target", target, "--data", data)
        again = confmig("import", "--target", target, "--data", data, "--run", "demo-output/again.run")
    print(
        f"\n{done['created']} rows created, {done['updated']} updated, {done['unchanged']} left alone,"
        f" {done['associations_added']} associations added."
    )
    print(f"The second import wrote {again['writes']} rows.")
    print(f"The report is {page}")
    if again["writes"] != 0:
        raise SystemExit("The second import should have written nothing.")


if __name__ == "__main__":
    main()
