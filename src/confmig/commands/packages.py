"""Where commands write packages: a zip, or a folder made for git; and the manifest that goes along."""

import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from confmig.errors import UsageError
from confmig.package.limits import LIMITS, Limits
from confmig.package.manifest import manifest_path
from confmig.package.package import Package
from confmig.package.writer import source_date


def is_folder_name(data: Path) -> bool:
    """Whether a package of this name is to be a folder: it is one, or it is new and its name is not that of a zip."""
    return data.is_dir() or (data.suffix.lower() != ".zip" and not data.exists())


def require_data_name(data: Path) -> None:
    """Check where a package goes before anything is read.

    Raises:
        UsageError: It is a folder that holds other things, or a file that is no zip; or SOURCE_DATE_EPOCH is no time.
    """
    if is_folder_name(data):
        from confmig.package.folder.replacing import require_folder_name

        require_folder_name(data)
        source_date()
    else:
        require_zip_name(data, "--data")


def with_name_of_its_own(path: Path) -> Path:
    """The path, or where it is ``.`` or ``..`` the whole path of that folder, so that other names can be made of it."""
    return path.resolve() if path.name in {"", ".."} else path


def require_zip_name(path: Path, option: str) -> None:
    """Check where a zip goes.

    Raises:
        UsageError: It is a folder, or a file that is no zip; or SOURCE_DATE_EPOCH is no time.
    """
    source_date()
    if path.is_dir():
        raise UsageError(f"{option} {path}: this is a folder.", "Give the name of the zip to write.")
    if path.exists() and not (path.is_file() and zipfile.is_zipfile(path)):
        raise UsageError(
            f"{option} {path}: this file is no package, and would be replaced by one.", "Give another name."
        )


def require_apart(data: Path, output: Path) -> None:
    """Check that a package is not written into itself, or over itself.

    Raises:
        UsageError: It would be.
    """
    if not data.exists():
        return  # whoever opens it tells so
    source, target = data.resolve(), output.resolve()
    if source == target or source in target.parents or target in source.parents:
        raise UsageError(
            f"{output}: this is the package itself, or lies within it.", "Give another place with --output."
        )


@contextmanager
def data_target(data: Path, limits: Limits = LIMITS) -> Iterator[Path]:
    """The zip to write a package to; where a folder is wanted, it is made of the zip afterwards.

    An existing folder is changed only where the rows are other ones than before, so that a version control shows these.
    """
    if not is_folder_name(data):
        yield data
        return
    from confmig.package.folder.replacing import replace_folder

    with tempfile.TemporaryDirectory(prefix="confmig-") as folder:
        path = Path(folder) / "data.zip"
        yield path
        if path.exists():  # rows that went live meanwhile let no package appear
            with Package(path, limits) as package:
                replace_folder(package, data, keep_time=True)


def take_manifest_along(data: Path, output: Path) -> Path | None:
    """Copy the manifest beside a package to its new place; None where it has none."""
    old, new = manifest_path(data), manifest_path(output)
    if not old.is_file():
        return None
    if old.resolve() != new.resolve():
        shutil.copyfile(old, new)
    return new
