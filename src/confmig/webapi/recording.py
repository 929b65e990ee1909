"""What an environment's metadata says, as the plain data of an environment definition for the emulator.

The definition is written without what goes without saying, so that a person can read it. Which properties there are:
https://learn.microsoft.com/power-apps/developer/data-platform/webapi/reference/entitymetadata
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from confmig.errors import UsageError
from confmig.model.portions import portions
from confmig.webapi.environment import Environment
from confmig.webapi.metadata import described_tables, tables_path
from confmig.webapi.recordedcolumns import (
    LOOKUPS,
    custom,
    global_choice,
    label,
    other,
    record_choice,
    record_column,
    record_status,
    texts,
    type_of,
    without_empty,
)
from confmig.webapi.replies import Json, rows_of, text_of

TABLES_A_PORTION = 25
"""Tables with all their columns in one answer: some megabytes, however many tables the environment has."""

_OWNERSHIPS = {"UserOwned": "user", "TeamOwned": "user", "None": "none"}
_OWN_SOLUTIONS = frozenset({"Default", "Active", "System"})
_LINK = "RemoveLink"


@dataclass
class Recording:
    """The data of a definition, and what had to be left out of it.

    Attributes:
        definition: The keys of a definition file.
        left_out: Sentences for the person who reads the definition.
        tables: The tables that were recorded with all their columns, as the wire describes them.
        stubs: Those of which only ids and names are recorded, since lookups lead to them.
    """

    definition: Json
    left_out: list[str]
    tables: Mapping[str, Json] = field(default_factory=dict)
    stubs: Mapping[str, Json] = field(default_factory=dict)


def record(environment: Environment, names: Sequence[str]) -> Recording:
    """Read what a definition says of some tables, and of the environment that has them.

    Args:
        environment: The environment.
        names: Logical names of the tables; when there are none, all that are not the platform's own.

    Raises:
        UsageError: A table does not exist.
        ServiceError: The environment does not answer properly.
        AccessError: A privilege is missing.
    """
    wanted = list(dict.fromkeys(names)) or _custom_tables(environment)
    tables = _described(environment, wanted)
    if missing := [name for name in wanted if name not in tables]:
        raise UsageError(f"{environment.url} has no table {', '.join(missing)}.", "Give the logical names of tables.")
    tables = {name: table for name, table in tables.items() if not table.get("IsIntersect")}
    stubs = _described(environment, _neighbours(tables))
    recorder = _Recorder(environment, tables, stubs)
    return Recording(recorder.definition(), recorder.left_out, tables, stubs)


def _custom_tables(environment: Environment) -> list[str]:
    what = f"Listing the tables of {environment.url}"
    path = "EntityDefinitions?$select=LogicalName,IsIntersect&$filter=IsCustomEntity eq true"
    rows = rows_of(environment.ask(path, what), what)
    return sorted(text_of(row, "LogicalName", what) for row in rows if not row.get("IsIntersect"))


def _described(environment: Environment, names: Iterable[str]) -> dict[str, Json]:
    """The tables as the wire describes them, portion by portion."""
    found: dict[str, Json] = {}
    for portion in portions(names, TABLES_A_PORTION):
        answer = environment.ask(tables_path(portion), f"Reading the metadata of {environment.url}")
        found.update((str(table["LogicalName"]), table) for table in described_tables(answer, environment.url))
    return {name: found[name] for name in sorted(found)}


def _neighbours(tables: Mapping[str, Json]) -> list[str]:
    """The tables to which lookups lead, and the intersect tables, that are not among the tables themselves."""
    named: set[str] = set()
    for table in tables.values():
        for column in _of(table, "Attributes"):
            if type_of(column) in LOOKUPS:
                named.update(column.get("Targets") or ())
        for many in _of(table, "ManyToManyRelationships"):
            if {many["Entity1LogicalName"], many["Entity2LogicalName"]} <= tables.keys():
                named.add(many["IntersectEntityName"])
    return sorted(named - tables.keys() - {"owner"})


class _Recorder:
    """Turns descriptions into a definition."""

    def __init__(self, environment: Environment, tables: Mapping[str, Json], stubs: Mapping[str, Json]) -> None:
        self._environment = environment
        self._tables = tables
        self._stubs = {name: table for name, table in stubs.items() if not table.get("IsIntersect")}
        self._intersects = {name: table for name, table in stubs.items() if table.get("IsIntersect")}
        self._choices: Json = {}
        self.left_out: list[str] = []

    def definition(self) -> Json:
        """All that is known, without what is empty."""
        tables = {name: self._table(table) for name, table in self._tables.items()}
        tables |= {name: _stub(table) for name, table in self._stubs.items()}
        found: Json = {
            "organization": {"name": self._name(), "version": self._environment.identity.version},
            "languages": self._languages(),
            "solutions": list(self._solutions()),
            "choices": dict(sorted(self._choices.items())),
            "tables": tables,
            "many_to_many": list(self._many_to_many()),
            "relationships": list(self._relationships(tables)),
        }
        return without_empty(found)

    def _name(self) -> str:
        what = f"Reading the organization of {self._environment.url}"
        rows = list(self._environment.listed("organizations?$select=name", what))
        return str(rows[0].get("name") or "") if rows else ""

    def _languages(self) -> list[int]:
        what = f"Reading the languages of {self._environment.url}"
        found: list[int] = self._environment.ask("RetrieveProvisionedLanguages()", what)["RetrieveProvisionedLanguages"]
        return found

    def _solutions(self) -> Iterator[Json]:
        what = f"Reading the solutions of {self._environment.url}"
        path = (
            "solutions?$select=solutionid,uniquename,friendlyname,version,ismanaged&$filter=isvisible eq true"
            "&$expand=publisherid($select=uniquename,friendlyname,customizationprefix)"
        )
        held = self._components()
        for row in sorted(self._environment.listed(path, what), key=lambda row: str(row.get("uniquename"))):
            name = text_of(row, "uniquename", what)
            publisher = row.get("publisherid") or {}
            if name in _OWN_SOLUTIONS:
                continue
            yield without_empty(
                {
                    "uniquename": name,
                    "friendlyname": row.get("friendlyname") or name,
                    "version": row.get("version") or "1.0",
                    "ismanaged": bool(row.get("ismanaged")),
                    "publisher": {
                        "uniquename": publisher.get("uniquename") or "defaultpublisher",
                        "friendlyname": publisher.get("friendlyname") or "Default Publisher",
                        "prefix": publisher.get("customizationprefix") or "new",
                    },
                    "tables": sorted(held.get(str(row["solutionid"]), ())),
                }
            )

    def _components(self) -> dict[str, set[str]]:
        """The recorded tables that each solution has, by the solution's id."""
        names = {table.get("MetadataId"): name for name, table in self._tables.items()}
        what = f"Reading the solutions of {self._environment.url}"
        # 1 is a table: learn.microsoft.com, solutioncomponent table reference, componenttype
        path = "solutioncomponents?$select=objectid,_solutionid_value&$filter=componenttype eq 1"
        held: dict[str, set[str]] = {}
        for row in self._environment.listed(path, what):
            if (name := names.get(row.get("objectid"))) is not None:
                held.setdefault(str(row.get("_solutionid_value")), set()).add(name)
        return held

    def _table(self, table: Json) -> Json:
        name = str(table["LogicalName"])
        columns = {}
        skipped = []
        for column in sorted(_of(table, "Attributes"), key=_number):
            described = record_column(table, column, {*self._tables, *self._stubs})
            if (shared := global_choice(column)) is not None:
                self._choices[str(shared["Name"])] = record_choice(shared)
            if described is not None:
                columns[str(column["LogicalName"])] = described
            elif not column.get("AttributeOf"):
                skipped.append(str(column["LogicalName"]))
        if skipped:
            self.left_out.append(f"{name}: {', '.join(skipped)}: of a type, or with targets, that cannot be served")
        status = {column["LogicalName"]: _options_of(column) for column in _of(table, "Attributes")}
        states = {int(one["Value"]): texts(one, "Label") for one in status.get("statecode", ())}
        return without_empty(
            {
                **_names(table),
                "description": label(table, "Description"),
                **_numbers(table),
                "ownership": _OWNERSHIPS.get(str(table.get("OwnershipType")), ""),
                "bulk": None if self._environment.has_message(name, "CreateMultiple") else False,
                "activity": table.get("IsActivity"),
                "managed": table.get("IsManaged"),
                "change_tracking": table.get("ChangeTrackingEnabled"),
                "has_notes": table.get("HasNotes"),
                "has_activities": table.get("HasActivities"),
                "optimistic": False if table.get("IsOptimisticConcurrencyEnabled") is False else None,
                "enforce_transitions": table.get("EnforceStateTransitions"),
                "system_columns": False,
                "columns": columns,
                "states": states,
                "statuses": {int(one["Value"]): record_status(one) for one in status.get("statuscode", ())},
                "keys": {
                    str(key["LogicalName"]): _key(key)
                    for key in _of(table, "Keys")
                    if columns.keys() >= set(key["KeyAttributes"])
                },
            }
        )

    def _many_to_many(self) -> Iterator[Json]:
        seen = set()
        for table in self._tables.values():
            for one in _of(table, "ManyToManyRelationships"):
                intersect = self._intersects.get(one["IntersectEntityName"])
                if intersect is None or one["SchemaName"] in seen:
                    continue
                seen.add(one["SchemaName"])
                yield without_empty(
                    {
                        "schema_name": one["SchemaName"],
                        "intersect": one["IntersectEntityName"],
                        "table1": one["Entity1LogicalName"],
                        "table2": one["Entity2LogicalName"],
                        "column1": one["Entity1IntersectAttribute"],
                        "column2": one["Entity2IntersectAttribute"],
                        "nav1": one.get("Entity1NavigationPropertyName"),
                        "nav2": one.get("Entity2NavigationPropertyName"),
                        "entity_set": intersect.get("EntitySetName"),
                        "object_type_code": intersect.get("ObjectTypeCode"),
                        "custom": custom(one, "IsCustomRelationship", one["IntersectEntityName"]),
                    }
                )

    def _relationships(self, tables: Json) -> Iterator[Json]:
        for name, table in self._tables.items():
            custom = {column["LogicalName"]: column.get("IsCustomAttribute") for column in _of(table, "Attributes")}
            for one in sorted(_of(table, "ManyToOneRelationships"), key=lambda one: str(one["SchemaName"])):
                column, target = one["ReferencingAttribute"], one["ReferencedEntity"]
                described = tables[name]["columns"].get(column)
                if described is None or target not in (*described.get("targets", ()), "owner"):
                    continue
                if target == "owner" and described["type"] != "Owner":
                    continue
                same = bool(one.get("IsCustomRelationship")) == bool(custom[column])
                yield without_empty(
                    {
                        "table": name,
                        "column": column,
                        "target": target,
                        "schema_name": one["SchemaName"],
                        "nav": one.get("ReferencingEntityNavigationPropertyName"),
                        "collection": one.get("ReferencedEntityNavigationPropertyName"),
                        "cascade": _cascade(one.get("CascadeConfiguration") or {}),
                        "hierarchical": one.get("IsHierarchical"),
                        "custom": None if same else bool(one.get("IsCustomRelationship")),
                    }
                )


