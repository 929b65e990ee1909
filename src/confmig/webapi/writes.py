"""Writing rows and associations: bulk messages where a table has them, $batch elsewhere.

A bulk message on a standard table is carried out wholly or not at all, and its error names no row
(learn.microsoft.com, "Use bulk operation messages"); so a refused one is split until the failing rows stand alone.

Done is only what was answered as the service answers it: a page with which a proxy says 200 tells nothing.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from confmig.errors import LostAnswerError, ServiceError
from confmig.webapi.batching import MAX_PARTS, Part, batch_request, batch_responses
from confmig.webapi.replies import DUPLICATE_RECORD, Json, ServiceFault, decode_json, encode_json, error_of, fault_of
from confmig.webapi.sender import Request, Response, Sender

_JSON = {"Accept": "application/json", "OData-Version": "4.0", "OData-MaxVersion": "4.0"}
JSON_BODY = {**_JSON, "Content-Type": "application/json; charset=utf-8"}


_ALONE = 25
"""A refused bulk request of at most so many rows is not split any further: its rows are sent one by one, in a batch."""

Singly = Callable[[Json], Part]


class WriteStatus(StrEnum):
    """What became of one write."""

    DONE = "done"
    REFUSED = "refused"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class WriteResult:
    """What became of one write: ``fault`` says why it was refused; of a lost one nobody knows whether it was done."""

    status: WriteStatus
    fault: ServiceFault | None = None


DONE = WriteResult(WriteStatus.DONE)
LOST = WriteResult(WriteStatus.LOST)


class Writer:
    """Writes to one environment; ``api`` is the API's root URL with a slash at its end."""

    def __init__(self, sender: Sender, api: str) -> None:
        self._sender = sender
        self._api = api

    def bulk(
        self, message: str, table: str, entity_set: str, bodies: Sequence[Json], singly: Singly
    ) -> list[WriteResult]:
        """Write rows by ``CreateMultiple`` or ``UpdateMultiple``; one result a row, in their order.

        ``singly`` turns a body into the request that writes this row alone.

        Raises:
            ServiceError: The environment did not answer properly.
        """
        url = f"{self._api}{entity_set}/Microsoft.Dynamics.CRM.{message}"
        targets = [{"@odata.type": f"Microsoft.Dynamics.CRM.{table}", **body} for body in bodies]
        if not bodies:
            return []
        request = Request("POST", url, JSON_BODY, encode_json({"Targets": targets}), repeatable=False)
        try:
            response = self._sender.send(request)
        except LostAnswerError:
            return [LOST] * len(bodies)
        if response.status < 300:
            return [DONE if _tells_of(message, len(bodies), response) else LOST] * len(bodies)
        fault = fault_of(response)
        if fault.denies_table:
            return [WriteResult(WriteStatus.REFUSED, fault)] * len(bodies)
        if response.status in {429, 503}:
            raise error_of(fault, f"Writing {table}")  # still busy after all attempts; nothing was carried out
        if is_unclear(response):
            return [LOST] * len(bodies)
        if len(bodies) <= _ALONE:
            return self.batch([singly(body) for body in bodies])
        half = len(bodies) // 2
        first = self.bulk(message, table, entity_set, bodies[:half], singly)
        return first + self.bulk(message, table, entity_set, bodies[half:], singly)

    def batch(self, parts: Sequence[Part], *, repeatable: bool = False) -> list[WriteResult]:
        """Write by single requests carried in batches; one result a part, in their order.

        ``repeatable`` parts are sent again when no answer came. An update is not one of them: by then somebody else
        may have written to the row, so it is read back instead.
        """
        results: list[WriteResult] = []
        for start in range(0, len(parts), MAX_PARTS):
            results += self._batch(parts[start : start + MAX_PARTS], repeatable=repeatable)
        return results

    def _batch(self, parts: Sequence[Part], *, repeatable: bool) -> list[WriteResult]:
        try:
            response = self._sender.send(batch_request(self._api, parts, _JSON, repeatable=repeatable))
        except LostAnswerError:
            return [LOST] * len(parts)
        if response.status < 300:
            try:
                return [_part_result(answer) for answer in batch_responses(response, len(parts))]
            except ServiceError:
                return [LOST] * len(parts)  # something was done, but not told so that it can be understood
        fault = fault_of(response)
        if response.status in {429, 503} or fault.denies_table:
            raise error_of(fault, "Writing a batch")
        if is_unclear(response):
            return [LOST] * len(parts)
        if len(parts) == 1:
            return [WriteResult(WriteStatus.REFUSED, fault)]
        half = len(parts) // 2
        return self._batch(parts[:half], repeatable=repeatable) + self._batch(parts[half:], repeatable=repeatable)


def is_unclear(response: Response) -> bool:
    """Whether a refusal leaves open what was done: something else answered in the service's place."""
    return response.status >= 500 and not fault_of(response).code


def _tells_of(message: str, rows: int, response: Response) -> bool:
    """Whether an answer is the one that a bulk message gives when it was carried out."""
    if message != "CreateMultiple":
        return is_empty(response)
    try:
        ids = decode_json(response.body, message).get("Ids")
    except ServiceError:
        return False
    return response.status == 200 and isinstance(ids, list) and len(ids) == rows


def is_empty(response: Response) -> bool:
    """Whether an answer is that of a write that was carried out: 204, and nothing else in it."""
    return response.status in {200, 201, 204} and not response.body


def _part_result(response: Response) -> WriteResult:
    if response.status < 300:
        return DONE if is_empty(response) else LOST
    return WriteResult(WriteStatus.REFUSED, fault_of(response))


def create_part(entity_set: str, body: Json) -> Part:
    """Create one row."""
    return Part("POST", entity_set, encode_json(body))


def update_part(entity_set: str, row_id: str, body: Json) -> Part:
    """Update one row that must exist: without If-Match a PATCH would create it."""
    return Part("PATCH", f"{entity_set}({row_id})", encode_json(body), (("If-Match", "*"),))


def replace_parties_part(entity_set: str, row_id: str, navigation: str, parties: object) -> Part:
    """Replace all parties of an activity."""
    return Part("PUT", f"{entity_set}({row_id})/{navigation}", encode_json({"value": parties}))


def associate_part(api: str, entity_set: str, source: str, navigation: str, target_set: str, target: str) -> Part:
    """Associate two rows."""
    body = encode_json({"@odata.id": f"{api}{target_set}({target})"})
    return Part("POST", f"{entity_set}({source})/{navigation}/$ref", body)


def associated(result: WriteResult) -> WriteResult:
    """The result of an association: one that existed already is as good as done."""
    if result.fault and result.fault.code.lower() == DUPLICATE_RECORD.lower():
        return DONE
    return result
