"""The catalog that an environment definition describes."""

from collections.abc import Iterable
from decimal import Decimal, InvalidOperation

import msgspec

from confmig.emulator.catalog import basetables, naming
from confmig.emulator.catalog.catalog import Catalog, intersect_table, many_to_many, navigation, type_code
from confmig.emulator.catalog.companions import companions, money_companions, name_primary_image
from confmig.emulator.catalog.model import Column, Key, ManyToMany, ManyToOne, Option, OptionSet, Table, Translations
from confmig.emulator.definitions.definitioncheck import place_of
from confmig.emulator.definitions.definitions import Definition
from confmig.emulator.definitions.tabledefinitions import (
    ColumnDef,
    KeyDef,
    ManyToManyDef,
    OptionDef,
    RelationshipDef,
    TableDef,
    Texts,
)
from confmig.emulator.errors import EmulatorStartError
from confmig.emulator.metadata.choices import LANGUAGE
from confmig.emulator.security.securitytables import complete_security

_SOURCES = ("simple", "calculated", "rollup", "formula")
_YES_NO = (Option(0, "No"), Option(1, "Yes"))


def build_catalog(definition: Definition) -> Catalog:
    """The tables, relationships and choices of a definition.

    Raises:
        EmulatorStartError: They do not fit together; the message names file, line and table.
    """
    tables = {table.name: table for table in basetables.base_tables()}
    for name, described in definition.tables.items():
        tables[name] = _table(definition, name, described, tables.get(name))
    if twins := _twins(tables):
        raise _error(definition, f"the tables {twins} differ in nothing but case", "tables", twins.split()[-1])
    basetables.complete_parties(tables)
    _complete_subjects(tables)
    _check_targets(definition, tables)
    relationships = [_many_to_many(definition, many, tables) for many in definition.many_to_many.values()]
    for relationship in relationships:
        described_so = definition.many_to_many[relationship.schema_name]
        tables[relationship.intersect] = intersect_table(
            relationship, entity_set=described_so.entity_set, object_type_code=described_so.object_type_code
        )
    relationships = complete_security(tables, relationships)
    _check_sets(definition, tables)
    _check_components(definition, tables)
    declared = [_many_to_one(definition, one, tables) for one in definition.relationships.values()]
    choices = [
        OptionSet(
            name=name,
            options=_listed(choice.options),
            display_name=choice.display_name or name,
            description=choice.description,
        )
        for name, choice in definition.choices.items()
    ]
    return Catalog(tables.values(), relationships, declared, choices, definition.languages)


def _table(definition: Definition, name: str, described: TableDef, base: Table | None) -> Table:
    if not naming.is_name(name):
        raise _error(definition, f"{name!r} cannot be the name of a table", "tables", name)
    primary_id = described.primary_id or basetables.id_column_of(name)
    columns = dict(base.columns) if base is not None else {}
    for column_name, column in described.columns.items():
        if not naming.is_name(column_name):
            words = f"{name} has a column {column_name!r}, which cannot be a name"
            raise _error(definition, words, "tables", name, "columns", column_name)
        columns[column_name] = _column(definition, name, column_name, column, primary_id=primary_id)
    if twins := _twins(columns):
        words = f"the columns {twins} of {name} differ in nothing but case"
        raise _error(definition, words, "tables", name, "columns", twins.split()[-1])
    if primary_id not in columns:
        raise _error(definition, f"{name} does not have its primary id column {primary_id}", "tables", name)
    if described.primary_name is not None and described.primary_name not in columns:
        words = f"{name} does not have its primary name column {described.primary_name}"
        raise _error(definition, words, "tables", name, "primary_name")
    more = basetables.system_columns(described.ownership) if described.system_columns else []
    name_primary_image(columns)
    for column_made in (*more, *_companions(columns)):
        columns.setdefault(column_made.name, column_made)
    for rule in described.duplicate_rules:
        if not rule or not set(rule) <= set(columns):
            words = f"a duplicate rule of {name} names a column that the table does not have"
            raise _error(definition, words, "tables", name, "duplicate_rules")
    return Table(
        name=name,
        entity_set=described.entity_set or naming.set_name(name),
        primary_id=primary_id,
        primary_name=described.primary_name,
        columns=columns,
        schema_name=described.schema_name,
        display_name=_own(described.display_name) or name,
        translations=_others(described.display_name),
        display_collection_name=described.collection_name,
        description=described.description,
        object_type_code=described.object_type_code or basetables.OBJECT_TYPE_CODES.get(name) or type_code(name),
        custom="_" in name if described.custom is None else described.custom,
        managed=described.managed,
        ownership=described.ownership,
        is_activity=described.activity,
        bulk=described.bulk,
        change_tracking=described.change_tracking,
        has_notes=described.has_notes,
        has_activities=described.has_activities,
        optimistic=described.optimistic,
        enforce_transitions=described.enforce_transitions,
        duplicate_rules=described.duplicate_rules,
        keys=tuple(_key(definition, name, columns, key, given) for key, given in described.keys.items()),
    )


