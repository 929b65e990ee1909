"""The tables behind a package: what its schema says, and what only its values tell."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from confmig.emulator.catalog import basetables, naming
from confmig.emulator.catalog.catalog import intersect_table, many_to_many, type_code
from confmig.emulator.catalog.companions import companions, name_primary_image
from confmig.emulator.catalog.model import Column, ManyToMany, Option, Table
from confmig.emulator.errors import PackageFileError
from confmig.emulator.packages.packagefile import Package
from confmig.emulator.packages.packagevalues import choices, is_choices, is_number, read_date
from confmig.emulator.packages.packagexml import (
    Association,
    EntityStart,
    Record,
    RecordField,
    SchemaEntity,
    SchemaField,
)

_TYPES = {
    "bigint": "BigInt", "number": "Integer", "integer": "Integer", "bool": "Boolean", "boolean": "Boolean",
    "datetime": "DateTime", "decimal": "Decimal", "float": "Double", "double": "Double", "money": "Money",
    "optionsetvalue": "Picklist", "picklist": "Picklist", "state": "State", "status": "Status", "string": "String",
    "memo": "Memo", "guid": "Uniqueidentifier", "uniqueidentifier": "Uniqueidentifier", "owner": "Owner",
    "entityreference": "Lookup", "lookup": "Lookup", "customer": "Customer", "partylist": "PartyList",
    "imagedata": "Image", "image": "Image", "filedata": "File", "file": "File", "entityname": "EntityName",
    "optionsetvaluecollection": "MultiSelectPicklist", "multiselectpicklist": "MultiSelectPicklist",
}  # fmt: skip
_LENGTHS = (100, 200, 400, 850, 2000, 4000, 1_048_576)
_MEMO_FROM = 2000
_LONGEST_NUMBER = 20
_MOST_OPTIONS = 500
_STATES = (Option(0, "Active"), Option(1, "Inactive"))
_STATUS_STATES = {1: 0, 2: 1}


@dataclass
class Facts:
    """What the values of one column show."""

    values: int = 0
    guids: int = 0
    booleans: int = 0
    wholes: int = 0
    numbers: int = 0
    dates: int = 0
    own_ids: int = 0
    lists: int = 0
    with_zone: int = 0
    midnights: int = 0
    longest: int = 0
    lines: bool = False
    parties: bool = False
    file: bool = False
    named: int = 0
    decimals: int = 0
    targets: set[str] = field(default_factory=set)
    options: set[int] = field(default_factory=set)


@dataclass
class EntityFacts:
    """What the rows of one table show."""

    display_name: str = ""
    rows: int = 0
    columns: dict[str, Facts] = field(default_factory=dict)
    pairs: dict[int, int] = field(default_factory=dict)


@dataclass
class Survey:
    """What one reading of the whole package shows."""

    entities: dict[str, EntityFacts] = field(default_factory=dict)
    associations: dict[str, tuple[str, str, str]] = field(default_factory=dict)
    targets: dict[tuple[str, str], str | None] = field(default_factory=dict)
    ids: set[tuple[str, str]] = field(default_factory=set)


def survey(package: Package) -> Survey:
    """Read all rows of a package once and note what they show.

    Raises:
        PackageFileError: A file cannot be read.
    """
    found = Survey()
    for item in package.rows():
        if isinstance(item, EntityStart):
            facts = found.entities.setdefault(item.entity, EntityFacts())
            facts.display_name = facts.display_name or item.display_name
        elif isinstance(item, Record):
            _note_record(found, item, package.schema)
        else:
            _note_association(found, item)
    return found


def _note_association(found: Survey, item: Association) -> None:
    found.associations.setdefault(item.relationship, (item.entity, item.target_entity, item.target_id_column))
    for target in item.targets:
        found.targets.setdefault((item.target_entity, target), None)
    found.targets.setdefault((item.entity, item.source), None)


def _note_record(found: Survey, record: Record, schema: dict[str, SchemaEntity] | None) -> None:
    facts = found.entities.setdefault(record.entity, EntityFacts())
    facts.rows += 1
    found.ids.add((record.entity, record.id))
    declared = schema[record.entity].fields if schema is not None and record.entity in schema else {}
    state, status = None, None
    for value in record.fields:
        column = facts.columns.get(value.name)
        if column is None:
            column = facts.columns[value.name] = Facts()
        known = declared.get(value.name)
        _note_value(column, value, known.type.lower() if known else "", record.id)
        if value.target:
            key = (value.target, value.value.lower())
            found.targets[key] = value.target_name if value.target_name is not None else found.targets.get(key)
        if value.name == "statecode":
            state = value.value
        elif value.name == "statuscode":
            status = value.value
        for party in value.parties:
            _note_record(found, party, schema)
    if status is not None and status.isdigit():
        facts.pairs.setdefault(int(status), int(state) if state is not None and state.isdigit() else 0)


def _note_value(facts: Facts, value: RecordField, declared: str, record_id: str) -> None:
    text = value.value
    facts.values += 1
    if value.target is not None:
        facts.targets.add(value.target)
        facts.named += value.target_name is not None
    if value.parties or (value.target == "" and text == ""):
        facts.parties = True
    facts.file = facts.file or value.filename is not None
    kind = _TYPES.get(declared, "")
    if kind in ("String", "Memo", ""):
        facts.longest = max(facts.longest, len(text))
        facts.lines = facts.lines or "\n" in text or "\r" in text
    if kind in ("DateTime", "") and (date := read_date(text)) is not None:
        facts.dates += 1
        facts.with_zone += date.utc
        facts.midnights += date.midnight
    if kind in ("Picklist", "State", "Status", "Decimal", "Money", "MultiSelectPicklist", ""):
        _note_number(facts, text)
    if kind == "":
        facts.guids += naming.is_guid(text)
        facts.own_ids += text.lower() == record_id
        facts.booleans += text in ("True", "False")


def _note_number(facts: Facts, text: str) -> None:
    if is_number(text):
        facts.numbers += 1
        facts.decimals = max(facts.decimals, len(text.partition(".")[2].rstrip("0")))
        if "." not in text and "e" not in text.lower():
            facts.wholes += 1
            if len(facts.options) < _MOST_OPTIONS and len(text) < _LONGEST_NUMBER:
                facts.options.add(int(text))
    elif is_choices(text):
        facts.lists += 1
        if len(facts.options) < _MOST_OPTIONS:
            facts.options.update(choices(text))


def _guess(name: str, facts: Facts) -> str:
    """The type of a column that no schema declares."""
    if facts.parties:
        return "PartyList"
    if facts.file:
        return "File"
    if facts.targets - {""}:
        return "Owner" if name == "ownerid" else "Lookup"
    count = facts.values
    whole = {"statecode": "State", "statuscode": "Status", "versionnumber": "BigInt"}.get(name, "Integer")
    for seen, kind in (
        (facts.guids, "Uniqueidentifier"),
        (facts.booleans, "Boolean"),
        (facts.dates, "DateTime"),
        (facts.wholes, whole),
        (facts.numbers, "Decimal"),
        (facts.lists, "MultiSelectPicklist"),
    ):
        if count and seen == count:
            return kind
    return "String"


def _behavior(facts: Facts) -> str:
    if facts.dates == 0 or facts.with_zone:
        return "UserLocal"
    return "DateOnly" if facts.midnights == facts.dates else "TimeZoneIndependent"


def _length(longest: int) -> int:
    return next((limit for limit in _LENGTHS if longest <= limit), _LENGTHS[-1])


def _options(kind: str, entity: EntityFacts, facts: Facts) -> tuple[Option, ...]:
    if kind == "Boolean":
        return (Option(0, "No"), Option(1, "Yes"))
    if kind == "State":
        more = sorted(facts.options - {0, 1})
        return (*_STATES, *(Option(value, f"State {value}") for value in more))
    if kind == "Status":
        pairs = {**_STATUS_STATES, **entity.pairs}
        labels = {1: "Active", 2: "Inactive"}
        return tuple(Option(value, labels.get(value, f"Status {value}"), pairs[value]) for value in sorted(pairs))
    return tuple(Option(value, f"Choice {value}") for value in sorted(facts.options))


def build_column(name: str, declared: SchemaField | None, entity: EntityFacts, *, primary_id: str) -> Column:
    """A column from its declaration and its values.

    Raises:
        PackageFileError: Its name cannot be the name of a column.
    """
    if not naming.is_name(name):
        raise PackageFileError(f"{name!r} cannot be the name of a column")
    facts = entity.columns.get(name, Facts())
    kind = _TYPES.get(declared.type.lower(), "") if declared else ""
    if not kind:
        kind = _guess(name, facts)
    if name == primary_id:
        kind = "Uniqueidentifier"
    if kind == "String" and (facts.lines or facts.longest > _MEMO_FROM):
        kind = "Memo"
    targets = _targets(kind, declared, facts)
    if kind in ("Lookup", "Customer") and set(targets) == {"account", "contact"}:
        kind = "Customer"
    # A 64-bit column that a package brings values of is one that somebody wrote, unlike the image's time beside it.
    read_only = basetables.read_only(name) or (kind == "BigInt" and not facts.values)
    create_only = name in ("overriddencreatedon", "importsequencenumber") or name == primary_id
    return Column(
        name=name,
        type=kind,
        display_name=declared.display_name if declared else name,
        max_length=_length(facts.longest) if kind in ("String", "Memo") else None,
        precision=_precision(name, kind, facts),
        behavior=_behavior(facts) if kind == "DateTime" else "UserLocal",
        format=_format(kind, facts),
        targets=targets,
        options=_options(kind, entity, facts) if kind in _WITH_OPTIONS else (),
        required=name == primary_id,
        can_create=not read_only,
        can_update=not (read_only or create_only),
        calculation_of=name.removesuffix("_base") if kind == "Money" and name.endswith("_base") else None,
        named=_is_named(name, facts),
        custom=declared.custom if declared else naming.is_custom(name),
    )


_WITH_OPTIONS = frozenset({"Boolean", "Picklist", "State", "Status", "MultiSelectPicklist"})


def _format(kind: str, facts: Facts) -> str | None:
    if kind != "DateTime":
        return None
    return "DateOnly" if facts.dates and facts.midnights == facts.dates else "DateAndTime"


def _precision(name: str, kind: str, facts: Facts) -> int | None:
    """The digits after the point: as many as the type can have, since what was not seen may come."""
    if name == "exchangerate":
        return 12
    if kind == "Double":
        return max(5, facts.decimals)
    return {"Decimal": 10, "Money": 4}.get(kind)


def _targets(kind: str, declared: SchemaField | None, facts: Facts) -> tuple[str, ...]:
    if kind == "Owner":
        return ("systemuser", "team")
    if kind not in ("Lookup", "Customer"):
        return ()
    targets = list(declared.targets) if declared else []
    if kind == "Customer" and not targets:
        targets = ["account", "contact"]
    targets += sorted(target for target in facts.targets if target and target not in targets)
    return tuple(dict.fromkeys(targets))


def _is_named(name: str, facts: Facts) -> bool:
    if facts.values:
        return facts.named > 0
    return name not in ("owninguser", "owningteam", "owningbusinessunit")


def build_table(name: str, declared: SchemaEntity | None, entity: EntityFacts) -> Table:
    """A table from its declaration and its rows, with the columns that every table has.

    Raises:
        PackageFileError: A name cannot be used.
    """
    if not naming.is_name(name):
        raise PackageFileError(f"{name!r} cannot be the name of a table")
    primary_id = declared.primary_id if declared else ""
    primary_id = primary_id or _primary_id(name, entity)
    fields = declared.fields if declared else {}
    names = dict.fromkeys([primary_id, *fields, *entity.columns])
    if len({column.lower() for column in names}) != len(names):
        raise PackageFileError(f"the table {name} has two columns whose names differ only in case")
    for partner, other in (("statecode", "statuscode"), ("statuscode", "statecode")):
        if partner in names:
            names.setdefault(other)
    columns = {
        column: build_column(column, fields.get(column), entity, primary_id=primary_id)
        if column in fields or column in entity.columns or column == primary_id
        else _state_column(column, entity)
        for column in names
    }
    user_owned = "ownerid" in columns or "owninguser" in columns
    ownership = "user" if user_owned else "organization"
    _add_base_columns(name, columns, ownership)
    primary_name = declared.primary_name if declared else (basetables.name_column_of(name) or "")
    if primary_name and primary_name not in columns:
        columns[primary_name] = Column(name=primary_name, type="String", max_length=850, display_name="Name")
    parties = any(column.type == "PartyList" for column in columns.values())
    return Table(
        name=name,
        entity_set=naming.set_name(name),
        primary_id=primary_id,
        primary_name=primary_name or None,
        columns=columns,
        display_name=(declared.display_name if declared else entity.display_name) or name,
        object_type_code=(declared.type_code if declared else 0)
        or basetables.OBJECT_TYPE_CODES.get(name)
        or type_code(name),
        custom="_" in name,
        ownership=ownership,
        is_activity=primary_id == "activityid" or parties or name in basetables.ACTIVITIES,
        bulk=name not in basetables.WITHOUT_BULK,
    )


def _primary_id(name: str, entity: EntityFacts) -> str:
    owns = [column for column, facts in entity.columns.items() if facts.own_ids and facts.own_ids == facts.values]
    usual = basetables.id_column_of(name)
    return owns[0] if owns and usual not in owns else usual


def _state_column(name: str, entity: EntityFacts) -> Column:
    kind = "State" if name == "statecode" else "Status"
    return Column(name=name, type=kind, options=_options(kind, entity, Facts()), display_name=name)


def _companions(columns: dict[str, Column]) -> list[Column]:
    """The columns that come with files and images; a package names the currencies of its money by itself."""
    return [made for column in columns.values() if column.type in ("File", "Image") for made in companions(column)]


def _add_base_columns(name: str, columns: dict[str, Column], ownership: str) -> None:
    base = {table.name: table for table in basetables.base_tables()}.get(name)
    if base is not None:
        for column in base.columns.values():
            columns.setdefault(column.name, column)
    name_primary_image(columns)
    for column in (*basetables.system_columns(ownership), *_companions(columns)):
        columns.setdefault(column.name, column)


def build_relationships(
    package: Package, found: Survey, tables: dict[str, Table]
) -> tuple[list[ManyToMany], list[Table]]:
    """The N:N relationships that schema and data name, and their intersect tables.

    Args:
        package: The package.
        found: What its rows show.
        tables: All tables; a relationship's tables must be among them.
    """
    declared: dict[str, tuple[str, str, str]] = {}
    for entity in (package.schema or {}).values():
        for relationship in entity.relationships:
            declared.setdefault(relationship.name, (entity.name, relationship.target, relationship.target_id))
    for name, ends in found.associations.items():
        declared.setdefault(name, ends)
    built = [
        many_to_many(name, source, tables[source].primary_id, target, tables[target].primary_id)
        for name, (source, target, _) in declared.items()
        # A package that holds the rows of the intersect table itself is served as it is.
        if naming.is_name(name) and source in tables and target in tables and name not in found.entities
    ]
    return built, [intersect_table(relationship) for relationship in built]


def named_tables(package: Package, found: Survey, tables: Iterable[Table]) -> set[str]:
    """The tables that lookups and relationships name, whether the package declares them or not."""
    names = {target for table in tables for column in table.columns.values() for target in column.targets}
    names.update(target for target, _ in found.targets)
    names.update(target for _, target, _ in found.associations.values())
    for entity in (package.schema or {}).values():
        names.update(relationship.target for relationship in entity.relationships)
    return {name for name in names if naming.is_name(name)}
