"""How long the commands take on a package, and how much memory: ``make bench``, or with a package's path.

Each command is a process of its own, as in a pipeline, against emulators on the same machine. Without a path the
largest package of the corpus is taken.
"""

import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

CONFMIG = [sys.executable, "-m", "confmig"]
LARGEST = "packages/microsoft__Dynamics-365-Industry-Accelerators__01-DefaultData.zip"


def serve(*arguments: str) -> tuple[subprocess.Popen[str], str]:
    process = subprocess.Popen(
        [*CONFMIG, "emulator", "--listen", "127.0.0.1:0", *arguments], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    return process, json.loads(process.stdout.readline())["url"]


def measure(*arguments: str) -> None:
    started = time.perf_counter()
    process = subprocess.Popen([*CONFMIG, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    code = os.waitstatus_to_exitcode(status)
    cpu = usage.ru_utime + usage.ru_stime
    print(f"{arguments[0]:10} {code:4} {seconds:8.1f} {cpu:8.1f} {usage.ru_maxrss / 1024:8.0f}", flush=True)


def main() -> None:
    corpus = Path(__file__).parent.parent / os.environ.get("CONFMIG_CORPUS", "../shared/corpus")
    package = sys.argv[1] if len(sys.argv) > 1 else str(corpus.resolve() / LARGEST)
    print(f"{Path(package).name} on Python {platform.python_version()}, {os.cpu_count()} cores")
    print(f"{'command':10} {'exit':>4} {'seconds':>8} {'cpu':>8} {'MB':>8}")
    with tempfile.TemporaryDirectory() as folder:
        source, source_url = serve("--package", package)
        target, target_url = serve("--package", package, "--empty")
        out, plan = f"{folder}/out.zip", f"{folder}/a.plan"
        try:
            measure("export", "--source", source_url, "--schema", package, "--data", out)
            measure("diff", package, out)
            measure("plan", "--target", target_url, "--data", out, "--plan", plan)
            measure("import", "--target", target_url, "--data", out, "--run", f"{folder}/1.run")
            measure("verify", "--target", target_url, "--data", out)
            measure("import", "--target", target_url, "--data", out, "--run", f"{folder}/2.run")
        finally:
            for process in (source, target):
                process.terminate()
                process.wait()


if __name__ == "__main__":
    main()
