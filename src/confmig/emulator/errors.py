"""What can go wrong: at start-up (for the person who starts it) and on the wire (for the client).

The texts, codes and statuses on the wire are those Microsoft documents for the Dataverse Web API
(https://learn.microsoft.com/power-apps/developer/data-platform/webapi/compose-http-requests-handle-errors).
"""

from collections.abc import Mapping


class EmulatorStartError(Exception):
    """The emulator cannot start: a definition, an option or the store is wrong."""


class PackageFileError(Exception):
    """The data package or schema file that shall be served cannot be read."""


class ServiceError(Exception):
    """An answer of the service that is an error: its HTTP status, its code, its sentence, and headers of its own."""

    def __init__(self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.headers = dict(headers or {})
        self.status = status
        self.code = code
        self.message = message


_HELP = "https://go.microsoft.com/fwlink/?linkid=2195293"


def unexpected() -> ServiceError:
    """UnExpected: a fault of the emulator itself."""
    return ServiceError(500, "0x80040216", "An unexpected error occurred.")


def row_missing(table: str, row_id: str) -> ServiceError:
    """ObjectDoesNotExist."""
    return ServiceError(404, "0x80040217", f"Entity '{table}' With Id = {row_id} Does Not Exist")


def key_row_missing(table: str) -> ServiceError:
    """No row has the given alternate key."""
    return ServiceError(404, "0x80060891", f"A record with the specified key values does not exist in {table} entity")


def duplicate_row() -> ServiceError:
    """DuplicateRecord: the id, or the pair of an N:N relationship, is there already."""
    return ServiceError(412, "0x80040237", "A record with matching key values already exists.")


def key_violated(key: str, columns: str) -> ServiceError:
    """Another row has the same values in an alternate key."""
    return ServiceError(
        412,
        "0x80060892",
        f"Entity Key {key} violated. A record with the same value for {columns} already exists. "
        "A duplicate record cannot be created. Select one or more unique values and try again.",
    )


def duplicate_found() -> ServiceError:
    """A published rule of duplicate detection finds another row."""
    return ServiceError(
        412,
        "0x80040333",
        "A record was not created or updated because a duplicate of the current record already exists.",
    )


def delete_restricted() -> ServiceError:
    """CannotDeleteDueToAssociation."""
    return ServiceError(
        405,
        "0x80040227",
        "The object you tried to delete is associated with another object and cannot be deleted.",
    )


def lookup_direct() -> ServiceError:
    """A body writes the id of a lookup instead of its navigation property."""
    return ServiceError(
        400,
        "0x80060888",
        "CRM do not support direct update of Entity Reference properties, Use Navigation properties instead.",
    )


def not_supported(message: str, table: str) -> ServiceError:
    """A table that does not know a message."""
    return ServiceError(
        400,
        "0x80040800",
        f"The '{message}' method does not support entities of type '{table}'. MessageProcessorCache returned "
        "MessageProcessor.Empty.",
    )


def key_undefined(table: str) -> ServiceError:
    """The key in the URL is neither the primary key nor a defined alternate key."""
    return ServiceError(
        400,
        "0x80060888",
        f"The key in the request URI is not valid for resource 'Microsoft.Dynamics.CRM.{table}'. Ensure that the names "
        "and number of key properties match the declared or alternate key properties for the resource "
        f"'Microsoft.Dynamics.CRM.{table}'.",
    )


def segment_missing(name: str) -> ServiceError:
    """An entity set, function or navigation of the URL is unknown."""
    return ServiceError(404, "0x80060888", f"Resource not found for the segment '{name}'.")


def no_resource(uri: str) -> ServiceError:
    """A function called with the wrong method."""
    return ServiceError(404, "", f"No HTTP resource was found that matches the request URI '{uri}'.")


def property_missing(name: str, table: str) -> ServiceError:
    """A query names a property that the table does not have; names are case-sensitive."""
    return ServiceError(
        400, "0x80060888", f"Could not find a property named '{name}' on type 'Microsoft.Dynamics.CRM.{table}'."
    )


def body_property_unknown(name: str, table: str) -> ServiceError:
    """A body names a property that the table does not have."""
    return ServiceError(
        400,
        "0x80048d19",
        f"Invalid property '{name}' was found in entity 'Microsoft.Dynamics.CRM.{table}'. ---> "
        "Microsoft.OData.ODataException: Does not support untyped value in non-open type.",
    )


def payload_error(entity_set: str, inner: str) -> ServiceError:
    """The general form of an error in a body."""
    return ServiceError(
        400,
        "0x80048d19",
        f"Error identified in Payload provided by the user for Entity :'{entity_set}', For more information on this "
        f"error please follow this help link {_HELP}  ---->  InnerException : Microsoft.OData.ODataException: {inner}",
    )


def navigation_unknown(entity_set: str, name: str) -> ServiceError:
    """A bind names a navigation property that the table does not have."""
    return payload_error(
        entity_set,
        f"An undeclared property '{name}' which only has property annotations in the payload but no property value was "
        "found in the payload. In OData, only declared navigation properties and declared named streams can be "
        "represented as properties without values.",
    )


def literal_error(entity_set: str, literal: object, edm: str) -> ServiceError:
    """A value of the wrong JSON type."""
    return payload_error(entity_set, f"Cannot convert the literal '{literal}' to the expected type 'Edm.{edm}'.")


def too_long(column: str, table: str, limit: int) -> ServiceError:
    """A text is longer than its column."""
    return ServiceError(
        400,
        "0x80044331",
        f"A validation error occurred.  The length of the '{column}' attribute of the '{table}' entity exceeded the "
        f"maximum allowed length of '{limit}'.",
    )


def outside_choices(value: int, column: str, table: str, accepted: str) -> ServiceError:
    """A choice value that the column does not offer."""
    return ServiceError(
        400,
        "0x8004431A",
        f"A validation error occurred. The value {value} of '{column}' on record of type '{table}' is outside the "
        f"valid range. Accepted Values: {accepted}",
    )


def number_outside(code: str, kind: str) -> ServiceError:
    """A number outside the range of its column."""
    return ServiceError(
        400, code, f"A validation error occurred. {kind} provided is outside of the allowed values for this attribute."
    )


def bad_date() -> ServiceError:
    """A date that cannot be read or is before 1753."""
    return ServiceError(400, "0x80040239", "The date-time format is invalid, or value is outside the supported range.")


def required_missing(column: str) -> ServiceError:
    """A column that may not be null is null."""
    return ServiceError(400, "0x80040200", f"Required field '{column}' is missing.")


def null_refused(column: str) -> ServiceError:
    """CannotBeNull: a body says null for a column that the service needs."""
    return ServiceError(400, "0x8004203E", f"One of the attributes passed cannot be NULL: '{column}'.")


def bad_status(status: int, state: str, table: str, row_id: str) -> ServiceError:
    """The status does not belong to the state."""
    return ServiceError(
        400, "0x80048408", f"{status} is not a valid status code for state code {state} on {table} with Id {row_id}"
    )


def bad_owner() -> ServiceError:
    """The owner is neither a user nor a team."""
    return ServiceError(400, "0x80040229", "The owner ID is invalid or missing.")


def loop() -> ServiceError:
    """A parental lookup that closes a circle."""
    return ServiceError(
        400, "0x80040387", "Creating this parental association would create a loop in this entity hierarchy."
    )


def version_mismatch() -> ServiceError:
    """If-Match names a version that the row no longer has."""
    return ServiceError(
        412,
        "0x80060882",
        "The version of the existing record doesn't match the RowVersion property provided.",
    )


def versions_disabled(table: str) -> ServiceError:
    """If-Match names a version, and the table has none."""
    return ServiceError(
        400,
        "0x8006088D",
        f"Optimistic concurrency isn't enabled for entity type {table}. The IfVersionMatches value of "
        "ConcurrencyBehavior can only be used if optimistic concurrency is enabled.",
    )


def intersect_read_only() -> ServiceError:
    """N:N tables are read through their set and written through $ref only."""
    return ServiceError(400, "0x8004830F", "The specified entity is intersect entity")


def bad_query(message: str) -> ServiceError:
    """A query option that cannot be understood."""
    return ServiceError(400, "0x80060888", message)


def bad_request(message: str) -> ServiceError:
    """A body that cannot be understood."""
    return ServiceError(400, "0x80048d19", message)


def invalid_argument(message: str = "Invalid argument.") -> ServiceError:
    """InvalidArgument."""
    return ServiceError(400, "0x80040203", message)


def too_many_links() -> ServiceError:
    """A query joins more tables than the service does."""
    return ServiceError(400, "0x8004430D", "Number of link entities in query exceeded maximum limit.")


def too_many_conditions() -> ServiceError:
    """A query with more than 500 conditions."""
    return ServiceError(
        400,
        "0x8004430C",
        "Number of conditions in query exceeded maximum limit. The maximum number of conditions is 500.",
    )


def fetch_entity_missing(name: str) -> ServiceError:
    """FetchXML names an unknown table."""
    return ServiceError(400, "0x80041102", f"The entity with a name = '{name}' was not found in the MetadataCache.")


def fetch_attribute_missing(table: str, name: str) -> ServiceError:
    """FetchXML names an unknown column."""
    return ServiceError(
        400,
        "0x80041103",
        f"'{table}' entity doesn't contain attribute with Name = '{name}' and NameMapping = 'Logical'",
    )


# Changes of the metadata. Names and texts, where no other source is named:
# https://learn.microsoft.com/power-apps/developer/data-platform/reference/web-service-error-codes


def wrong_prefix(name: str, kind: str) -> ServiceError:
    """InvalidNamePrefix: the name of a custom component lacks the prefix of a publisher."""
    return ServiceError(
        400,
        "0x80044366",
        f"The schema name {name} for type {kind} is invalid or missing.Custom attribute, entity, entitykey, option set "
        "and relationship names must start with a valid customization prefix.The prefix for a solution component "
        "should match the prefix that is specified for the publisher of the solution.",
    )


def name_taken(name: str, kind: str) -> ServiceError:
    """A table, a relationship, a key or a choice with this schema name is there.

    The text is that of https://github.com/ALM4Dataverse/Rnwood.Dataverse.Data.PowerShell/issues/1412.
    """
    return ServiceError(
        400,
        "0x80044363",
        f"The schema name {name} for type {kind} is not unique. An {kind} with same name already exists.",
    )


def column_taken(name: str, table: str) -> ServiceError:
    """DuplicateAttributeSchemaName; the documents leave the text open [inferred]."""
    return ServiceError(400, "0x80047013", f"Attribute {name} already exists for entity {table}.")


def navigation_taken(name: str) -> ServiceError:
    """Two relationships would have one navigation property.

    https://github.com/daryllabar/DLaB.Xrm.XrmToolBoxTools/issues/329
    """
    return ServiceError(400, "0x80072551", f"NavigationPropertyName {name} is not unique within an entity")


def component_in_use(kind: str, component_id: str, count: int) -> ServiceError:
    """CannotDeleteInUseComponent."""
    return ServiceError(
        400,
        "0x8004f01f",
        f"The {kind}({component_id}) component cannot be deleted because it is referenced by {count} other "
        "components. For a list of referenced components, use the RetrieveDependenciesForDeleteRequest.",
    )


def not_deletable(name: str, component_id: str) -> ServiceError:
    """CannotDeleteMetadata: a component of the platform."""
    return ServiceError(
        400,
        "0x8004f032",
        f"The 'Delete' operation on the current component(name='{name}', id='{component_id}') failed during managed "
        "property evaluation of condition: 'IsCustom'",
    )


def invalid_metadata(message: str) -> ServiceError:
    """InvalidMetadata, with the reason."""
    return ServiceError(400, "0x8004023a", message)


def option_set_wrong(message: str) -> ServiceError:
    """What an option set does not allow; the code is that which the service gives to wrong option sets of a column."""
    return ServiceError(400, "0x80048403", message)


def metadata_missing(kind: str, name: str) -> ServiceError:
    """A table, a column, a relationship, a key or a choice that is not there."""
    return ServiceError(404, "0x80060888", f"Could not find {kind} with the name or id '{name}'.")
