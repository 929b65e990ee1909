"""On which line of a schema file a table, column or relationship stands."""

from xml.parsers import expat  # its input has been parsed as hostile XML before

from confmig.checking.rules.schema.order_unknown import ORDER
from confmig.package.xml import encoding_override, lines_before, strip_leading

_WITHIN = {"field": "fields", "relationship": "relationships"}


def schema_lines(data: bytes) -> dict[tuple[str, str], int]:
    """The lines on which things stand in a schema that ``parse_schema`` has accepted.

    A tag stands where it begins. lxml knows only where it ends, and no line beyond 65,535.

    Returns:
        (table, column or relationship) to line, with ``""`` for the table itself; the first place of several. With
        ``entityImportOrder`` the last line on which that names the table. Empty for a file whose encoding the parser
        does not know.
    """
    body = strip_leading(data)
    skipped = lines_before(data, body)
    lines: dict[tuple[str, str], int] = {}
    path: list[str] = []
    table = ""
    ordered: tuple[list[str], int] | None = None  # a name of the order, piece by piece, and its line
    parser = expat.ParserCreate(encoding_override(data))

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal table, ordered
        path.append(tag)
        name = (attributes.get("relatedEntityName") or attributes.get("name", "")).strip()
        if path == ["entities", "entity"]:
            table, name = attributes.get("name", "").strip(), ""
        elif path == ["entities", ORDER, "entityName"]:
            ordered = ([], parser.CurrentLineNumber + skipped)
            return
        elif path != ["entities", "entity", _WITHIN.get(tag), tag]:
            return
        lines.setdefault((table, name), parser.CurrentLineNumber + skipped)

    def text(piece: str) -> None:
        if ordered:
            ordered[0].append(piece)

    def end(_: str) -> None:
        nonlocal ordered
        path.pop()
        if ordered:
            lines["".join(ordered[0]).strip(), ORDER] = ordered[1]
            ordered = None

    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = start, end, text
    try:
        parser.Parse(body, True)  # the last piece
    except expat.ExpatError:
        return {}
    return lines
