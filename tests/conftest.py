"""What all tests share: where the corpus lies, and tables that tests hand to the end of the run."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

REPOSITORY = Path(__file__).parent.parent
PRINTED = "printed table"

# Whether a change lands must not hang on luck: CI tries the same examples each time, a developer's machine new ones.
settings.register_profile("ci", derandomize=True, deadline=None)
if os.environ.get("CI"):
    settings.load_profile("ci")


def corpus_path() -> Path:
    """The folder of real packages: CONFMIG_CORPUS, relative to the repository."""
    return (REPOSITORY / os.environ.get("CONFMIG_CORPUS", "../shared/corpus")).resolve()


@pytest.fixture(scope="session")
def corpus() -> Path:
    """The corpus of real packages; tests over it are skipped where it is absent."""
    path = corpus_path()
    if not (path / "packages").is_dir():
        pytest.skip("there is no corpus of real packages; set CONFMIG_CORPUS")
    return path


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """A developer's own variables, or those of a pipeline, must not change what a test does."""
    for name in list(os.environ):
        if name.startswith(("CONFMIG_", "AZURE_")) and name != "CONFMIG_CORPUS":
            monkeypatch.delenv(name)
    for name in ("GITHUB_ACTIONS", "TF_BUILD", "SOURCE_DATE_EPOCH"):
        monkeypatch.delenv(name, raising=False)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the tables that tests recorded; a worker's own output would be lost."""
    for report in terminalreporter.getreports("passed") + terminalreporter.getreports("failed"):
        for name, text in report.user_properties:
            if name == PRINTED:
                terminalreporter.write_line(f"\n{text}")
