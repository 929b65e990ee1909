"""What a solution of an environment holds."""

from urllib.parse import quote

from confmig.errors import UsageError
from confmig.model.portions import portions
from confmig.webapi.environment import Environment
from confmig.webapi.metadata import TABLES_A_REQUEST, described_tables, table_names_path
from confmig.webapi.replies import text_of


def tables_of_solution(environment: Environment, name: str) -> list[str]:
    """The names of the tables that a solution holds, sorted; intersect tables are none.

    Raises:
        UsageError: There is no such solution.
    """
    what = f"Reading the tables of solution {name} of {environment.url}"
    quoted = quote(name.replace("'", "''"), safe="")
    found = list(environment.listed(f"solutions?$select=solutionid&$filter=uniquename eq '{quoted}'", what))
    if not found:
        raise UsageError(f"{environment.url} has no solution {name}.", "Give its unique name, not its display name.")
    components = environment.listed(
        # 1 is a table: learn.microsoft.com, solutioncomponent table reference, componenttype
        "solutioncomponents?$select=objectid"
        f"&$filter=_solutionid_value eq {text_of(found[0], 'solutionid', what)} and componenttype eq 1",
        what,
    )
    names: list[str] = []
    for portion in portions((text_of(row, "objectid", what) for row in components), TABLES_A_REQUEST):
        tables = described_tables(environment.ask(table_names_path(portion), what), environment.url)
        names += [text_of(table, "LogicalName", what) for table in tables if not table.get("IsIntersect")]
    return sorted(names)
