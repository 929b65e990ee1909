"""Which rules there are. A rule that is not listed here is not asked."""

import sys
from collections.abc import Iterator

from confmig.checking.rules.rows.bigint_dropped import BigintDropped
from confmig.checking.rules.rows.bool_misread import BoolMisread
from confmig.checking.rules.rows.choices_dropped import ChoicesDropped
from confmig.checking.rules.rows.column_repeated import ColumnRepeated
from confmig.checking.rules.rows.column_undeclared import ColumnUndeclared
from confmig.checking.rules.rows.date_wrong import DateWrong
from confmig.checking.rules.rows.decimal_wrong import DecimalWrong
from confmig.checking.rules.rows.file_missing import FileMissing
from confmig.checking.rules.rows.guid_wrong import GuidWrong
from confmig.checking.rules.rows.id_differs import IdDiffers
from confmig.checking.rules.rows.id_missing import IdMissing
from confmig.checking.rules.rows.id_twice import IdTwice
from confmig.checking.rules.rows.image_wrong import ImageWrong
from confmig.checking.rules.rows.key_absent import KeyAbsent
from confmig.checking.rules.rows.key_shared import KeyShared
from confmig.checking.rules.rows.key_wildcard import KeyWildcard
from confmig.checking.rules.rows.lookup_case import LookupCase
from confmig.checking.rules.rows.lookup_dangling import LookupDangling
from confmig.checking.rules.rows.lookup_incomplete import LookupIncomplete
from confmig.checking.rules.rows.lookup_target import LookupTarget
from confmig.checking.rules.rows.name_shared import NameShared
from confmig.checking.rules.rows.new_id import NewId
from confmig.checking.rules.rows.note_parent import NoteParent
from confmig.checking.rules.rows.number_dropped import NumberDropped
from confmig.checking.rules.rows.pair_dangling import PairDangling
from confmig.checking.rules.rows.pair_id_column import PairIdColumn
from confmig.checking.rules.rows.pair_target import PairTarget
from confmig.checking.rules.rows.party_incomplete import PartyIncomplete
from confmig.checking.rules.rows.relationship_undeclared import RelationshipUndeclared
from confmig.checking.rules.rows.state_half import StateHalf
from confmig.checking.rules.rows.table_undeclared import TableUndeclared
from confmig.checking.rules.rows.timestamp_missing import TimestampMissing
from confmig.checking.rules.rows.timestamp_wrong import TimestampWrong
from confmig.checking.rules.rows.users_need_map import UsersNeedMap
from confmig.checking.rules.rows.value_empty import ValueEmpty
from confmig.checking.rules.rule import RowRule, Rule, SchemaRule
from confmig.checking.rules.schema import (
    column_missing,
    column_name_case,
    column_twice,
    date_mode_ignored,
    dependency_missing,
    etc_missing,
    file_setting,
    filter_wrong,
    key_undeclared,
    lookup_untyped,
    never_moved,
    order_unknown,
    relationship_incomplete,
    schema_missing,
    schema_refused,
    table_missing,
    table_name_case,
    table_not_imported,
    table_twice,
    type_spelling,
    type_unknown,
)

MOVING_RULES: tuple[SchemaRule, ...] = (table_missing, never_moved)
"""Whether there is anything to move, and nothing that must not be: asked before every move."""

COMPLETENESS_RULES: tuple[SchemaRule, ...] = (
    dependency_missing,
    column_missing,
    key_undeclared,
    type_unknown,
    *MOVING_RULES,
)
"""What makes a schema incomplete, whoever imports by it."""

SCHEMA_RULES: tuple[SchemaRule, ...] = (
    schema_missing,
    *COMPLETENESS_RULES,
    type_spelling,
    table_name_case,
    column_name_case,
    table_twice,
    column_twice,
    order_unknown,
    lookup_untyped,
    date_mode_ignored,
    table_not_imported,
    file_setting,
    relationship_incomplete,
    etc_missing,
)
"""All that is asked about a schema."""

READERS_RULES = (schema_refused, filter_wrong)
"""Rules that the readers of schemas and of filters apply themselves."""

ROW_RULES: tuple[type[RowRule], ...] = (
    TimestampWrong,
    TimestampMissing,
    TableUndeclared,
    ColumnUndeclared,
    IdTwice,
    IdDiffers,
    IdMissing,
    KeyAbsent,
    GuidWrong,
    ColumnRepeated,
    LookupIncomplete,
    LookupTarget,
    LookupCase,
    LookupDangling,
    NoteParent,
    RelationshipUndeclared,
    PairTarget,
    PairIdColumn,
    PairDangling,
    KeyShared,
    NameShared,
    KeyWildcard,
    BoolMisread,
    NumberDropped,
    DecimalWrong,
    DateWrong,
    ChoicesDropped,
    BigintDropped,
    ImageWrong,
    FileMissing,
    PartyIncomplete,
    ValueEmpty,
    StateHalf,
    UsersNeedMap,
    NewId,
)
"""All that is asked about the rows of a package."""


def all_rules() -> Iterator[tuple[Rule, str]]:
    """Every rule, with what it finds in words."""
    for module in SCHEMA_RULES:
        yield module.RULE, module.__doc__ or ""
    for reader in READERS_RULES:
        yield reader.RULE, reader.__doc__ or ""
    for kind in ROW_RULES:
        yield kind.rule, sys.modules[kind.__module__].__doc__ or ""