def _companions(columns: dict[str, Column]) -> list[Column]:
    """The columns that the service makes together with others, as far as they are not described themselves."""
    made = [one for column in columns.values() if not _is_base(columns, column) for one in companions(column)]
    return [*made, *money_companions()] if any(column.type == "Money" for column in columns.values()) else made


def _is_base(columns: dict[str, Column], column: Column) -> bool:
    """Whether a column is the amount of another one in the currency of the organization."""
    amount = columns.get(column.name.removesuffix("_base"))
    return column.calculation_of is not None or (amount is not None and amount is not column)


def _twins(names: Iterable[str]) -> str:
    """Two names that are the same for the database, which does not tell cases apart; empty when there are none."""
    seen: dict[str, str] = {}
    for name in names:
        other = seen.setdefault(name.lower(), name)
        if other != name:
            return f"{other} and {name}"
    return ""


def _key(
    definition: Definition, table: str, columns: dict[str, Column], name: str, given: tuple[str, ...] | KeyDef
) -> Key:
    described = given if isinstance(given, KeyDef) else KeyDef(given)
    if not naming.is_name(name) or not described.columns or not set(described.columns) <= set(columns):
        words = f"the key {name!r} of {table} names a column that the table does not have"
        raise _error(definition, words, "tables", table, "keys", name)
    return Key(name, described.columns, described.schema_name, described.display_name, described.status)


def _column(definition: Definition, table: str, name: str, described: ColumnDef, *, primary_id: str) -> Column:
    options = _options(definition, table, name, described)
    writable = described.writable and described.type != "BigInt"
    create_only = name in ("overriddencreatedon", primary_id)
    targets = described.targets or (("systemuser", "team") if described.type == "Owner" else ())
    where = ("tables", table, "columns", name)
    return Column(
        name=name,
        type=described.type,
        schema_name=described.schema_name,
        display_name=_own(described.display_name) or name,
        translations=_others(described.display_name),
        description=described.description,
        max_length=described.max_length or {"String": 100, "Memo": 2000}.get(described.type),
        min_value=_digits(definition, described.min, *where, "min"),
        max_value=_digits(definition, described.max, *where, "max"),
        precision=described.precision,
        precision_source=described.precision_source,
        level=described.level,
        default=described.default,
        auto_number=described.auto_number,
        max_size_kb=described.max_size_kb,
        primary_image=described.primary_image,
        full_image=described.full_image,
        secured=described.secured,
        source_type=_SOURCES.index(described.source),
        behavior=described.behavior,
        format=described.format,
        targets=targets,
        options=options,
        option_set=described.choice,
        any_option=not options,
        required=described.required or name == primary_id,
        can_create=writable if described.creatable is None else described.creatable,
        can_update=(writable and not create_only) if described.updatable is None else described.updatable,
        calculation_of=described.calculation_of,
        named=name not in ("owninguser", "owningteam", "owningbusinessunit"),
        parent=described.parent,
        custom=naming.is_custom(name) if described.custom is None else described.custom,
    )


def _digits(definition: Definition, number: float | str | None, *where: str) -> str | None:
    """The digits of a limit; one with more of them than a float holds is given as a text."""
    if number is None:
        return None
    try:
        exact = Decimal(number if isinstance(number, str) else repr(number))
    except InvalidOperation as error:
        raise _error(definition, f"{number!r} is not a number", *where) from error
    return f"{exact:f}"


def _options(definition: Definition, table: str, name: str, described: ColumnDef) -> tuple[Option, ...]:
    """The choices of a column; those of states and statuses are said of the table."""
    if described.type == "State":
        states = definition.tables[table].states
        return tuple(Option(value, _own(label), translations=_others(label)) for value, label in states.items())
    if described.type == "Status":
        return tuple(
            Option(
                value,
                _own(one.label),
                one.state,
                one.description,
                one.color,
                transitions=one.transitions,
                translations=_others(one.label),
            )
            for value, one in definition.tables[table].statuses.items()
        )
    if described.choice is not None:
        shared = definition.choices.get(described.choice)
        if shared is None:
            words = f"{table}.{name} is of the unknown choice {described.choice!r}"
            raise _error(definition, words, "tables", table, "columns", name)
        return _listed(shared.options)
    if described.options is None:
        return _YES_NO if described.type == "Boolean" else ()
    return _listed(described.options)


def _listed(options: dict[int, str | OptionDef]) -> tuple[Option, ...]:
    known = {value: OptionDef(one) if isinstance(one, str) else one for value, one in options.items()}
    return tuple(
        Option(
            value,
            _own(one.label),
            None,
            one.description,
            one.color,
            one.external_value,
            translations=_others(one.label),
        )
        for value, one in known.items()
    )


