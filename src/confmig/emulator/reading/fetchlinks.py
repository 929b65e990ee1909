"""The linked tables of FetchXML: joins, and the links that only ask whether rows exist.

https://learn.microsoft.com/power-apps/developer/data-platform/fetchxml/join-tables
"""

from dataclasses import dataclass, field

from confmig.emulator.catalog.model import Column, Table
from confmig.emulator.context import Context
from confmig.emulator.errors import ServiceError, bad_query, fetch_entity_missing
from confmig.emulator.reading.comparing import joined_sql
from confmig.emulator.reading.datewindows import fiscal_calendar, moment_at
from confmig.emulator.reading.fetchconditions import Conditions
from confmig.emulator.reading.fetchelements import Element, column_of
from confmig.emulator.reading.filters import Sql
from confmig.emulator.reading.selecting import Source
from confmig.emulator.storage.store import SORT, quoted, table_sql

FIRST_MATCH = "matchfirstrowusingcrossapply"
_JOINS = {"inner": "JOIN", "natural": "JOIN", "outer": "LEFT JOIN", FIRST_MATCH: "JOIN"}
_QUESTIONS = frozenset({"exists", "in", "any", "not any", "all", "not all"})
"""Link types that return no columns; in a filter they are conditions among others."""


@dataclass
class Block:
    """The tables of one SELECT: the one it begins with, and those that are joined to it.

    Attributes:
        root: The table it begins with.
        sources: Each joined link with its table, outermost first.
        names: The tables that conditions may name, with those of the SELECT around it.
        joins: The SQL of the joins.
        where: Conditions that must all hold.
        repeats: Whether a join may give a row of the first table several times.
    """

    root: Source
    sources: dict[Element, Source] = field(default_factory=dict)
    names: dict[str, list[Source]] = field(default_factory=dict)
    joins: list[str] = field(default_factory=list)
    where: list[str] = field(default_factory=list)
    repeats: bool = False

    def find(self, name: str) -> Source:
        """The table of a link with this alias, or, where it has none, of this name.

        Raises:
            ServiceError: There is none, or more than one.
        """
        found = self.names.get(name, [])
        if not found:
            raise ServiceError(400, "0x80041103", f"Link entity with name or alias {name} is not found")
        if len(found) > 1:
            raise bad_query(f"There's more than one LinkEntity expressions with name={name}")
        return found[0]


