"""Global choices, and the actions that change the options of any choice.

https://learn.microsoft.com/power-apps/developer/data-platform/webapi/create-update-optionsets
"""

import uuid
from collections.abc import Callable

import msgspec

from confmig.emulator.catalog.model import Column, Option, OptionSet, Table
from confmig.emulator.errors import (
    ServiceError,
    bad_request,
    metadata_missing,
    name_taken,
    not_deletable,
    option_set_wrong,
)
from confmig.emulator.metadata.choicebodies import DEFAULT_TWO, listed_options, next_value, read_option, two_options
from confmig.emulator.metadata.choices import Json, set_id
from confmig.emulator.metadata.components import OPTION_SET, Components
from confmig.emulator.metadata.labels import merged, read_flag, read_label, read_number, read_text, schema_name, type_of
from confmig.emulator.storage.schema import Schema
from confmig.emulator.storage.store import Store

Options = tuple[Option, ...]
_CHOICES = frozenset({"Picklist", "MultiSelectPicklist", "Boolean", "State", "Status"})


class OptionSets:
    """Changes the choices of an environment; every change is the caller's transaction.

    Args:
        store: The store.
        components: Where new components are registered.
    """

    def __init__(self, store: Store, components: Components) -> None:
        self._schema = Schema(store)
        self._components = components

    def create(self, body: Json) -> OptionSet:
        """Make a global choice.

        Raises:
            ServiceError: The body is wrong or the name is taken.
        """
        # The service keeps the names of choices in lower case, as it does logical names [inferred].
        name = schema_name(body, "OptionSet", member="Name").lower()
        if name in self._schema.catalog.option_sets:
            raise name_taken(name, "OptionSet")
        boolean = type_of(body) == "BooleanOptionSetMetadata"
        label, description = read_label(body, "DisplayName"), read_label(body, "Description")
        one = OptionSet(
            name=name,
            kind="Boolean" if boolean else "Picklist",
            options=two_options(body) if boolean else listed_options(body, prefix=self._components.option_prefix()),
            display_name=label.text if label else "",
            description=description.text if description else "",
            metadata_id=str(uuid.uuid4()),
        )
        self._put(one)
        self._components.add(OPTION_SET, set_id(one))
        return one

    def _put(self, one: OptionSet) -> None:
        """Let the catalog have a global choice, and the columns that use it its options."""
        catalog = self._schema.catalog
        tables = [
            msgspec.structs.replace(
                table, columns={name: _following(column, one) for name, column in table.columns.items()}
            )
            if any(column.option_set == one.name for column in table.columns.values())
            else table
            for table in catalog.tables.values()
        ]
        option_sets = (catalog.option_sets | {one.name: one}).values()
        self._schema.change(catalog.replace(tables=tables, option_sets=option_sets))

    def update(self, one: OptionSet, body: Json) -> None:
        """Change what a global choice is called; its options have actions of their own.

        Raises:
            ServiceError: The body is wrong.
        """
        label, description = read_label(body, "DisplayName"), read_label(body, "Description")
        new = msgspec.structs.replace(
            one,
            display_name=label.text if label else one.display_name,
            description=description.text if description else one.description,
        )
        self._put(new)

    def delete(self, one: OptionSet) -> None:
        """Remove a global choice.

        Raises:
            ServiceError: A column uses it, or it belongs to the platform.
        """
        if "_" not in one.name:
            raise not_deletable(one.name, set_id(one))
        catalog = self._schema.catalog
        users = [
            table.name
            for table in catalog.tables.values()
            if any(column.option_set == one.name for column in table.columns.values())
        ]
        if users:
            raise ServiceError(
                400,
                "0x80048417",
                "This option set cannot be deleted. The current set of entities that reference this option set are: "
                f"{', '.join(users)}. These references must be removed before this option set can be deleted",
            )
        kept = [other for other in catalog.option_sets.values() if other.name != one.name]
        self._schema.change(catalog.replace(option_sets=kept))
        self._components.remove(set_id(one))

    def insert(self, body: Json) -> int:
        """InsertOptionValue: give a choice an option.

        Returns:
            The value of the option.

        Raises:
            ServiceError: The choice is not there, the value is taken, or the body is wrong.
        """
        return self._insert(body, None, {"Picklist", "MultiSelectPicklist"})

    def insert_status(self, body: Json) -> int:
        """InsertStatusValue: give a state a reason; see ``insert``."""
        table, _ = self._column(body)
        state = read_number(body, "StateCode")
        column = table.columns.get("statecode")
        if state is None or column is None or state not in column.accepted():
            raise option_set_wrong(f"The state {state} does not exist for the entity {table.name}.")
        return self._insert(body, state, {"Status"})

    def _insert(self, body: Json, state: int | None, kinds: set[str]) -> int:
        made: list[int] = []

        def insert(options: Options) -> Options:
            value = next_value(options, self._components.option_prefix())
            option = msgspec.structs.replace(read_option(body, value), state=state)
            if any(option.value == other.value for other in options):
                raise option_set_wrong(f"The option value {option.value} is already used by the option set.")
            made.append(option.value)
            return (*options, option)

        self._change(body, insert, kinds)
        return made[0]

    def update_option(self, body: Json) -> None:
        """UpdateOptionValue: change the label, the description or the color of an option.

        Raises:
            ServiceError: The choice or the option is not there, or the body is wrong.
        """
        self._update(body, set(_CHOICES))

    def update_state(self, body: Json) -> None:
        """UpdateStateValue: change what a state is called; see ``update_option``."""
        self._update(body, {"State"})

    def _update(self, body: Json, kinds: set[str]) -> None:
        merge = read_flag(body, "MergeLabels") or False

        def update(options: Options) -> Options:
            position = _position(options, read_number(body, "Value"))
            option = options[position]
            label, description = read_label(body, "Label"), read_label(body, "Description")
            option = msgspec.structs.replace(
                option,
                label=(label.text or option.label) if label else option.label,
                translations=merged(option.translations, label, merge=merge) if label else option.translations,
                description=description.text if description else option.description,
                color=read_text(body, "Color") or option.color,
                external_value=read_text(body, "ExternalValue") or option.external_value,
            )
            return (*options[:position], option, *options[position + 1 :])

        self._change(body, update, kinds)

    def delete_option(self, body: Json) -> None:
        """DeleteOptionValue: take an option from a choice; rows keep the value.

        Raises:
            ServiceError: The choice or the option is not there.
        """

        def delete(options: Options) -> Options:
            position = _position(options, read_number(body, "Value"))
            return (*options[:position], *options[position + 1 :])

        self._change(body, delete, {"Picklist", "MultiSelectPicklist", "Status"})

    def order(self, body: Json) -> None:
        """OrderOption: put the options of a choice into another order.

        Raises:
            ServiceError: The choice is not there, or the values are not those of its options.
        """
        values = body.get("Values")

        def order(options: Options) -> Options:
            known = {option.value: option for option in options}
            if not isinstance(values, list) or set(map(repr, values)) != set(map(repr, known)):
                raise option_set_wrong("The values are not those of the options of the option set.")
            return tuple(known[value] for value in values)

        self._change(body, order, {"Picklist", "MultiSelectPicklist", "Status"})

    def _change(self, body: Json, change: Callable[[Options], Options], kinds: set[str]) -> None:
        """Change the options of the choice that a body names: a global one, or that of a column."""
        name = read_text(body, "OptionSetName")
        if name:
            one = self._schema.catalog.option_sets.get(name)
            if one is None:
                raise metadata_missing("an option set", name)
            self._put(msgspec.structs.replace(one, options=change(one.options)))
            return
        table, column = self._column(body)
        if column.type not in kinds:
            raise option_set_wrong(f"The attribute {column.name} of type {column.type} has no such options.")
        shared = self._schema.catalog.option_sets.get(column.option_set or "")
        if shared is not None:
            self._put(msgspec.structs.replace(shared, options=change(shared.options)))
            return
        options = column.options or (DEFAULT_TWO if column.type == "Boolean" else ())
        new = msgspec.structs.replace(column, options=change(options))
        self._schema.put_table(msgspec.structs.replace(table, columns=table.columns | {column.name: new}))

    def _column(self, body: Json) -> tuple[Table, Column]:
        entity, attribute = read_text(body, "EntityLogicalName"), read_text(body, "AttributeLogicalName")
        if not entity or not attribute:
            raise bad_request("Either OptionSetName, or EntityLogicalName and AttributeLogicalName must be given.")
        table = self._schema.catalog.tables.get(entity)
        if table is None:
            raise metadata_missing("an entity", entity)
        column = table.columns.get(attribute)
        if column is None:
            raise metadata_missing("an attribute", attribute)
        return table, column


def _following(column: Column, one: OptionSet) -> Column:
    return msgspec.structs.replace(column, options=one.options) if column.option_set == one.name else column


def _position(options: Options, value: int | None) -> int:
    for position, option in enumerate(options):
        if option.value == value:
            return position
    raise option_set_wrong(f"The option value {value} does not exist in the option set.")
