"""Making or opening the environment that the options ask for."""

import uuid

from confmig.emulator.baserows import add_solutions
from confmig.emulator.definitions.defining import load_definition
from confmig.emulator.errors import EmulatorStartError
from confmig.emulator.options import EmulatorOptions
from confmig.emulator.packages.loading import load_package
from confmig.emulator.packages.packagefile import open_package
from confmig.emulator.storage.store import Store

STANDARD = "standard"
"""The definition that is served when nothing else is asked for."""


def open_environment(options: EmulatorOptions) -> Store:
    """The store of an environment, filled when it is new.

    Args:
        options: What it shall hold.

    Raises:
        EmulatorStartError: The options contradict each other, or the store or the definition is wrong.
        PackageFileError: The package cannot be read.
    """
    _check(options)
    store = Store(options.store)
    try:
        if not store.open_existing():
            store.organization_id = _plain_id(options.organization_id) or str(uuid.uuid4())
            with store.transaction():
                # A process that is killed while it fills a store leaves an empty one.
                _fill(store, options)
                store.save_environment()
        elif _plain_id(options.organization_id) not in (None, store.organization_id):
            raise EmulatorStartError(f"the store belongs to the organization {store.organization_id}")
    except BaseException:
        store.connection.close()
        raise
    return store


def _check(options: EmulatorOptions) -> None:
    if options.package is not None and options.environment is not None:
        raise EmulatorStartError("a package and an environment definition cannot be served together")
    if options.package is None and (options.empty or options.without_outside_rows):
        raise EmulatorStartError("an environment can be empty, or be without outside rows, only with a package")
    _plain_id(options.organization_id)


def _plain_id(text: str | None) -> str | None:
    """An id in the form in which the wire has it."""
    if text is None:
        return None
    try:
        return str(uuid.UUID(text))
    except ValueError as error:
        raise EmulatorStartError(f"{text!r} is not an organization id") from error


def _fill(store: Store, options: EmulatorOptions) -> None:
    moment = options.clock.stamp()
    if options.package is not None:
        load_package(
            store,
            open_package(options.package),
            empty=options.empty,
            outside_rows=not options.without_outside_rows,
            now=moment,
        )
        add_solutions(store, moment)
    else:
        load_definition(store, options.environment or STANDARD, moment, own_id=options.organization_id is None)