class Links:
    """Reads the tables of one query."""

    def __init__(self, context: Context, sql: Sql) -> None:
        self.context = context
        self.sql = sql
        self.moment = moment_at(context.now, fiscal_calendar(context.store))
        self._count = 0

    def read(self, element: Element, root: Source, names: dict[str, list[Source]] | None = None) -> Block:
        """The tables and conditions of an entity, or of a link that is a question.

        Args:
            element: The ``<entity>`` or ``<link-entity>``.
            root: Its table.
            names: What conditions of the query around it may name.

        Raises:
            ServiceError: A table, column or operator is unknown.
        """
        block = Block(root, names={name: list(found) for name, found in (names or {}).items()})
        self._name(block, element)
        block.where += self._tests(block, element, root)
        self._join(block, element, root)
        return block

    def _name(self, block: Block, element: Element) -> None:
        """Give every joined table its names before a condition asks for them."""
        for link in element.iterchildren("link-entity"):
            if _kind(link) in _QUESTIONS:
                continue
            self._count += 1
            table = self._table(link)
            alias = link.get("alias")
            name = alias or f"{table.name}{self._count}"
            source = Source(table, self.sql.alias(), name)
            if any(other.name == name for other in block.sources.values()):
                raise bad_query(f"The alias '{name}' is used by more than one link-entity.")
            block.sources[link] = source
            block.names.setdefault(alias or table.name, []).append(source)
            self._name(block, link)

    def _table(self, link: Element) -> Table:
        table = self.context.store.catalog.tables.get(link.get("name", ""))
        if table is None:
            raise fetch_entity_missing(link.get("name", ""))
        self.context.require("Read", table)
        return table

    def _tests(self, block: Block, element: Element, source: Source) -> list[str]:
        """The conditions that an element itself states: its filters and its questions."""
        conditions = Conditions(self, block)
        tests = [conditions.group(one, source) for one in element.iterchildren("filter")]
        questions = [link for link in element.iterchildren("link-entity") if _kind(link) in _QUESTIONS]
        return [*tests, *(self.question(link, source, block) for link in questions)]

    def _join(self, block: Block, element: Element, parent: Source) -> None:
        for link in element.iterchildren("link-entity"):
            source = block.sources.get(link)
            if source is None:
                continue
            kind = _kind(link)
            rows = table_sql(source.table.name)
            if kind == FIRST_MATCH:
                first = Source(source.table, self.sql.alias(), source.name)
                tests = " AND ".join([self._on(link, first, parent), *self._tests(block, link, first)])
                key = quoted(SORT)
                on = (
                    f"{source.alias}.{key} = (SELECT {first.alias}.{key} FROM {rows} {first.alias} WHERE {tests} "  # noqa: S608 (quoted)
                    f"ORDER BY {first.alias}.{key} LIMIT 1)"
                )
            else:
                on = " AND ".join([self._on(link, source, parent), *self._tests(block, link, source)])
                block.repeats |= self._ends(link, source.table, parent.table)[0].name != source.table.primary_id
            block.joins.append(f"{_JOINS[kind]} {rows} {source.alias} ON {on}")
            self._join(block, link, source)

    def _on(self, link: Element, source: Source, parent: Source) -> str:
        near, far = self._ends(link, source.table, parent.table)
        return joined_sql(near, source.field(near), far, parent.field(far))

    def _ends(self, link: Element, table: Table, parent: Table) -> tuple[Column, Column]:
        """The columns that a link joins: ``from`` is of the linked table, ``to`` of the one that it hangs on.

        Without them the relationship decides, when there is only one:
        https://learn.microsoft.com/power-apps/developer/data-platform/fetchxml/join-tables#using-to-and-from-attributes
        """
        if link.get("from") and link.get("to"):
            return column_of(table, link.get("from")), column_of(parent, link.get("to"))
        below = self.context.store.catalog.from_table.get(table.name, [])
        above = self.context.store.catalog.from_table.get(parent.name, [])
        pairs = [(one.column, parent.primary_id) for one in below if one.target == parent.name]
        pairs += [(table.primary_id, one.column) for one in above if one.target == table.name]
        given = (link.get("from"), link.get("to"))
        pairs = [pair for pair in pairs if given[0] in (None, pair[0]) and given[1] in (None, pair[1])]
        if len(pairs) != 1:
            raise bad_query(f"The link to '{table.name}' does not say which columns it joins.")
        return table.columns[pairs[0][0]], parent.columns[pairs[0][1]]

    def question(self, link: Element, parent: Source, block: Block) -> str:
        """The condition of a link that asks whether rows exist.

        The meaning of ``all`` and ``not all`` is not what they say:
        https://learn.microsoft.com/power-apps/developer/data-platform/fetchxml/filter-rows#link-type-not-all

        Raises:
            ServiceError: A table, column or operator is unknown.
        """
        kind = _kind(link)
        table = self._table(link)
        source = Source(table, self.sql.alias(), link.get("alias") or table.name)
        inner = self.read(link, source, block.names)
        rows = f"{table_sql(table.name)} {source.alias}"
        on = self._on(link, source, parent)
        tests = " AND ".join([on, *inner.where])
        found = f"EXISTS (SELECT 1 FROM {rows} {' '.join(inner.joins)} WHERE {tests})"  # noqa: S608 (quoted)
        if kind == "not any":
            return f"NOT {found}"
        if kind == "all":
            return f"(EXISTS (SELECT 1 FROM {rows} WHERE {on}) AND NOT {found})"  # noqa: S608 (quoted)
        return found


def _kind(link: Element) -> str:
    kind = link.get("link-type", "inner").lower()
    if kind not in _JOINS and kind not in _QUESTIONS:
        raise bad_query(f"The link type '{kind[:40]}' is not supported.")
    return kind
