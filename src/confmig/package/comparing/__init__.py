"""How two packages differ: in their schemas, and table by table, row by row, column by column."""

from confmig.package.comparing.differences import Difference, Kind
from confmig.package.comparing.packages import compare_packages
from confmig.package.comparing.schemas import compare_schemas

__all__ = ["Difference", "Kind", "compare_packages", "compare_schemas"]
