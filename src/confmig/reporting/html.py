"""A report as one HTML file without scripts and without anything from elsewhere."""

from importlib.resources import files

from confmig.model.printable import printable
from confmig.reporting.report import Report


def render_html(report: Report) -> str:
    """The report as a page; Jinja2 escapes every text."""
    from jinja2 import Environment, StrictUndefined

    source = files("confmig.reporting").joinpath("report.html.j2").read_text(encoding="utf-8")
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, finalize=_visible
    )
    environment.filters["kind_of_line"] = _kind_of_line
    return environment.from_string(source).render(report=report)


_LINES = {"+": "added", "-": "removed", "@": "hunk", "\\": "remark"}


def _kind_of_line(line: str) -> str:
    """What a line of a unified diff is, as the class that colours it."""
    return _LINES.get(line[:1], "same")


def _visible(value: object) -> object:
    """A text without what is not to be seen, such as marks that turn the direction of writing."""
    return printable(value) if isinstance(value, str) else value
