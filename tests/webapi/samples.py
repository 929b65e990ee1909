"""Tables for the tests of pure functions, written out as the metadata would give them."""

from confmig.model.environment import ColumnInfo, TableInfo
from confmig.model.values import ColumnType
from confmig.webapi.metadata import WireTable

COLUMNS = (
    ColumnInfo("contactid", ColumnType.GUID, updatable=False),
    ColumnInfo("fullname", ColumnType.STRING),
    ColumnInfo("parentcustomerid", ColumnType.LOOKUP, ("account", "contact")),
    ColumnInfo("new_accountid", ColumnType.LOOKUP, ("account",)),
    ColumnInfo("ownerid", ColumnType.OWNER, ("systemuser", "team")),
    ColumnInfo("creditlimit", ColumnType.MONEY),
    ColumnInfo("new_rate", ColumnType.DECIMAL),
    ColumnInfo("new_ratio", ColumnType.FLOAT),
    ColumnInfo("new_count", ColumnType.NUMBER),
    ColumnInfo("versionnumber", ColumnType.BIGINT),
    ColumnInfo("donotemail", ColumnType.BOOL),
    ColumnInfo("gendercode", ColumnType.CHOICE),
    ColumnInfo("new_tastes", ColumnType.CHOICES),
    ColumnInfo("statecode", ColumnType.STATE),
    ColumnInfo("statuscode", ColumnType.STATUS),
    ColumnInfo("lastonholdtime", ColumnType.DATETIME),
    ColumnInfo("new_local", ColumnType.DATETIME, zoned=False),
    ColumnInfo("birthdate", ColumnType.DATETIME, date_only=True, zoned=False),
    ColumnInfo("new_code", ColumnType.GUID),
    ColumnInfo("entityimage", ColumnType.IMAGE),
    ColumnInfo("new_paper", ColumnType.FILE),
)

CONTACT = WireTable(
    TableInfo("contact", "contactid", "fullname", {column.name: column for column in COLUMNS}),
    "contacts",
    {
        ("parentcustomerid", "account"): "parentcustomerid_account",
        ("parentcustomerid", "contact"): "parentcustomerid_contact",
        ("new_accountid", "account"): "new_AccountId",
        ("ownerid", "owner"): "ownerid",
    },
)

EMAIL = WireTable(
    TableInfo(
        "email",
        "activityid",
        "subject",
        {
            column.name: column
            for column in (
                ColumnInfo("activityid", ColumnType.GUID),
                ColumnInfo("subject", ColumnType.STRING),
                ColumnInfo("regardingobjectid", ColumnType.LOOKUP, ("account", "contact")),
                ColumnInfo("from", ColumnType.PARTIES),
                ColumnInfo("to", ColumnType.PARTIES),
                ColumnInfo("cc", ColumnType.PARTIES),
            )
        },
    ),
    "emails",
    {("regardingobjectid", "account"): "regardingobjectid_account_email"},
)

SETS = {"account": "accounts", "contact": "contacts", "systemuser": "systemusers", "team": "teams", "queue": "queues"}


def column(name: str) -> ColumnInfo:
    """A column of the contact."""
    return CONTACT.info.columns[name]
