"""Activity parties: who sends, receives and attends an activity.

They are made with their activity and replaced as a whole:
https://learn.microsoft.com/power-apps/developer/data-platform/webapi/associate-disassociate-entities-using-web-api
"""

from confmig.emulator.errors import required_missing
from confmig.emulator.storage.store import Store, table_sql
from confmig.emulator.writing.payload import PARTIES, Body

_MASK = "participationtypemask"


def check_party(body: Body) -> None:
    """Refuse a party that does not say in which part it takes part; that the service does so is inferred.

    One that names no row is unresolved: it has an address only (``addressused``).

    Raises:
        ServiceError: The participation type is missing.
    """
    if body.get(_MASK) is None:
        raise required_missing(_MASK)


def remove_parties(store: Store, activity_id: str) -> None:
    """Remove the parties of an activity."""
    store.query(f'DELETE FROM {table_sql(PARTIES)} WHERE "activityid" = ?', (activity_id,))  # noqa: S608 (constant names)
