"""Filling a new store from an environment definition."""

from datetime import date, datetime
from decimal import Decimal

from confmig.emulator import basetables, naming
from confmig.emulator.baserows import add_base_rows, add_solutions
from confmig.emulator.catalog import Catalog, intersect_table, many_to_many, navigation, type_code
from confmig.emulator.converters import converter
from confmig.emulator.definitionfiles import read_definition
from confmig.emulator.definitions import (
    ColumnDef,
    Definition,
    Json,
    ManyToManyDef,
    OptionDef,
    RelationshipDef,
    TableDef,
)
from confmig.emulator.errors import EmulatorStartError, ServiceError
from confmig.emulator.model import Column, Key, ManyToMany, ManyToOne, Option, Table
from confmig.emulator.store import Store, Value, target_column
from confmig.emulator.writing import default_status

_OWNERSHIPS = ("user", "organization", "none")


def load_definition(store: Store, name: str, now: str, *, own_id: bool) -> None:
    """Make the tables and rows of a definition in an empty store.

    Args:
        store: The store; its organization id is known.
        name: Name or path of the definition.
        now: The time of rows that bring none of their own.
        own_id: Take the organization id of the definition, when it has one.

    Raises:
        EmulatorStartError: The definition is wrong; the message names file, table and row.
    """
    definition = read_definition(name)
    if own_id and definition.organization.id:
        if not naming.is_guid(definition.organization.id):
            raise EmulatorStartError(f"{definition.file}: the id of the organization is not a guid")
        store.organization_id = definition.organization.id.lower()
    tables = {table.name: table for table in basetables.base_tables()}
    for table_name, described in definition.tables.items():
        tables[table_name] = _table(definition.file, table_name, described, tables.get(table_name))
    basetables.complete_parties(tables)
    _check_targets(definition.file, tables)
    relationships = [_relationship(definition.file, many, tables) for many in definition.many_to_many.values()]
    for relationship in relationships:
        tables[relationship.intersect] = intersect_table(relationship)
    _check_components(definition, tables)
    declared = [_declared(definition.file, one, tables) for one in definition.relationships.values()]
    store.create(Catalog(tables.values(), relationships, declared))
    organization = definition.organization
    units = definition.rows.get("businessunit", ())
    root = next((str(row.get("businessunitid")) for row in units if not row.get("parentbusinessunitid")), None)
    add_base_rows(store, now, name=organization.name, version=organization.version, root_unit=root)
    add_solutions(store, now, solutions=definition.solutions.values(), version=organization.version)
    filler = _Filler(store, definition, now)
    filler.fill()


def _table(file: str, name: str, described: TableDef, base: Table | None) -> Table:
    if not naming.is_name(name) or described.ownership not in _OWNERSHIPS:
        raise EmulatorStartError(f"{file}: table {name!r} has a wrong name or ownership")
    primary_id = described.primary_id or basetables.id_column_of(name)
    columns = dict(base.columns) if base is not None else {}
    for column_name, column in described.columns.items():
        if not naming.is_name(column_name):
            raise EmulatorStartError(f"{file}: {name} has a column {column_name!r}, which cannot be a name")
        columns[column_name] = _column(column_name, column, described, primary_id=primary_id)
    if primary_id not in columns:
        raise EmulatorStartError(f"{file}: {name} does not have its primary id column {primary_id}")
    if described.primary_name is not None and described.primary_name not in columns:
        raise EmulatorStartError(f"{file}: {name} does not have its primary name column {described.primary_name}")
    for column_made in (*basetables.system_columns(described.ownership), *basetables.companions(columns.values())):
        columns.setdefault(column_made.name, column_made)
    for key, key_columns in described.keys.items():
        if not naming.is_name(key) or not set(key_columns) <= set(columns):
            raise EmulatorStartError(f"{file}: the key {key!r} of {name} names a column that the table does not have")
    for rule in described.duplicate_rules:
        if not rule or not set(rule) <= set(columns):
            raise EmulatorStartError(f"{file}: a duplicate rule of {name} names a column that the table does not have")
    return Table(
        name=name,
        entity_set=described.entity_set or naming.set_name(name),
        primary_id=primary_id,
        primary_name=described.primary_name,
        columns=columns,
        display_name=described.display_name or name,
        object_type_code=described.object_type_code or basetables.OBJECT_TYPE_CODES.get(name) or type_code(name),
        custom="_" in name,
        ownership=described.ownership,
        is_activity=described.activity,
        bulk=described.bulk,
        optimistic=described.optimistic,
        enforce_transitions=described.enforce_transitions,
        duplicate_rules=described.duplicate_rules,
        keys=tuple(Key(key, key_columns) for key, key_columns in described.keys.items()),
    )


