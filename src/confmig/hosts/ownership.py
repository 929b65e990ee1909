"""Whose files we write. A container action runs as root in a workspace that belongs to the runner's user."""

import os
from collections.abc import Sequence
from pathlib import Path


def act_as_owner_of(folder: Path, writable: Sequence[str]) -> None:
    """From here on act as the owner of a folder, if we are root and the owner is not.

    What root writes there, later steps of the job can neither change nor delete (actions/runner#1282).

    Args:
        folder: The workspace.
        writable: Files of the platform's that must stay writable; else everything stays as it is.
    """
    if os.geteuid() != 0:
        return
    owner = folder.stat()
    if owner.st_uid == 0:
        return
    try:
        os.setegid(owner.st_gid)
        os.seteuid(owner.st_uid)
    except PermissionError:  # a container without that capability
        os.setegid(0)
        return
    if not all(os.access(path, os.W_OK, effective_ids=True) for path in writable if path):
        os.seteuid(0)
        os.setegid(0)
