"""The Web API: from a request to its handler."""

import logging
import re
import sqlite3

import msgspec

from confmig.emulator import functions
from confmig.emulator.behaviours.assumptions import BehavioursDef, switches
from confmig.emulator.behaviours.bypass import bypassed_steps
from confmig.emulator.behaviours.engine import Behaviours
from confmig.emulator.catalog.catalog import Catalog
from confmig.emulator.context import Context
from confmig.emulator.errors import ServiceError, no_resource, segment_missing, unexpected
from confmig.emulator.http.faults import FaultRule, Faults, object_gone
from confmig.emulator.http.settings import duration
from confmig.emulator.metadata import csdl, dependencies, metadataactions, metadatafunctions, metadatawrites
from confmig.emulator.metadata.metadata import Metadata
from confmig.emulator.metadata.metadatachanges import metadata_changes
from confmig.emulator.metadata.metadataquery import (
    entity_definitions,
    managed_property_definitions,
    option_set_definitions,
    relationship_definitions,
)
from confmig.emulator.metadata.metadataviews import MetadataViews
from confmig.emulator.metadata.metadatawrites import MetadataWriter
from confmig.emulator.metadata.pendingkeys import PendingKeys
from confmig.emulator.options import EmulatorOptions
from confmig.emulator.reading import bulkdelete
from confmig.emulator.rows import Rows
from confmig.emulator.security import roleoperations, sharing
from confmig.emulator.security.identity import Callers
from confmig.emulator.security.narrowing import Narrowing
from confmig.emulator.security.securityerrors import TokenExpiredError
from confmig.emulator.storage.store import Store
from confmig.emulator.wire.batch import run_batch
from confmig.emulator.wire.operations import Operations
from confmig.emulator.wire.urls import Segment, split_path
from confmig.emulator.wire.wire import Reply, Request, error_reply, json_reply, unauthorized
from confmig.emulator.writing import closing, queues, seeds
from confmig.emulator.writing.converters import Converters
from confmig.emulator.writing.fileblocks import FileBlocks
from confmig.emulator.writing.transfers import Transfers
from confmig.emulator.writing.writing import Writer

_LOG = logging.getLogger(__name__)
ROOT = re.compile(r"/api/data/v9\.\d+/?")
_DEFINITIONS = {
    "EntityDefinitions": entity_definitions,
    "RelationshipDefinitions": relationship_definitions,
    "GlobalOptionSetDefinitions": option_set_definitions,
}
_METADATA = metadatawrites.SETS | {"ManagedPropertyDefinitions", "RetrieveMetadataChanges", "$metadata"}