def _column(name: str, described: ColumnDef, table: TableDef, *, primary_id: str) -> Column:
    options = _options(described, table)
    read_only = not described.writable or described.type == "BigInt"
    create_only = name in ("overriddencreatedon", primary_id)
    targets = described.targets or (("systemuser", "team") if described.type == "Owner" else ())
    return Column(
        name=name,
        type=described.type,
        display_name=described.display_name or name,
        max_length=described.max_length or {"String": 100, "Memo": 2000}.get(described.type),
        min_value=_digits(described.min),
        max_value=_digits(described.max),
        precision=described.precision,
        precision_source=described.precision_source,
        level=described.level,
        default=described.default,
        auto_number=described.auto_number,
        max_size_kb=described.max_size_kb,
        primary_image=described.primary_image,
        full_image=described.full_image,
        secured=described.secured,
        behavior=described.behavior,
        format=described.format,
        targets=targets,
        options=options,
        any_option=not options,
        required=described.required or name == primary_id,
        can_create=not read_only,
        can_update=not (read_only or create_only),
        named=name not in ("owninguser", "owningteam", "owningbusinessunit"),
        parent=described.parent,
        custom=naming.is_custom(name),
    )


def _digits(number: float | None) -> str | None:
    return None if number is None else str(Decimal(repr(number)))


def _options(described: ColumnDef, table: TableDef) -> tuple[Option, ...]:
    """The choices of a column; those of states and statuses are said of the table."""
    if described.type == "State":
        return tuple(Option(value, label) for value, label in table.states.items())
    if described.type == "Status":
        return tuple(
            Option(value, one.label, one.state, one.description, one.color, transitions=one.transitions)
            for value, one in table.statuses.items()
        )
    given = described.options
    if given is None:
        return (Option(0, "No"), Option(1, "Yes")) if described.type == "Boolean" else ()
    known = {value: OptionDef(one) if isinstance(one, str) else one for value, one in given.items()}
    return tuple(
        Option(value, one.label, None, one.description, one.color, one.external_value) for value, one in known.items()
    )


def _check_targets(file: str, tables: dict[str, Table]) -> None:
    for table in tables.values():
        for column in table.columns.values():
            if column.is_lookup and not column.targets:
                raise EmulatorStartError(f"{file}: the lookup {table.name}.{column.name} names no targets")
            for target in column.targets:
                if target not in tables and table.name != "activityparty":
                    raise EmulatorStartError(
                        f"{file}: {table.name}.{column.name} points to the unknown table {target!r}"
                    )


def _check_components(definition: Definition, tables: dict[str, Table]) -> None:
    for solution in definition.solutions.values():
        for name in solution.tables:
            if name not in tables:
                raise EmulatorStartError(
                    f"{definition.file}: the solution {solution.uniquename} lists the unknown table {name!r}"
                )


def _relationship(file: str, described: ManyToManyDef, tables: dict[str, Table]) -> ManyToMany:
    for name in (described.table1, described.table2):
        if name not in tables:
            raise EmulatorStartError(
                f"{file}: the relationship {described.schema_name} names the unknown table {name!r}"
            )
    if not naming.is_name(described.intersect) or not naming.is_name(described.schema_name):
        raise EmulatorStartError(f"{file}: the relationship {described.schema_name!r} has a wrong name")
    reflexive = described.table1 == described.table2
    names = (
        described.schema_name,
        described.nav1 or described.schema_name + ("_Referencing" if reflexive else ""),
        described.nav2 or described.schema_name + ("_Referenced" if reflexive else ""),
    )
    one, two = tables[described.table1], tables[described.table2]
    return many_to_many(described.intersect, one.name, one.primary_id, two.name, two.primary_id, names=names)


def _declared(file: str, described: RelationshipDef, tables: dict[str, Table]) -> ManyToOne:
    """What a definition says of one lookup and one of its targets, completed as the service would."""
    table = tables.get(described.table)
    column = table.columns.get(described.column) if table is not None else None
    if column is None or described.target not in column.targets:
        raise EmulatorStartError(
            f"{file}: a relationship says that {described.table}.{described.column} points to {described.target}, "
            "which it does not"
        )
    name = described.schema_name or f"{described.target}_{described.table}_{described.column}"
    return ManyToOne(
        schema_name=name,
        table=described.table,
        column=described.column,
        target=described.target,
        nav=described.nav or navigation(described.table, column, described.target),
        collection=described.collection or name,
        cascade=described.cascade,
        hierarchical=described.hierarchical or column.parent,
        custom=column.custom,
    )