def _stub(table: Json) -> Json:
    """A table of which only the id and the name of rows are recorded."""
    wanted = (table["PrimaryIdAttribute"], table.get("PrimaryNameAttribute"))
    columns = {}
    for column in _of(table, "Attributes"):
        if column["LogicalName"] in wanted and type_of(column) in ("Uniqueidentifier", "String", "Memo"):
            name = str(column["LogicalName"])
            found = {
                "type": type_of(column),
                "display_name": label(column, "DisplayName", name),
                "schema_name": other(column.get("SchemaName"), name),
                "max_length": column.get("MaxLength"),
            }
            columns[name] = without_empty(found)
    names = _names(table)
    if names["primary_name"] not in columns:
        names["primary_name"] = None
    ownership = _OWNERSHIPS.get(str(table.get("OwnershipType")), "")
    return without_empty(
        {**names, **_numbers(table), "ownership": ownership, "system_columns": False, "columns": columns}
    )


def _names(table: Json) -> Json:
    name = str(table["LogicalName"])
    shown = label(table, "DisplayName")
    return {
        "display_name": texts(table, "DisplayName", name),
        "collection_name": other(label(table, "DisplayCollectionName"), f"{shown or name}s"),
        "schema_name": other(table.get("SchemaName"), name),
        "entity_set": table.get("EntitySetName"),
        "primary_id": table["PrimaryIdAttribute"],
        "primary_name": table.get("PrimaryNameAttribute"),
    }


