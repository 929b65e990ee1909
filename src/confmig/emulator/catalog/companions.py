"""Columns that come with others: the name of a file, the parts of an image, the currency of money."""

import msgspec

from confmig.emulator.catalog.model import Column


def companions(column: Column) -> list[Column]:
    """The columns that the service makes together with a column, all read-only.

    https://learn.microsoft.com/power-apps/developer/data-platform/image-column-data
    https://learn.microsoft.com/power-apps/maker/data-platform/types-of-fields#using-currency-columns
    """

    def made(suffix: str, kind: str, **more: object) -> Column:
        return Column(
            name=column.name + suffix,
            schema_name=(column.schema_name or column.name) + suffix,
            type=kind,
            custom=column.custom,
            can_create=False,
            can_update=False,
            attribute_of=column.name,
            **more,  # type: ignore[arg-type]
        )

    if column.type == "File":
        return [made("_name", "String", max_length=255)]
    if column.type == "Image":
        return [made("_timestamp", "BigInt"), made("_url", "String", max_length=200), made("id", "Uniqueidentifier")]
    if column.type == "Money":
        base = made("_base", "Money", precision=4, precision_source=2, calculation_of=column.name)
        return [msgspec.structs.replace(base, attribute_of=None, display_name=f"{column.display_name} (Base)")]
    return []


def money_companions() -> list[Column]:
    """The columns of a table whose rows have a currency."""
    return [
        Column(
            name="transactioncurrencyid",
            schema_name="TransactionCurrencyId",
            display_name="Currency",
            type="Lookup",
            targets=("transactioncurrency",),
        ),
        Column(
            name="exchangerate",
            schema_name="ExchangeRate",
            display_name="Exchange Rate",
            type="Decimal",
            precision=12,
            can_create=False,
            can_update=False,
        ),
    ]


def name_primary_image(columns: dict[str, Column]) -> None:
    """Let the first image of a table be its primary one when none is said to be, as it is for the service's makers."""
    images = [column for column in columns.values() if column.type == "Image"]
    if images and not any(column.primary_image for column in images):
        first = next((column for column in images if column.name == "entityimage"), images[0])
        columns[first.name] = msgspec.structs.replace(first, primary_image=True)