def _own(texts: Texts) -> str:
    """A text in the language of the emulator's users; in the first of its languages when it is not among them."""
    return texts if isinstance(texts, str) else texts.get(LANGUAGE) or next(iter(texts.values()), "")


def _others(texts: Texts) -> Translations:
    return () if isinstance(texts, str) else tuple((code, text) for code, text in texts.items() if code != LANGUAGE)


def _complete_subjects(tables: dict[str, Table]) -> None:
    """Let activities and notes be about the rows of every table that says that it has them.

    https://learn.microsoft.com/power-apps/developer/data-platform/org-service/metadata-entitymetadata#hasactivities
    """
    subjects = {
        "regardingobjectid": [name for name, table in tables.items() if table.has_activities],
        "objectid": [name for name, table in tables.items() if table.has_notes],
    }
    for name, table in tables.items():
        lookup = "regardingobjectid" if table.is_activity else "objectid" if name == "annotation" else ""
        column = table.columns.get(lookup)
        if column is not None and column.is_lookup:
            targets = tuple(dict.fromkeys([*column.targets, *subjects[lookup]]))
            columns = table.columns | {lookup: msgspec.structs.replace(column, targets=targets)}
            tables[name] = msgspec.structs.replace(table, columns=columns)


def _check_targets(definition: Definition, tables: dict[str, Table]) -> None:
    for table in tables.values():
        for column in table.columns.values():
            where = ("tables", table.name, "columns", column.name)
            if column.is_lookup and not column.targets:
                raise _error(definition, f"the lookup {table.name}.{column.name} names no targets", *where)
            for target in column.targets:
                if target not in tables and table.name != "activityparty":
                    words = f"{table.name}.{column.name} points to the unknown table {target!r}"
                    raise _error(definition, words, *where)


def _check_sets(definition: Definition, tables: dict[str, Table]) -> None:
    """Refuse two tables with one collection, of which requests would only see the last."""
    owners: dict[str, str] = {}
    for table in tables.values():
        other = owners.setdefault(table.entity_set, table.name)
        if other != table.name:
            words = f"{table.name} has the entity set {table.entity_set}, which {other} has, too"
            where = ("many_to_many", {"intersect": table.name}) if table.is_intersect else ("tables", table.name)
            raise _error(definition, words, *where)


def _check_components(definition: Definition, tables: dict[str, Table]) -> None:
    for solution in definition.solutions.values():
        for name in solution.tables:
            if name not in tables:
                words = f"the solution {solution.uniquename} lists the unknown table {name!r}"
                raise _error(definition, words, "solutions", {"uniquename": solution.uniquename}, "tables")


def _many_to_many(definition: Definition, described: ManyToManyDef, tables: dict[str, Table]) -> ManyToMany:
    where = ("many_to_many", {"schema_name": described.schema_name})
    if described.intersect in tables:
        words = f"the intersect table {described.intersect} of {described.schema_name} is described as a table, too"
        raise _error(definition, words, *where)
    for name in (described.table1, described.table2):
        if name not in tables:
            words = f"the relationship {described.schema_name} names the unknown table {name!r}"
            raise _error(definition, words, *where)
    names = (described.intersect, described.schema_name, described.column1 or "a", described.column2 or "a")
    if not all(naming.is_name(name) for name in names):
        raise _error(definition, f"the relationship {described.schema_name!r} has a wrong name", *where)
    reflexive = described.table1 == described.table2
    navs = (
        described.schema_name,
        described.nav1 or described.schema_name + ("_Referencing" if reflexive else ""),
        described.nav2 or described.schema_name + ("_Referenced" if reflexive else ""),
    )
    one, two = tables[described.table1], tables[described.table2]
    made = many_to_many(described.intersect, one.name, one.primary_id, two.name, two.primary_id, names=navs)
    return ManyToMany(
        schema_name=made.schema_name,
        intersect=made.intersect,
        table1=made.table1,
        column1=described.column1 or made.column1,
        nav1=made.nav1,
        table2=made.table2,
        column2=described.column2 or made.column2,
        nav2=made.nav2,
        custom="_" in made.intersect if described.custom is None else described.custom,
    )


def _many_to_one(definition: Definition, described: RelationshipDef, tables: dict[str, Table]) -> ManyToOne:
    """What a definition says of one lookup and one of its targets, completed as the service would."""
    table = tables.get(described.table)
    column = table.columns.get(described.column) if table is not None else None
    targets = () if column is None else (*column.targets, "owner") if column.type == "Owner" else column.targets
    if column is None or described.target not in targets:
        words = (
            f"a relationship says that {described.table}.{described.column} points to {described.target}, "
            "which it does not"
        )
        pair = {"table": described.table, "column": described.column, "target": described.target}
        raise _error(definition, words, "relationships", pair)
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
        custom=column.custom if described.custom is None else described.custom,
    )


def _error(definition: Definition, words: str, *path: str | dict[str, str]) -> EmulatorStartError:
    return EmulatorStartError(f"{place_of(definition, *path)}: {words}")