def _numbers(table: Json) -> Json:
    return {
        "object_type_code": table.get("ObjectTypeCode"),
        "custom": custom(table, "IsCustomEntity", str(table["LogicalName"])),
    }


def _key(key: Json) -> Json | list[str]:
    name = str(key["LogicalName"])
    more = {
        "schema_name": other(key.get("SchemaName"), name),
        "display_name": label(key, "DisplayName", str(key.get("SchemaName") or name)),
        "status": other(key.get("EntityKeyIndexStatus"), "Active"),
    }
    listed = list(key["KeyAttributes"])
    return without_empty({"columns": listed, **more}) if any(more.values()) else listed


def _cascade(given: Json) -> Json:
    usual = {"Delete": _LINK}
    wire = {
        "assign": "Assign", "delete": "Delete", "merge": "Merge", "reparent": "Reparent", "share": "Share",
        "unshare": "Unshare", "rollup_view": "RollupView",
    }  # fmt: skip
    return {
        name: given[key] for name, key in wire.items() if given.get(key) and given[key] != usual.get(key, "NoCascade")
    }


def _options_of(column: Json) -> list[Json]:
    return list((column.get("OptionSet") or {}).get("Options") or ())


def _of(described: Json, name: str) -> list[Json]:
    return list(described.get(name) or ())


def _number(column: Json) -> tuple[int, str]:
    return int(column.get("ColumnNumber") or 0), str(column["LogicalName"])
