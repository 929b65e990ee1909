"""What commands about two environments, and about a schema between them, share."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from confmig.checking.findings import Finding, Severity
from confmig.checking.versions import Sides, VersionPolicy, version_findings
from confmig.commands.options import auth_mode
from confmig.errors import UsageError
from confmig.model.schema import Schema
from confmig.package.manifest import manifest_differences, manifest_path, read_manifest
from confmig.package.package import Package, is_package_name
from confmig.package.schemalines import schema_lines
from confmig.planning.plan import Origin, PlanOptions
from confmig.profiles.profile import load_profiles
from confmig.reporting.findings import NOWHERE, Places
from confmig.webapi.auth import AuthMode
from confmig.webapi.environment import Environment, connect

_SHOWN = 5


def connect_two(
    source_url: str, target_url: str, auth: AuthMode | None, source_auth: AuthMode | None, target_auth: AuthMode | None
) -> tuple[Environment, Environment]:
    """Connect to source and target, each signed in by its own mode or else the common one.

    Raises:
        UsageError: They are the same organization, whatever their URLs; and what ``connect`` raises.
    """
    source = connect(source_url, auth_mode(source_auth, auth, source_url), "source")
    target = connect(target_url, auth_mode(target_auth, auth, target_url), "target")
    if source.identity.organization_id == target.identity.organization_id:
        raise UsageError(
            f"{source.url} and {target.url} are the same organization, {target.identity.organization_id}.",
            "Check the two URLs.",
            reason="same-environment",
        )
    return source, target


def compare_environments(
    schema: Schema, source: Environment, target: Environment, options: PlanOptions
) -> Iterator[Finding]:
    """Compare the solution versions of two environments."""
    profiles = load_profiles().of(schema.names())
    return version_findings(sides_of(source, target), profiles, options.solutions, options.versions)


def sides_of(source: Environment, target: Environment) -> Sides:
    """The solutions of two environments."""
    return Sides(source.solutions(), target.solutions(), source.url, target.url)


def compare_origin(
    tables: Iterable[str], origin: Origin, target: Environment, options: PlanOptions, doubt: str = ""
) -> Iterator[Finding]:
    """Compare the solution versions of a target with those that the source had when the package was exported.

    Nothing is compared of a package that no manifest tells the origin of; where versions matter, that is a finding. So
    is a manifest that is not the package's own, which is the ``doubt``.
    """
    profiles = list(load_profiles().of(list(tables)))
    if origin.organization:
        sides = Sides(origin.solutions, target.solutions(), f"the source ({origin.url})", target.url)
        yield from version_findings(sides, profiles, options.solutions, options.versions)
    elif profiles or options.solutions or doubt:
        yield Finding(
            "manifest-missing",
            "",
            "",
            f"{doubt or 'The package has no manifest of its own beside it'},"
            " so the versions of the source are not known and were not compared.",
            "Keep the .manifest.json that confmig export writes beside the package; after a change of the package"
            " delete it.",
            Severity.ERROR if options.solutions and options.versions is not VersionPolicy.ANY else Severity.WARNING,
        )


def origin_of(package: Package) -> tuple[Origin, str]:
    """Where a package comes from, by the manifest beside it; a manifest of another package says nothing about it.

    Returns:
        The origin, and what is off with a manifest that is there, as the beginning of a sentence.
    """
    manifest = read_manifest(package.path)
    if manifest is None:
        return Origin(), ""
    if differences := list(manifest_differences(manifest, package)):
        shown = differences if len(differences) <= _SHOWN else [*differences[:_SHOWN], "…", differences[-1]]
        return Origin(), f"{manifest_path(package.path).name} is not of this package ({'; '.join(shown)})"
    return Origin(manifest.source_organization, manifest.source_url, manifest.solutions), ""


def places_of(schema: Path, data: bytes) -> Places:
    """Where findings stand in a schema file; of a schema within a package ``places_within`` tells that."""
    if is_package_name(schema):
        return NOWHERE
    return Places(from_the_root(schema), schema_lines(data))


def places_within(package: Path, member: str, data: bytes) -> Places:
    """Where findings stand in a package whose schema is this member."""
    folder = f"{from_the_root(package)}/" if package.is_dir() else None
    return Places(member, schema_lines(data) if member else {}, folder)


def from_the_root(path: Path) -> str:
    """A path as platforms look for it: from the repository's root, wherever a command runs."""
    root = os.environ.get("GITHUB_WORKSPACE") or os.environ.get("BUILD_SOURCESDIRECTORY") or str(Path.cwd())
    whole = path.resolve()
    return whole.relative_to(root).as_posix() if whole.is_relative_to(root) else str(path)
