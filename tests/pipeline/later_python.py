"""A later Python with the locked requirements: that of Debian's next release, run from a folder by its own loader."""

import hashlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from .engine import CACHE, REPOSITORY, lock, need, output

_SUITE = "trixie"
_VERSION = "3.13"
_PACKAGES = f"python{_VERSION},libpython{_VERSION}-stdlib"


@dataclass(frozen=True)
class LaterPython:
    """An interpreter, and the folders that it finds its modules in."""

    root: Path
    modules: Path

    def run(self, *arguments: str, environment: Mapping[str, str], folder: Path) -> subprocess.CompletedProcess[str]:
        """Run it in a folder; confmig can be imported."""
        (loader,) = self.root.glob("usr/lib/*/ld-linux*.so.*")
        return subprocess.run(
            [
                str(loader),
                "--library-path",
                str(loader.parent),
                str(self.root / f"usr/bin/python{_VERSION}"),
                *arguments,
            ],
            env={
                **environment,
                "PYTHONHOME": str(self.root / "usr"),
                "PYTHONPATH": f"{REPOSITORY / 'src'}:{self.modules}",
                "PYTHONDONTWRITEBYTECODE": "1",
            },
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )


def later_python() -> LaterPython:
    """Fetch it once; it is kept between runs.

    Raises:
        EngineError: It cannot be fetched.
    """
    need("mmdebstrap")
    requirements = REPOSITORY / "requirements.txt"
    key = hashlib.sha256(requirements.read_bytes() + _PACKAGES.encode()).hexdigest()[:12]
    folder = CACHE / f"python-{_VERSION}-{key}"
    with lock(CACHE / "later-python.lock", wait=True):
        if not folder.exists():
            with tempfile.TemporaryDirectory(dir=CACHE) as scratch:
                part = Path(scratch, "part")
                _fetch(part, requirements)
                part.rename(folder)
    return LaterPython(folder / "root", folder / "modules")


def _fetch(folder: Path, requirements: Path) -> None:
    folder.mkdir()
    mode = "root" if os.geteuid() == 0 else "unshare"
    output(
        *("mmdebstrap", f"--mode={mode}", "--variant=extract", f"--include={_PACKAGES}", "--format=directory"),
        *(_SUITE, str(folder / "root")),
    )
    output(
        *(sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"),
        *("--only-binary", ":all:", "--python-version", _VERSION, "--target", str(folder / "modules")),
        *("--no-compile", "--require-hashes", "--requirement", str(requirements)),
    )
