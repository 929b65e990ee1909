"""One environment, as the rest of the program uses it: describe, read, write."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from confmig.errors import ServiceError
from confmig.model.environment import ColumnInfo, EnvironmentId, TableInfo
from confmig.model.portions import portions
from confmig.model.records import Record
from confmig.model.values import ColumnType, Value
from confmig.webapi.auth import AuthMode, environment_url, token_source
from confmig.webapi.batching import Part, batch_request, batch_responses
from confmig.webapi.files import FileDownload, FileUpload, download_file
from confmig.webapi.metadata import (
    TABLES_A_REQUEST,
    WireTable,
    metadata_path,
    parse_metadata,
)
from confmig.webapi.queries import (
    CONDITIONS_A_QUERY,
    IDS_A_QUERY,
    MORE_RECORDS,
    PAGING_COOKIE,
    FetchQuery,
    next_cookie,
    read_headers,
    rows_by_id_path,
    rows_by_key_path,
    rows_path,
)
from confmig.webapi.replies import Json, decode_json, error_of, fault_of, rows_of, text_of
from confmig.webapi.sender import HttpSender, Request, Response, RetryingSender, Sender, SigningSender
from confmig.webapi.values import other_parties, parse_row, parties_navigation, write_properties
from confmig.webapi.writes import (
    DONE,
    Writer,
    WriteResult,
    associate_part,
    associated,
    create_part,
    replace_parties_part,
    update_part,
)

_LONGEST_URL = 30_000
"""A little below the service's 32 KB: beyond that a query goes inside a $batch, where 64 KB are allowed."""


@dataclass(frozen=True, slots=True)
class RowWrite:
    """One row to be written: its id, the columns with their new values, and what stood there before."""

    id: str
    values: Mapping[str, Value]
    before: Mapping[str, Value]


def connect(url: str, mode: AuthMode, side: str) -> "Environment":
    """Connect to an environment and ask who we are there.

    Args:
        url: The environment's root URL.
        mode: How to sign in.
        side: ``source`` or ``target``, which stands in messages and names the variables.

    Raises:
        UsageError: The URL or the mode does not fit.
        AccessError: Sign-in failed, or the environment rejects us.
        ServiceError: There is no environment at that address, or it does not answer.
    """
    root = environment_url(url)
    plain = HttpSender(root)
    sender = RetryingSender(SigningSender(plain, token_source(root, mode, side)))
    return Environment(root, side, sender)


