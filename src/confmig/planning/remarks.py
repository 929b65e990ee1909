"""What a package holds or asks for that is not done: said once, in the plan."""

from confmig.model.schema import Schema, Table
from confmig.model.values import ColumnType
from confmig.planning.columns import is_moved, left_out
from confmig.planning.plan import PlanOptions
from confmig.planning.preparing import Preparation


def note_what_is_left_out(prepared: Preparation, schema: Schema, options: PlanOptions) -> None:
    """Note what is undeclared, ignored by name without being there, asked for in vain, or not moved."""
    notes = prepared.notes
    if schema.inferred:
        notes.add("inferred", "", "", "the package has no schema, so one was inferred from its rows")
    for name, count in prepared.survey.undeclared_tables.items():
        notes.add("undeclared", name, "", "is not in the schema, so it is left out", count=count)
    for (name, column), count in prepared.survey.undeclared_columns.items():
        notes.add("undeclared", name, column, "is not in the schema, so it is left out", count=count)
    for name, column in sorted(options.ignore):
        ignored = schema.table(name)
        if ignored is None or column not in {known.name for known in ignored.columns}:
            notes.add("ignore", name, column, "is named by --ignore, but the schema has no such column")
    _note_relative_dates(prepared)
    for table in schema.merged_tables():
        if table.disable_plugins:
            message = "asks to disable plug-ins (disableplugins): not done, server logic runs as for a user"
            notes.add("disableplugins", table.name, "", message)
        if table.name in prepared.survey.rows:
            _note_unmoved(prepared, table)


def _note_relative_dates(prepared: Preparation) -> None:
    """Say of each column with relative dates by how much they are moved, or why they are not."""
    for (table, column), mode in prepared.dates.modes.items():
        count = prepared.survey.relative[table, column]
        prepared.notes.add("dateMode", table, column, prepared.dates.describe(mode), count=count)


def _note_unmoved(prepared: Preparation, declared: Table) -> None:
    info = prepared.tables[declared.name]
    for column in declared.columns:
        known = info.columns[column.name]
        if column.type is ColumnType.UNKNOWN:
            reason = f"is left out: nobody can tell what its type {column.type_text!r} is"
            prepared.notes.add("left-out", declared.name, column.name, reason)
        elif reason := left_out(info, known):
            prepared.notes.add("left-out", declared.name, column.name, f"is left out: {reason}")
        elif is_moved(info, known) and not known.readable:
            prepared.notes.add("unreadable", declared.name, column.name, "cannot be read, so it is never compared")