class Service:
    """One environment's Web API over its store."""

    def __init__(self, store: Store, options: EmulatorOptions) -> None:
        self.store = store
        self.options = options
        self._views = MetadataViews(store, duration("--metadata-delay", options.metadata_delay), options.clock.now)
        self._pending = PendingKeys(store, duration("--key-delay", options.key_delay), options.clock.now)
        self._converters = Converters()
        self._transfers = Transfers()
        self._operations = Operations()
        self._add_operations()
        self.faults = Faults([FaultRule.parse(text) for text in options.faults], options.seed)
        self._callers = Callers(store, options.clock, frozenset(name.lower() for name in options.deny))
        self._narrowing = Narrowing(store)
        logic = msgspec.json.decode(store.logic, type=BehavioursDef)
        self._behaviours = Behaviours(store, switches(logic.assumptions, options.behaviours), logic.plugins)

    def _add_operations(self) -> None:
        """All that can be called by its name; each module adds its own."""
        functions.add_functions(self._operations)
        roleoperations.add_role_operations(self._operations)
        sharing.add_sharing(self._operations)
        bulkdelete.add_actions(self._operations)
        queues.add_queues(self._operations)
        closing.add_closing(self._operations)
        seeds.add_operations(self._operations)
        metadataactions.add_actions(self._operations)
        metadatafunctions.add_functions(self._operations)
        dependencies.add_functions(self._operations)
        FileBlocks(self._transfers).add_actions(self._operations)

    def answer(self, request: Request) -> Reply:
        """The answer to a request; an error of the service is an answer, too."""
        if self._pending.due():
            self._narrowing.show(None)
            self._pending.activate()
        try:
            self._callers.caller(request.headers)
            if request.path.rstrip("/") == "$batch":
                if request.method != "POST":
                    raise no_resource(request.base + request.path)
                reply = run_batch(self.store, request, self._answer_part)
            else:
                reply = self._answer_part(request, {})
        except TokenExpiredError:
            return unauthorized(request.base.partition("/api/")[0])
        except ServiceError as error:
            reply = error_reply(error)
        except Exception:
            _LOG.exception("%s %s", request.method, request.path)
            reply = error_reply(unexpected())
        self._views.note()
        reply.fault, self.faults.struck = self.faults.struck, None
        reply.headers["OData-Version"] = "4.0"
        return reply

    def _answer_part(self, request: Request, references: dict[str, str]) -> Reply:
        self._views.note()
        try:
            if self.faults.check_part(request.method, request.path) and self._may_be_behind(request):
                return self._answer_behind(request, references)
            return self._dispatch(request, references)
        except ServiceError as error:
            return error_reply(error)
        except Exception:
            refusal = self._narrowing.refusal()
            if refusal is not None:
                return error_reply(refusal)
            # A fault of the emulator's own must reach the client as an answer, and roll back a change set.
            _LOG.exception("%s %s", request.method, request.path)
            return error_reply(unexpected())

    def _may_be_behind(self, request: Request) -> bool:
        """Whether stale metadata matter: they do to reads, and to writes of rows."""
        if _strong(request):
            return False
        segments = split_path(request.path)
        return request.method == "GET" or (bool(segments) and segments[0].name in self.store.catalog.sets)

    def _answer_behind(self, request: Request, references: dict[str, str]) -> Reply:
        """The answer of a web server whose metadata cache has not seen the last change."""
        with self._views.behind(self.store):
            try:
                return self._dispatch(request, references)
            except sqlite3.OperationalError as error:
                raise self._narrowing.refusal() or object_gone() from error
            finally:
                # What narrows reads was perhaps made for the older tables.
                self._narrowing.show(None)

    def _dispatch(self, request: Request, references: dict[str, str]) -> Reply:
        segments = split_path(request.path)
        if not segments:
            return self._service_document(request)
        head = segments[0]
        if head.name in _METADATA:
            return self._describe(head, segments, request, references)
        writer = Writer(self._context(request, references), self._converters)
        table = self.store.catalog.sets.get(head.name)
        if table is None:
            called = self._operations.unbound(segments, writer, request)
            if called is None:
                raise segment_missing(head.name)
            return called
        if len(segments) > 1:
            called = self._operations.bound(table, segments, writer, request)
            if called is not None:
                return called
        return Rows(writer, self._transfers, table, request).answer(segments)

    def _describe(self, head: Segment, segments: list[Segment], request: Request, references: dict[str, str]) -> Reply:
        if request.method != "GET":
            if head.name not in metadatawrites.SETS:
                raise no_resource(request.base + request.path)
            context = self._context(request, references)
            reply = MetadataWriter(context, request).answer(segments, self._pending.status())
            return self._with_definition(request, reply)
        metadata = self._views.before if self.store.behind else self._views.seen(strong=_strong(request))
        if head.name == "$metadata":
            if len(segments) > 1:
                raise segment_missing(segments[1].name)
            return _document(metadata.catalog, request)
        if head.name in _DEFINITIONS:
            return _DEFINITIONS[head.name](metadata, segments, request)
        if head.name == "ManagedPropertyDefinitions":
            return managed_property_definitions(segments, request)
        return metadata_changes(metadata, self.store, head, request)

    def _with_definition(self, request: Request, reply: Reply) -> Reply:
        """The answer to a change of metadata, with what was made or changed when the client asks for it.

        The documents show it for rows only; clients read it of tables, too [inferred]:
        https://github.com/MarcusRisanger/Dataverse-API
        """
        preferences, location = request.preferences(), reply.headers.get("OData-EntityId")
        if location is None or not preferences.representation:
            return reply
        path = location.removeprefix(request.base)
        segments = split_path(path)
        read = _DEFINITIONS[segments[0].name]
        found = read(Metadata(self.store.catalog), segments, Request("GET", request.base, path))
        headers = {**found.headers, "OData-EntityId": location, "Preference-Applied": ",".join(preferences.applied)}
        return Reply(201 if request.method == "POST" else 200, found.body, headers)

    def _context(self, request: Request, references: dict[str, str]) -> Context:
        """The surroundings of a request.

        Raises:
            ServiceError: The caller is nobody, or may not do what the headers ask for.
        """
        caller = self._callers.caller(request.headers)
        # Only reads are narrowed: the rules that a write follows must see all rows.
        self._narrowing.show(caller.rights if request.method == "GET" else None)
        return Context(
            self.store,
            request.base,
            caller.user_id,
            self.options.clock.stamp(),
            self._behaviours,
            bypassed_steps(request.headers, caller.rights),
            caller.rights,
            caller.delegate_id,
            references,
            request.headers.get("mscrm.suppressduplicatedetection", "").lower() == "false",
        )

    def _service_document(self, request: Request) -> Reply:
        names = [{"name": name, "kind": "EntitySet", "url": name} for name in sorted(self.store.catalog.sets)]
        return json_reply({"@odata.context": f"{request.base}$metadata", "value": names})


def _document(catalog: Catalog, request: Request) -> Reply:
    asked = request.options().get("annotations", "").lower() == "true"
    annotations = asked or bool(request.preferences().annotations.patterns)
    return Reply(200, csdl.document(catalog, annotations=annotations), {"Content-Type": "application/xml"})


def _strong(request: Request) -> bool:
    """Whether a request asks for the present metadata, and not for those of a cache."""
    return request.headers.get("consistency", "").lower() == "strong"
