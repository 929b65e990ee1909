"""``python -m tests.fuzz TARGET RUNS``: run one target under atheris, with a fixed seed.

It ends with 0 when nothing was found. Otherwise the input is left as ``crash-…``: once the reader is mended, keep it in
``tests/fuzz/findings/TARGET``.
"""

import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["confmig.package", "confmig.model", "zipfile"]):
    from tests.fuzz.targets import SEEDS, TARGETS

_WORDS = Path(__file__).with_name("words.dict")
_FINDINGS = Path(__file__).with_name("findings")


def main() -> None:
    """Begin with the seeds and with what was found before; end after so many executions, or with the first bug."""
    target, runs = sys.argv[1:]
    with tempfile.TemporaryDirectory(prefix="confmig-fuzz-") as folder:
        for number, seed in enumerate(
            [*SEEDS[target], *(file.read_bytes() for file in (_FINDINGS / target).glob("*"))]
        ):
            Path(folder, str(number)).write_bytes(seed)
        options = [
            "-seed=5",
            f"-runs={runs}",
            "-max_len=4096",
            "-timeout=20",
            "-rss_limit_mb=2048",
            "-print_final_stats=1",
        ]
        atheris.Setup([sys.argv[0], *options, f"-dict={_WORDS}", folder], TARGETS[target])
        atheris.Fuzz()


main()