class Environment:
    """An environment behind a sender. Safe to use from several threads once it is prepared."""

    def __init__(self, url: str, side: str, sender: Sender) -> None:
        self.url = url
        self.side = side
        self._api = f"{url}/api/data/v9.2/"
        self._sender = sender
        self._writer = Writer(sender, self._api)
        self._tables: dict[str, WireTable] = {}
        self._absent: set[str] = set()
        self._solutions: Mapping[str, str] | None = None
        self._bulk: dict[str, set[str]] | None = None
        self.parallel = 4
        self.identity = self._identify()

    def _identify(self) -> EnvironmentId:
        response = self.fetch("WhoAmI", f"Asking {self.url} who we are")
        who = decode_json(response.body, self.url)
        version = self.ask("RetrieveVersion()", f"Asking {self.url} for its version").get("Version", "")
        hint = response.headers.get("x-ms-dop-hint", "")
        self.parallel = int(hint[:4]) if hint.isascii() and hint.isdigit() and int(hint[:4]) > 0 else self.parallel
        if "OrganizationId" not in who:
            what = f"{self.url} answers, but not as a Dataverse environment does."
            raise ServiceError(what, "Check the environment's URL.")
        return EnvironmentId(self.url, str(who["OrganizationId"]), str(who.get("UserId", "")), str(version))

    # Tables

    def describe(self, names: Iterable[str]) -> Mapping[str, TableInfo]:
        """The tables of these names, as far as the environment has them; asked for once and remembered."""
        wanted = list(dict.fromkeys(names))
        missing = [name for name in wanted if name not in self._tables and name not in self._absent]
        for portion in portions(missing, TABLES_A_REQUEST):
            answer = self.ask(metadata_path(portion), f"Reading the metadata of {self.url}")
            self._tables.update((table.info.name, table) for table in parse_metadata(answer, self.url))
            self._absent.update(name for name in portion if name not in self._tables)
        return {name: self._tables[name].info for name in wanted if name in self._tables}

    def prepare(self, tables: Iterable[str]) -> None:
        """Ask for all that writing to these tables needs to know, so that threads need not ask at the same time."""
        self.describe(tables)
        self._bulk = self._bulk or self._read_bulk_support()

    def _table(self, name: str) -> WireTable:
        if name not in self._tables:
            self.describe([name])
        if name not in self._tables:
            raise ServiceError(f"{self.url} has no table {name}.", "Import the solution that holds it first.")
        return self._tables[name]

    def _entity_set(self, table: str) -> str:
        return self._table(table).entity_set

    def _columns(self, table: WireTable, names: Iterable[str]) -> list[ColumnInfo]:
        return [table.info.columns[name] for name in names]

    # Solutions

    def solutions(self) -> Mapping[str, str]:
        """The installed solutions, by unique name, with their versions; asked for once and remembered."""
        if self._solutions is None:
            what = f"Reading the solutions of {self.url}"
            rows = self.listed("solutions?$select=uniquename,version&$filter=isvisible eq true", what)
            self._solutions = {text_of(row, "uniquename", what): str(row.get("version") or "") for row in rows}
        return self._solutions

    def listed(self, path: str, what: str, *, names: bool = False) -> Iterator[Json]:
        """All rows of a query, page by page. The token goes to this environment alone, and no page comes twice."""
        headers = read_headers(names=names)
        url: object = self._api + path
        seen: set[object] = set()
        while url:
            if not isinstance(url, str) or not url.startswith(self._api):
                raise ServiceError(f"{what}: the next page is said to lie elsewhere, at {str(url)[:200]}.")
            if url in seen:
                raise ServiceError(f"{what}: the environment gives the same page again and again.")
            seen.add(url)
            answer = self._get_url(url, headers, what)
            yield from rows_of(answer, what)
            url = answer.get("@odata.nextLink")

    # Reading

    def read_rows(self, table: str, columns: Sequence[str], filter_xml: str | None = None) -> Iterator[Record]:
        """All rows of a table, or those that a schema's filter lets through, with the names of looked-up rows."""
        wire = self._table(table)
        wanted = self._columns(wire, columns)
        if filter_xml is None:
            yield from self._pages(rows_path(wire, wanted), wire, wanted, names=True)
        elif any(column.type is ColumnType.PARTIES for column in wanted):
            # FetchXML gives no party lists, so the filter finds the ids and a second query the rows.
            ids = [row.id for row in self._fetch(wire, [], filter_xml) if row.id]
            yield from self._by_id(wire, wanted, ids, names=True)
        else:
            yield from self._fetch(wire, wanted, filter_xml)

    def read_rows_by_id(self, table: str, columns: Sequence[str], ids: Iterable[str]) -> Iterator[Record]:
        """Those rows with these ids that exist."""
        wire = self._table(table)
        yield from self._by_id(wire, self._columns(wire, columns), ids, names=False)

    def _by_id(
        self, wire: WireTable, columns: Sequence[ColumnInfo], ids: Iterable[str], *, names: bool
    ) -> Iterator[Record]:
        for portion in portions(ids, IDS_A_QUERY):
            yield from self._pages(rows_by_id_path(wire, columns, portion), wire, columns, names=names)

    def read_rows_by_key(
        self, table: str, columns: Sequence[str], key: Sequence[str], keys: Iterable[Sequence[Value]]
    ) -> Iterator[Record]:
        """The rows whose ``key`` columns hold one of these keys, as the service compares: regardless of case."""
        wire = self._table(table)
        wanted, parts = self._columns(wire, columns), self._columns(wire, key)
        for portion in portions(keys, max(1, CONDITIONS_A_QUERY // max(1, len(key)))):
            yield from self._by_key(wire, wanted, parts, portion)

    def _by_key(
        self, wire: WireTable, columns: Sequence[ColumnInfo], key: Sequence[ColumnInfo], keys: Sequence[Sequence[Value]]
    ) -> Iterator[Record]:
        path = rows_by_key_path(wire, columns, key, keys)
        if len(self._api) + len(path) > _LONGEST_URL and len(keys) > 1:
            half = len(keys) // 2
            yield from self._by_key(wire, columns, key, keys[:half])
            yield from self._by_key(wire, columns, key, keys[half:])
        else:
            yield from self._pages(path, wire, columns, names=False)

    def read_associations(
        self, table: str, relationship: str, sources: Iterable[str] | None = None
    ) -> Iterator[tuple[str, str]]:
        """Pairs of ids that a many-to-many relationship holds: the row of its first table, then of its second.

        Args:
            table: One of the two tables.
            relationship: The intersect table's name.
            sources: Only pairs whose first row is one of these; default: all.
        """
        info = self._table(table).info.relationships[relationship]
        intersect = self._table(relationship)
        columns = self._columns(intersect, (info.id1, info.id2))
        if sources is None:
            yield from self._pairs(rows_path(intersect, columns), intersect, columns)
            return
        for portion in portions(sources, IDS_A_QUERY):
            values = ",".join(f"'{row_id}'" for row_id in portion)
            path = rows_path(intersect, columns)
            condition = f"Microsoft.Dynamics.CRM.In(PropertyName='{info.id1}',PropertyValues=[{values}])"
            yield from self._pairs(f"{path}&$filter={condition}", intersect, columns)

    def _pairs(self, path: str, intersect: WireTable, columns: Sequence[ColumnInfo]) -> Iterator[tuple[str, str]]:
        first, second = columns
        for record in self._pages(path, intersect, columns, names=False):
            left, right = record.values[first.name], record.values[second.name]
            if isinstance(left, str) and isinstance(right, str):
                yield left, right

    def _pages(self, path: str, wire: WireTable, columns: Sequence[ColumnInfo], *, names: bool) -> Iterator[Record]:
        what = f"Reading {wire.info.name} from {self.url}"
        for row in self.listed(path, what, names=names):
            yield parse_row(row, wire, columns)

    def _fetch(self, wire: WireTable, columns: Sequence[ColumnInfo], xml: str) -> Iterator[Record]:
        query = FetchQuery(wire, columns, xml)
        headers = read_headers(names=True)
        what = f"Reading {wire.info.name} from {self.url} by the schema's filter"
        page, cookie = 1, None
        seen: set[str | None] = set()
        while True:
            answer = self._get_url(self._api + query.path(page, cookie), headers, what)
            for row in rows_of(answer, what):
                record = parse_row(row, wire, columns)
                # A link to another table gives a row once for each match.
                if not query.linked or record.id not in seen:
                    yield record
                if query.linked:
                    seen.add(record.id)
            if query.limited or not answer.get(f"@{MORE_RECORDS}"):
                return
            annotation, last = answer.get(f"@{PAGING_COOKIE}"), cookie
            page, cookie = page + 1, next_cookie(annotation) if annotation else None
            if cookie is not None and cookie == last:
                raise ServiceError(f"{what}: the environment gives the same page again and again.")

    def open_file(self, table: str, row_id: str, column: str) -> FileDownload:
        """Begin to read the file in a row's file column; its size is known then.

        Raises:
            ServiceError: There is none, or the environment did not answer properly.
        """
        what = f"Reading the file {column} of {table} {row_id} from {self.url}"
        return download_file(self._sender, self._file_url(table, row_id, column), what)

    def _file_url(self, table: str, row_id: str, column: str) -> str:
        return f"{self._api}{self._entity_set(table)}({row_id})/{column}"

    def ask(self, path: str, what: str) -> Json:
        """The JSON of a path below the API's root; ``what`` says what is asked for, for messages."""
        return self._get_url(self._api + path, read_headers(names=False), what)

    def fetch(self, path: str, what: str) -> Response:
        """The answer to a GET of a path below the API's root, such as that of a file."""
        response = self._sender.send(Request("GET", self._api + path, read_headers(names=False)))
        if response.status != 200:
            raise error_of(fault_of(response), what)
        return response

    def _get_url(self, url: str, headers: Mapping[str, str], what: str) -> Json:
        if len(url) > _LONGEST_URL:
            part = Part("GET", url.removeprefix(self._api), None, tuple(headers.items()))
            batch = batch_request(self._api, [part], {"Accept": "application/json"}, repeatable=True)
            outer = self._sender.send(batch)
            response = batch_responses(outer, 1)[0] if outer.status == 200 else outer
        else:
            response = self._sender.send(Request("GET", url, headers))
        if response.status != 200:
            raise error_of(fault_of(response), what)
        return decode_json(response.body, self.url)

    # Writing

    def create_rows(self, table: str, rows: Sequence[RowWrite]) -> list[WriteResult]:
        """Create rows with the ids that they carry; one result a row."""
        wire = self._table(table)
        bodies = [{wire.info.primary_id: row.id, **self._body(wire, row)} for row in rows]

        def singly(body: Json) -> Part:
            return create_part(wire.entity_set, body)

        if self.has_message(table, "CreateMultiple") and not _has_collections(bodies):
            return self._writer.bulk("CreateMultiple", table, wire.entity_set, bodies, singly)
        return self._writer.batch([singly(body) for body in bodies])

    def update_rows(self, table: str, rows: Sequence[RowWrite]) -> list[WriteResult]:
        """Update rows that exist; one result a row."""
        wire = self._table(table)
        bodies = [self._body(wire, row) for row in rows]
        if _has_collections(bodies):
            return self._update_activities(wire, rows, bodies)
        primary_id = wire.info.primary_id
        targets = [{primary_id: row.id, **body} for row, body in zip(rows, bodies, strict=True)]

        def singly(target: Json) -> Part:
            body = {name: value for name, value in target.items() if name != primary_id}
            return update_part(wire.entity_set, target[primary_id], body)

        if self.has_message(table, "UpdateMultiple"):
            return self._writer.bulk("UpdateMultiple", table, wire.entity_set, targets, singly)
        return self._writer.batch([singly(target) for target in targets])

    def _update_activities(
        self, wire: WireTable, rows: Sequence[RowWrite], bodies: Sequence[Json]
    ) -> list[WriteResult]:
        """Update activities whose parties change: parties can only be replaced all at once, so the others are kept."""
        navigation = parties_navigation(wire.info.name)
        everyone = ColumnInfo("*", ColumnType.PARTIES)
        current = {
            row.id: row.values["*"] for row in self._by_id(wire, [everyone], [row.id for row in rows], names=False)
        }
        parts: list[Part] = []
        owners: list[int] = []
        for index, (row, body) in enumerate(zip(rows, bodies, strict=True)):
            parties = body.pop(navigation, None)
            if body:
                parts.append(update_part(wire.entity_set, row.id, body))
                owners.append(index)
            if parties is not None:
                kept = other_parties(current.get(row.id), row.values, self._entity_set)
                parts.append(replace_parties_part(wire.entity_set, row.id, navigation, [*parties, *kept]))
                owners.append(index)
        results = [DONE] * len(rows)
        for index, result in zip(owners, self._writer.batch(parts), strict=True):
            results[index] = result if results[index] is DONE else results[index]
        return results

    def associate(self, table: str, relationship: str, pairs: Sequence[tuple[str, str]]) -> list[WriteResult]:
        """Associate rows: each pair is a row of the relationship's first table and one of its second."""
        wire = self._table(table)
        info = wire.info.relationships[relationship]
        navigation = wire.many_to_many[relationship].from_table1
        set1, set2 = self._table(info.table1).entity_set, self._table(info.table2).entity_set
        parts = [associate_part(self._api, set1, first, navigation, set2, second) for first, second in pairs]
        return [associated(result) for result in self._writer.batch(parts, repeatable=True)]

    def write_file(self, table: str, row_id: str, column: str, name: str, blocks: Iterable[bytes]) -> WriteResult:
        """Put a file into a row's file column, in place of one that is there.

        Raises:
            ServiceError: The environment did not answer properly; the column is as it was.
        """
        wire = self._table(table)
        row = {"@odata.type": f"Microsoft.Dynamics.CRM.{table}", wire.info.primary_id: row_id}
        what = f"Uploading the file {column} of {table} {row_id} to {self.url}"
        return FileUpload(self._sender, self._api, what).send(row, column, name, blocks)

    def _body(self, wire: WireTable, row: RowWrite) -> Json:
        return write_properties(wire, row.values, self._entity_set, row.before)

    def has_message(self, table: str, message: str) -> bool:
        """Whether a table knows a bulk message, CreateMultiple or UpdateMultiple."""
        if self._bulk is None:
            self._bulk = self._read_bulk_support()
        return message in self._bulk.get(table, ())

    def _read_bulk_support(self) -> dict[str, set[str]]:
        """Which tables know which bulk message; always asked, since the documents lag behind the service."""
        path = (
            "sdkmessagefilters?$select=primaryobjecttypecode&$expand=sdkmessageid($select=name)"
            "&$filter=(sdkmessageid/name eq 'CreateMultiple' or sdkmessageid/name eq 'UpdateMultiple')"
        )
        support: dict[str, set[str]] = {}
        for row in self.listed(path, f"Asking {self.url} for its bulk messages"):
            support.setdefault(str(row.get("primaryobjecttypecode")), set()).add(str(row["sdkmessageid"]["name"]))
        return support


def _has_collections(bodies: Iterable[Json]) -> bool:
    """Whether a body brings rows of its own (parties): bulk messages take no nested rows [inferred]."""
    return any(isinstance(value, list) for body in bodies for value in body.values())