class _Filler:
    """Writes the rows and associations of one definition."""

    def __init__(self, store: Store, definition: Definition, now: str) -> None:
        self._store = store
        self._definition = definition
        self._file = definition.file
        self._now = now
        self._references: list[tuple[str, str, str, str]] = []

    def fill(self) -> None:
        """Write everything, then see whether every lookup finds its row.

        Raises:
            EmulatorStartError: A row is wrong or a lookup points nowhere.
        """
        with self._store.transaction():
            for name, rows in self._definition.rows.items():
                table = self._store.catalog.tables.get(name)
                if table is None or table.is_intersect:
                    raise EmulatorStartError(f"{self._file}: rows are given for the unknown table {name!r}")
                for row in rows:
                    self._write(table, row)
            for where, column, target, row_id in self._references:
                if not self._store.exists(self._store.catalog.tables[target], row_id):
                    raise EmulatorStartError(f"{where}: {column} points to the {target} {row_id}, which is not there")
            for relationship, pairs in self._definition.associations.items():
                self._associate(relationship, pairs)

    def _write(self, table: Table, row: Json) -> None:
        row_id = str(row.get(table.primary_id, "")).lower()
        where = f"{self._file}: {table.name} {row_id}"
        if not naming.is_guid(row_id):
            raise EmulatorStartError(f"{where}: {table.primary_id} is not a guid")
        if self._store.exists(table, row_id):
            raise EmulatorStartError(f"{where}: the row is given twice")
        values: dict[str, Value] = {
            "versionnumber": self._store.next_version(),
            "createdon": self._now,
            "modifiedon": self._now,
        }
        given = dict(row)
        for name in ("createdby", "modifiedby"):
            given.setdefault(name, self._store.caller_id)
        if table.ownership == "user":
            given.setdefault("ownerid", {"table": "systemuser", "id": self._store.caller_id})
        for name, value in given.items():
            column = table.columns.get(name)
            if column is None or not column.stored:
                raise EmulatorStartError(f"{where}: there is no column {name}")
            if column.is_lookup:
                self._look_up(column, value, values, where)
            else:
                values[name] = self._converted(table, column, value, where)
        if {"statecode", "statuscode"} <= table.columns.keys():
            _complete_state(table, values)
        _follow_owner(table, values)
        self._store.insert(table, values)

    @staticmethod
    def _converted(table: Table, column: Column, value: object, where: str) -> Value:
        if isinstance(value, datetime):
            value = value.strftime("%Y-%m-%dT%H:%M:%SZ")
        elif isinstance(value, date):
            value = value.isoformat()
        elif isinstance(value, float):
            value = Decimal(repr(value))
        try:
            return converter(table, column)(value)
        except ServiceError as error:
            raise EmulatorStartError(f"{where}: {column.name}: {error.message}") from error

    def _look_up(self, column: Column, value: object, values: dict[str, Value], where: str) -> None:
        if value is None:
            return
        if isinstance(value, dict) and set(value) == {"table", "id"}:
            target, row_id = str(value["table"]), str(value["id"]).lower()
        elif isinstance(value, str) and not column.many_targets:
            target, row_id = column.targets[0], value.lower()
        else:
            raise EmulatorStartError(f"{where}: {column.name} must be {{table: …, id: …}}")
        if not naming.is_guid(row_id) or target not in column.targets:
            raise EmulatorStartError(f"{where}: {column.name} cannot point to {target} {row_id}")
        values[column.name] = row_id
        if column.many_targets:
            values[target_column(column.name)] = target
        self._references.append((where, column.name, target, row_id))

    def _associate(self, name: str, pairs: tuple[tuple[str, str], ...]) -> None:
        by_name = {many.schema_name: many for many in self._store.catalog.many_to_many}
        relationship = by_name.get(name) or self._store.catalog.intersects.get(name)
        if relationship is None:
            raise EmulatorStartError(f"{self._file}: associations are given for the unknown relationship {name!r}")
        tables = self._store.catalog.tables
        for one, two in pairs:
            for table, row_id in ((relationship.table1, one), (relationship.table2, two)):
                if not self._store.exists(tables[table], row_id.lower()):
                    raise EmulatorStartError(f"{self._file}: {name} names the {table} {row_id}, which is not there")
            values: dict[str, Value] = {
                tables[relationship.intersect].primary_id: naming.stable_id(relationship.intersect, one, two),
                relationship.column1: one.lower(),
                relationship.column2: two.lower(),
                "versionnumber": self._store.next_version(),
            }
            self._store.insert(tables[relationship.intersect], values)


def _follow_owner(table: Table, values: dict[str, Value]) -> None:
    """The owning user or team of a row that names only its owner."""
    kind = values.get(target_column("ownerid"))
    column = table.columns.get("owninguser" if kind == "systemuser" else "owningteam")
    if kind is not None and column is not None and column.is_lookup and values.get(column.name) is None:
        values[column.name] = values["ownerid"]
        if column.many_targets:
            values[target_column(column.name)] = kind


def _complete_state(table: Table, values: dict[str, Value]) -> None:
    """Give a row the state and the status that it leaves out."""
    status = values.get("statuscode")
    if values.get("statecode") is None:
        states = {option.value: option.state for option in table.columns["statuscode"].options}
        values["statecode"] = states.get(status) if isinstance(status, int) else 0
    if status is None:
        values["statuscode"] = default_status(table, int(str(values["statecode"] or 0)))
