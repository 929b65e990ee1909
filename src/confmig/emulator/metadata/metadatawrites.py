"""Requests that change metadata: which part of it, how, and what the answer is.

Every request is one transaction: rows, SQL tables and the catalog change together or not at all.

https://learn.microsoft.com/power-apps/developer/data-platform/webapi/use-web-api-metadata
"""

from collections.abc import Callable
from dataclasses import dataclass

from confmig.emulator.catalog.model import Table
from confmig.emulator.context import Context
from confmig.emulator.errors import ServiceError, not_deletable, segment_missing
from confmig.emulator.metadata.choicebodies import named_option_set
from confmig.emulator.metadata.choices import Json, set_id
from confmig.emulator.metadata.components import Components
from confmig.emulator.metadata.customizing import Customizer
from confmig.emulator.metadata.metadata import Metadata, entity_id, key_id, relationship_id
from confmig.emulator.metadata.metadatacolumns import attribute_id
from confmig.emulator.metadata.metadataquery import found_row, table_name
from confmig.emulator.metadata.optionsets import OptionSets
from confmig.emulator.metadata.relating import Relater, Relationship
from confmig.emulator.wire.urls import Segment
from confmig.emulator.wire.wire import Reply, Request
from confmig.emulator.writing.payload import decode_object

SETS = frozenset({"EntityDefinitions", "RelationshipDefinitions", "GlobalOptionSetDefinitions"})
_PRIVILEGES = {
    "EntityDefinitions": "Entity",
    "Attributes": "Attribute",
    "Keys": "Entity",
    "RelationshipDefinitions": "Relationship",
    "GlobalOptionSetDefinitions": "OptionSet",
}
_VERBS = {"POST": "Create", "PUT": "Write", "DELETE": "Delete"}


@dataclass(frozen=True)
class KeyStatus:
    """The EntityKeyIndexStatus of new keys, and who is told of those that are not Active at once."""

    status: str = "Active"
    waiting: Callable[[str, str], None] = lambda _table, _key: None


