"""What upload-artifact and download-artifact do, in Python: the image in which act runs jobs has no node.

It speaks version 4 of GitHub's artifact protocol with the server of act, and keeps the rules users meet on GitHub: a
name is taken once, hidden files stay behind, and the folder all paths have in common is the root of the archive.
"""

import base64
import glob
import hashlib
import io
import json
import os
import sys
import urllib.error
import urllib.request
import zipfile
from pathlib import Path
from typing import Any

_SERVICE = "/twirp/github.actions.results.api.v1.ArtifactService/"
_FORBIDDEN = set('":<>|*?\r\n\\/')


def upload() -> None:
    """Store files under a name."""
    name = os.environ["STUB_NAME"]
    if not name or _FORBIDDEN & set(name):
        _fail(f"The artifact name is not valid: {name!r}")
    root, files = _wanted()
    if not files:
        text = f"No files were found with the provided path: {os.environ['STUB_PATH']}. No artifacts will be uploaded."
        if os.environ["STUB_IF_NO_FILES_FOUND"] == "error":
            _fail(text)
        print(text if os.environ["STUB_IF_NO_FILES_FOUND"] == "ignore" else f"::warning::{text}")
        return
    run, job = _back_end_ids()
    ids = {"workflow_run_backend_id": run, "workflow_job_run_backend_id": job, "name": name}
    if name in _names(run, job):
        if os.environ["STUB_OVERWRITE"] != "true":
            _fail(f"Failed to CreateArtifact: (409) Conflict: an artifact with this name already exists: {name}")
        _call("DeleteArtifact", ids)
    archive = _zip(root, files)
    created = _call("CreateArtifact", {**ids, "version": 4})
    url = created.get("signed_upload_url") or created["signedUploadUrl"]
    block = base64.b64encode(b"block-000000").decode()
    _send("PUT", f"{url}&comp=block&blockid={block}", archive)
    listed = f'<?xml version="1.0" encoding="utf-8"?><BlockList><Latest>{block}</Latest></BlockList>'
    _send("PUT", f"{url}&comp=blocklist", listed.encode())
    digest = hashlib.sha256(archive).hexdigest()
    done = _call("FinalizeArtifact", {**ids, "size": str(len(archive)), "hash": f"sha256:{digest}"})
    identifier = done.get("artifact_id") or done["artifactId"]
    with Path(os.environ["GITHUB_OUTPUT"]).open("a") as outputs:
        outputs.write(f"artifact-id={identifier}\nartifact-digest={digest}\n")
    print(f"Artifact {name} has been uploaded: {len(files)} files, {len(archive)} bytes")


def download() -> None:
    """Lay out the files of one artifact, or of all, each in a folder of its name."""
    run, job = _back_end_ids()
    name, target = os.environ["STUB_NAME"], Path(os.environ["STUB_PATH"] or ".").resolve()
    present = _names(run, job)
    if name and name not in present:
        _fail(f"Unable to download artifact(s): Artifact not found for name: {name}")
    for each in [name] if name else present:
        ids = {"workflow_run_backend_id": run, "workflow_job_run_backend_id": job, "name": each}
        signed = _call("GetSignedArtifactURL", ids)
        archive = _send("GET", signed.get("signed_url") or signed["signedUrl"])
        with zipfile.ZipFile(io.BytesIO(archive)) as stored:
            stored.extractall(target if name else target / each)
        print(f"Artifact {each} has been downloaded to {target}")
    with Path(os.environ["GITHUB_OUTPUT"]).open("a") as outputs:
        outputs.write(f"download-path={target}\n")


def _wanted() -> tuple[Path, list[Path]]:
    """The root of the archive, and the files in it, by lines of paths and patterns."""
    lines = [line.strip() for line in os.environ["STUB_PATH"].splitlines() if line.strip()]
    excluded = {path for line in lines if line.startswith("!") for path in _found(line[1:])}
    named = [Path(line).absolute() for line in lines if not line.startswith("!")]
    files = sorted({path for path in named for path in _found(str(path))} - excluded)
    if not files:
        return Path.cwd(), []
    # A folder and the fixed part of a pattern are roots themselves; of a file it is the folder around it.
    roots = [path if path.is_dir() else path.parent for path in (_fixed_part(path) for path in named)]
    return Path(os.path.commonpath(roots)), files


def _found(pattern: str) -> set[Path]:
    root = _fixed_part(Path(pattern).absolute())
    # pathlib would take no pattern that begins with a slash.
    tops = [Path(name) for name in glob.glob(str(Path(pattern).absolute()), recursive=True, include_hidden=True)]  # noqa: PTH207
    files = {path for top in tops for path in (top.rglob("*") if top.is_dir() else [top]) if path.is_file()}
    if os.environ["STUB_INCLUDE_HIDDEN_FILES"] == "true":
        return files
    # What is above the root may be hidden, the root itself may not.
    return {path for path in files if not any(part[0] == "." for part in (root.name, *path.relative_to(root).parts))}


def _fixed_part(path: Path) -> Path:
    while glob.has_magic(str(path)):
        path = path.parent
    return path


def _zip(root: Path, files: list[Path]) -> bytes:
    stored = io.BytesIO()
    with zipfile.ZipFile(stored, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in files:
            archive.write(path, path.relative_to(root))
    return stored.getvalue()


def _back_end_ids() -> tuple[str, str]:
    """The run and the job as the token of the run names them."""
    payload = os.environ["ACTIONS_RUNTIME_TOKEN"].split(".")[1]
    scopes: str = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["scp"]
    for scope in scopes.split():
        if scope.startswith("Actions.Results:"):
            _, run, job = scope.split(":")
            return run, job
    _fail("The token of the run has no scope for artifacts.")
    raise AssertionError


def _names(run: str, job: str) -> list[str]:
    ids = {"workflow_run_backend_id": run, "workflow_job_run_backend_id": job}
    try:
        listed = _call("ListArtifacts", ids)
    except (urllib.error.HTTPError, ConnectionError):
        return []  # the server of act breaks off where nothing was stored yet
    return [artifact["name"] for artifact in listed.get("artifacts", [])]


def _call(method: str, document: dict[str, Any]) -> dict[str, Any]:
    url = os.environ["ACTIONS_RESULTS_URL"].rstrip("/") + _SERVICE + method
    headers = {
        "Authorization": f"Bearer {os.environ['ACTIONS_RUNTIME_TOKEN']}",
        "Content-Type": "application/json",
    }
    reply: dict[str, Any] = json.loads(_send("POST", url, json.dumps(document).encode(), headers))
    return reply


def _send(method: str, url: str, body: bytes | None = None, headers: dict[str, str] | None = None) -> bytes:
    request = urllib.request.Request(url, body, headers or {}, method=method)  # noqa: S310 — the server act runs
    with urllib.request.urlopen(request, timeout=60) as reply:  # noqa: S310
        content: bytes = reply.read()
    return content


def _fail(text: str) -> None:
    print(f"::error::{text}")
    sys.exit(1)


if __name__ == "__main__":
    {"upload": upload, "download": download}[sys.argv[1]]()
