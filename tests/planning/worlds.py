"""Random small worlds: a package that fits, and a target that holds some of it, in older forms and under other ids.

Nothing in a world has to be guessed: keys are unique, lookups that cannot wait form no circle, and every row that is
pointed to is in the package or in the target, unless the world is drawn with lookups that lead nowhere.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from hypothesis import strategies as st

from confmig.model.environment import ColumnInfo, RelationshipInfo, TableInfo
from confmig.model.records import Association, Record
from confmig.model.schema import Table
from confmig.model.values import ColumnType, Lookup, Value

from .conftest import CALLER, OWNER, STATUS_STATES, FakePackage, FakeTarget, declare, guid, lookup, make_table, number
from .conftest import text as text_column

OUTSIDE = "place"
"""A table whose rows are in the target and never in the package."""
_OUTSIDE_ROWS = (901, 902)
_NOWHERE = 999
_USER = 801
_GONE_USER = 802

T = TypeVar("T")
Draw = Callable[[st.SearchStrategy[T]], T]


@dataclass(repr=False)
class World:
    """A package and a target for it; ``rows`` and ``associations`` are what the package holds."""

    tables: list[Table]
    rows: list[Record]
    associations: list[Association]
    target: FakeTarget
    infos: dict[str, TableInfo]

    def __repr__(self) -> str:
        keys = {table.name: table.compare_columns for table in self.tables}
        rows = [(record.table, record.id, dict(record.values)) for record in self.rows]
        pairs = [(item.relationship, item.table, item.source, *item.targets) for item in self.associations]
        return f"World({keys=}, {rows=}, {pairs=}, there={self.target.rows}, pairs_there={self.target.pairs})"

    def package(self) -> FakePackage:
        """The package, its tables one after the other and the associations last."""
        return FakePackage(self.tables, *self.rows, *self.associations)

    def declared(self, name: str) -> Table:
        """A table of the schema."""
        return next(table for table in self.tables if table.name == name)


@dataclass
class _Making:
    infos: dict[str, TableInfo] = field(default_factory=dict)
    keys: dict[str, tuple[str, ...]] = field(default_factory=dict)
    ids: dict[str, list[int]] = field(default_factory=dict)
    rows: list[Record] = field(default_factory=list)
    mapped: dict[tuple[str, str], str] = field(default_factory=dict)


@st.composite
def worlds(draw: Draw[object], *, nowhere: bool = False) -> World:
    """Draw a world; with ``nowhere`` some lookups that may be empty point to rows that are in neither side."""
    making = _Making()
    names = [f"t{index}" for index in range(_drawn(draw, st.integers(1, 4)))]
    relationships = _draw_relationships(draw, names)
    for index, name in enumerate(names):
        _draw_table(draw, making, name, names, index, relationships)
        making.ids[name] = [100 * (index + 1) + place for place in range(_drawn(draw, st.integers(0, 4)))]
    for name in names:
        making.rows += [_draw_row(draw, making, name, row, nowhere=nowhere) for row in making.ids[name]]
    sides = {item.name: _drawn(draw, st.booleans()) for item in relationships}
    tables = [_declare(draw, making, name, relationships, sides) for name in names]
    target = FakeTarget(*making.infos.values(), make_table(OUTSIDE), make_table("systemuser"))
    _fill_target(draw, making, target)
    associations = _draw_pairs(draw, making, relationships, sides, target)
    return World(tables, making.rows, associations, target, making.infos)


def _drawn(draw: Draw[object], strategy: st.SearchStrategy[T]) -> T:
    return draw(strategy)  # type: ignore[return-value]


def _one(draw: Draw[object], *choices: T) -> T:
    return _drawn(draw, st.sampled_from(choices))


def _draw_relationships(draw: Draw[object], names: list[str]) -> list[RelationshipInfo]:
    found: list[RelationshipInfo] = []
    for index in range(_drawn(draw, st.integers(0, 2))):
        first, second = _one(draw, *names), _one(draw, *names)
        found.append(RelationshipInfo(f"pair{index}", first, f"{first}idone", second, f"{second}idtwo"))
    return found


def _draw_table(
    draw: Draw[object], making: _Making, name: str, names: list[str], index: int, relationships: list[RelationshipInfo]
) -> None:
    columns: list[ColumnInfo] = [text_column("code"), number("size")]
    for place in range(_drawn(draw, st.integers(0, 3))):
        kind = _one(draw, "free", "free", "required", "create-only")
        if kind == "free":
            targets = _drawn(draw, st.lists(st.sampled_from([*names, OUTSIDE]), min_size=1, max_size=2, unique=True))
        else:
            targets = [OUTSIDE, *names[:index][-1:]]
        columns.append(lookup(f"link{place}", *targets, required=kind == "required", updatable=kind != "create-only"))
    columns.append(lookup("part_of", *(names[:index] or [OUTSIDE])))
    if _drawn(draw, st.booleans()):
        columns.append(OWNER)
    making.infos[name] = make_table(
        name,
        *columns,
        states=_drawn(draw, st.booleans()),
        relationships=[item for item in relationships if name in {item.table1, item.table2}],
    )
    making.keys[name] = _one(draw, (), ("code",), ("part_of", "code"), (f"{name}id", "code"))


def _draw_row(draw: Draw[object], making: _Making, table: str, row: int, *, nowhere: bool) -> Record:
    info = making.infos[table]
    values: dict[str, Value] = {
        f"{table}id": guid(row),
        "name": _one(draw, None, "", "a", "A", "b "),
        "size": _one(draw, None, 0, 1, 2),
        "code": _one(draw, None, *[f"{letter}{row}" for letter in "kKK"]),
        "createdon": "never",
    }
    for column in info.columns.values():
        if column.type is ColumnType.LOOKUP:
            found = [Lookup(item, guid(other), "name") for item in column.targets for other in _rows_of(making, item)]
            may_be_empty = not column.required
            free = may_be_empty and column.updatable and column.name != "part_of"
            astray = [Lookup(column.targets[0], guid(_NOWHERE), "astray")] if nowhere and free else []
            choices: list[Value] = [*([None] if may_be_empty else []), *found, *astray]
            values[column.name] = _one(draw, *choices) if choices else None
        elif column.type is ColumnType.OWNER:
            values[column.name] = _one(draw, None, *(Lookup("systemuser", guid(item)) for item in (_USER, _GONE_USER)))
    if "statecode" in info.columns:
        status = _one(draw, None, *STATUS_STATES)
        values["statuscode"] = status
        values["statecode"] = None if status is None else _one(draw, None, STATUS_STATES[status])
    kept = {name: value for name, value in values.items() if value is not None and name != "createdon"}
    return Record(table, guid(row), kept)


def _rows_of(making: _Making, table: str) -> tuple[int, ...]:
    return _OUTSIDE_ROWS if table == OUTSIDE else tuple(making.ids.get(table, ()))


def _declare(
    draw: Draw[object],
    making: _Making,
    name: str,
    relationships: list[RelationshipInfo],
    sides: Mapping[str, bool],
) -> Table:
    associated = {
        item.name: item.table2 if sides[item.name] else item.table1
        for item in relationships
        if name == (item.table1 if sides[item.name] else item.table2)
    }
    skip = _one(draw, False, False, False, True)
    return declare(making.infos[name], key=making.keys[name], skip_update=skip, associated=associated)


def _fill_target(draw: Draw[object], making: _Making, target: FakeTarget) -> None:
    for row in _OUTSIDE_ROWS:
        target.put(OUTSIDE, row)
        making.mapped[OUTSIDE, guid(row)] = guid(row)
    target.put("systemuser", _USER)
    for record in making.rows:  # table by table, and keys only point to tables before their own
        assert record.id is not None
        key = making.keys[record.table]
        parts = [record.values.get(name) for name in key]
        found = [
            (part.table, part.id) in making.mapped if isinstance(part, Lookup) else part not in {None, ""}
            for part in parts
        ]
        elsewhere = ["elsewhere"] if key and f"{record.table}id" not in key and all(found) else []
        match _one(draw, "absent", "here", *elsewhere):
            case "here":
                making.mapped[record.table, record.id] = record.id
            case "elsewhere":
                making.mapped[record.table, record.id] = guid(int(record.id[-12:]) + 50)
    for record in making.rows:
        assert record.id is not None
        target_id = making.mapped.get((record.table, record.id))
        if target_id is not None:
            fixed = making.keys[record.table] if target_id != record.id else ()
            target.put_row(record.table, target_id, _older(draw, making, record, fixed))
    for index, name in enumerate(making.infos):
        for place in range(_drawn(draw, st.integers(0, 2))):
            target.put(name, 7_000 + 10 * index + place, code=f"only{place}", size=5)


def _older(draw: Draw[object], making: _Making, record: Record, fixed: tuple[str, ...]) -> dict[str, Value]:
    """The row as it may stand in the target: what is ``fixed`` is its key, and as it should be but for the case."""
    info = making.infos[record.table]
    values: dict[str, Value] = {}
    for column in info.columns.values():
        value = _as_there(making, record.values.get(column.name))
        if column.name in fixed:
            values[column.name] = _one(draw, value.lower(), value.upper()) if isinstance(value, str) else value
        elif column.type is ColumnType.OWNER:
            values[column.name] = Lookup("systemuser", CALLER)
        elif column.type in {ColumnType.STRING, ColumnType.NUMBER}:
            values[column.name] = _one(draw, value, value, None, f"old{record.id}" if column.name == "code" else None)
        elif column.type is ColumnType.LOOKUP:
            values[column.name] = _one(draw, value, value, None, Lookup(OUTSIDE, guid(_OUTSIDE_ROWS[0])))
        elif column.type is ColumnType.STATUS:
            status = _one(draw, *STATUS_STATES)
            values |= {"statuscode": status, "statecode": STATUS_STATES[status]}
    return values


def _as_there(making: _Making, value: Value) -> Value:
    """A value of the package as the target holds it; None for a lookup whose row is not there."""
    if not isinstance(value, Lookup):
        return value
    found = making.mapped.get((value.table, value.id))
    return None if found is None else Lookup(value.table, found)


def _draw_pairs(
    draw: Draw[object],
    making: _Making,
    relationships: list[RelationshipInfo],
    sides: Mapping[str, bool],
    target: FakeTarget,
) -> list[Association]:
    associations: list[Association] = []
    for item in relationships:
        firsts, seconds = making.ids[item.table1], making.ids[item.table2]
        if not firsts or not seconds:
            continue
        one_pair = st.tuples(st.sampled_from(firsts), st.sampled_from(seconds))
        for first, second in _drawn(draw, st.lists(one_pair, max_size=4)):
            ends = ((item.table1, guid(first)), (item.table2, guid(second)))
            (table, source), (other, target_id) = ends if sides[item.name] else ends[::-1]
            associations.append(Association(item.name, table, source, other, (target_id,)))
            if all(end in making.mapped for end in ends) and _drawn(draw, st.booleans()):
                there = target.pairs.setdefault(item.name, set())
                there.add((making.mapped[ends[0]], making.mapped[ends[1]]))
    return associations