class MetadataWriter:
    """Answers requests that change metadata.

    Args:
        context: The surroundings of the request.
        request: The request.

    Raises:
        ServiceError: The solution that the request names is not there.
    """

    def __init__(self, context: Context, request: Request) -> None:
        self._context = context
        self._store = context.store
        self._request = request
        options = request.options()
        self.body: Json = decode_object(request.body) if request.body else {}
        solution = (
            request.headers.get("mscrm.solutionuniquename")
            or options.get("SolutionUniqueName")
            or self.body.get("SolutionUniqueName")
        )
        components = Components(self._store, context.now, str(solution or ""))
        self.customizer = Customizer(self._store, components)
        self.relater = Relater(self._store, components)
        self.option_sets = OptionSets(self._store, components)
        self._merge = request.headers.get("mscrm.mergelabels", "").lower() == "true"

    def answer(self, segments: list[Segment], keys: KeyStatus) -> Reply:
        """The answer to POST, PUT or DELETE below one of the metadata sets.

        Args:
            segments: The path.
            keys: What becomes of new keys.

        Raises:
            ServiceError: The change is refused, or the path cannot be changed.
        """
        part = segments[1].name if len(segments) > 1 and segments[0].name == "EntityDefinitions" else segments[0].name
        self.require(_PRIVILEGES.get(part, "Entity"))
        parts: dict[str, Callable[[list[Segment]], Reply]] = {
            "EntityDefinitions": self._entity,
            "Attributes": self._attribute,
            "Keys": lambda path: self._key(path, keys),
            "RelationshipDefinitions": self._relationship,
            "GlobalOptionSetDefinitions": self._option_set,
        }
        change = parts.get(part)
        if change is None:
            raise segment_missing(part)
        with self._store.transaction():
            return change(segments)

    def require(self, kind: str) -> None:
        """Refuse when the caller lacks the privilege to change components of a kind.

        Raises:
            ServiceError: The privilege is missing, or the method changes nothing.
        """
        verb = _VERBS.get(self._request.method)
        if verb is None:
            # https://learn.microsoft.com/power-apps/developer/data-platform/webapi/create-update-entity-definitions-using-web-api
            text = f"The requested resource does not support http method '{self._request.method}'."
            raise ServiceError(405, "0x80060888", text)
        self._context.require_privilege(f"prv{verb}{kind}")

    def _made(self, path: str, component_id: str) -> Reply:
        location = f"{self._request.base}{path}({component_id})"
        return Reply(204, b"", {"OData-EntityId": location})

    def _changed(self) -> Reply:
        return Reply(204, b"", {"OData-EntityId": self._request.base + self._request.path})

    def _without_key(self, segment: Segment) -> bool:
        """Whether something new is to be made, which is what a POST does and nothing else can.

        Raises:
            ServiceError: The method and the path do not fit.
        """
        if (self._request.method == "POST") == (segment.key is None):
            return segment.key is None
        text = f"The requested resource does not support http method '{self._request.method}'."
        raise ServiceError(405, "0x80060888", text)

    def _table(self, segment: Segment) -> Table:
        return self._store.catalog.tables[table_name(Metadata(self._store.catalog), segment)]

    def _entity(self, segments: list[Segment]) -> Reply:
        if self._without_key(segments[0]):
            return self._made("EntityDefinitions", entity_id(self.customizer.create_table(self.body)))
        table = self._table(segments[0])
        if self._request.method == "DELETE":
            self.customizer.delete_table(table)
            return Reply(204)
        self.customizer.update_table(table, self.body, merge=self._merge)
        return self._changed()

    def _attribute(self, segments: list[Segment]) -> Reply:
        table = self._table(segments[0])
        if self._without_key(segments[1]):
            column = self.customizer.create_column(table, self.body)
            return self._made(self._request.path.rstrip("/"), attribute_id(table, column))
        row = found_row(Metadata(self._store.catalog).attributes(table.name), segments[1])
        name = str(row["LogicalName"])
        if name not in table.columns:
            # What only shows the value of another column comes and goes with it.
            raise not_deletable(name, str(row["MetadataId"]))
        column = table.columns[name]
        if self._request.method == "DELETE":
            self.customizer.delete_column(table, column)
            return Reply(204)
        self.customizer.update_column(table, column, self.body, merge=self._merge)
        return self._changed()

    def _key(self, segments: list[Segment], keys: KeyStatus) -> Reply:
        table = self._table(segments[0])
        if self._without_key(segments[1]):
            key = self.customizer.create_key(table, self.body, keys.status)
            if key.status == "Pending":
                keys.waiting(table.name, key.name)
            return self._made(self._request.path.rstrip("/"), key_id(table, key))
        if self._request.method == "PUT":
            raise ServiceError(405, "0x80060888", "Alternate keys cannot be updated.")
        row = found_row(Metadata(self._store.catalog).keys(table.name), segments[1])
        self.customizer.delete_key(table, next(key for key in table.keys if key.name == row["LogicalName"]))
        return Reply(204)

    def _relationship(self, segments: list[Segment]) -> Reply:
        if self._without_key(segments[0]):
            return self._made("RelationshipDefinitions", relationship_id(self.relater.create(self.body)))
        relationship = self._found_relationship(segments[0])
        if self._request.method == "DELETE":
            self.relater.delete(relationship)
            return Reply(204)
        self.relater.update(relationship, self.body)
        return self._changed()

    def _found_relationship(self, segment: Segment) -> Relationship:
        row = found_row(Metadata(self._store.catalog).relationships(), segment)
        return next(one for one in self._store.catalog.relationships() if one.schema_name == row["SchemaName"])

    def _option_set(self, segments: list[Segment]) -> Reply:
        if self._without_key(segments[0]):
            return self._made("GlobalOptionSetDefinitions", set_id(self.option_sets.create(self.body)))
        one = named_option_set(segments[0], self._store.catalog.option_sets)
        if self._request.method == "DELETE":
            self.option_sets.delete(one)
            return Reply(204)
        self.option_sets.update(one, self.body)
        return self._changed()
