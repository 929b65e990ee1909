"""Faults on purpose: which requests they strike, told in a small language and decided by a seed.

``drop-after:every=7,method=POST,path=CreateMultiple,times=2``: a kind, and settings that narrow it down. One of
``rate`` (a share of the requests), ``every`` (each n-th of them) and ``nth`` (only the n-th) says how often, and
without any it strikes each time; ``times`` ends it. The same seed strikes the same requests of the same sequence.
"""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from confmig.emulator.errors import EmulatorStartError, ServiceError
from confmig.emulator.http.limits import Limits, limit_error
from confmig.emulator.http.settings import count, duration, settings_of, share
from confmig.emulator.wire.wire import Reply

_OPTION = "--fault"
_THROTTLED = {"429-requests": "requests", "429-execution": "execution", "429-concurrent": "concurrent"}
_GATEWAY = {"502": "Bad Gateway", "503": "Service Unavailable", "504": "Gateway Timeout"}
# What becomes of the connection, once the request is worked on or before.
DROP_BEFORE, DROP_AFTER, TRUNCATE, SLOW, EXPIRED = "drop-before", "drop-after", "truncate", "slow", "expired-token"
_ON_REQUESTS = ("429", *_THROTTLED, *_GATEWAY, EXPIRED, DROP_BEFORE, DROP_AFTER, TRUNCATE, SLOW)
STALE = "stale-metadata"
_ON_PARTS = ("deadlock", "sql-timeout", "plugin", STALE)
KINDS = (*_ON_REQUESTS, *_ON_PARTS)
_RETRY_AFTER = 1.0
_SLOW_SECONDS = 10.0


@dataclass(frozen=True)
class FaultRule:
    """Which requests a fault strikes.

    Attributes:
        kind: What happens; one of ``KINDS``.
        rate: Share of the requests.
        every: Each n-th request.
        nth: Only the n-th request.
        times: How often at most.
        method: Only requests of this method.
        path: Only requests whose path below the service's root contains this.
        retry_after: Seconds of the header of that name, where there is one.
        seconds: How long the body of a slow answer takes.
    """

    kind: str
    rate: float | None = None
    every: int | None = None
    nth: int | None = None
    times: int | None = None
    method: str = ""
    path: str = ""
    retry_after: float | None = None
    seconds: float = _SLOW_SECONDS

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``KIND`` or ``KIND:name=value,…``.

        Raises:
            EmulatorStartError: It cannot be read.
        """
        kind, _, rest = text.partition(":")
        if kind not in KINDS:
            raise EmulatorStartError(f"{_OPTION} {text}: {kind!r} is no kind of fault; there are {', '.join(KINDS)}")
        names = ("rate", "every", "nth", "times", "method", "path", "retry-after", "seconds")
        given = settings_of(_OPTION, rest, names)
        if len(given.keys() & {"rate", "every", "nth"}) > 1:
            raise EmulatorStartError(f"{_OPTION} {text}: only one of rate, every and nth says how often")
        return cls(
            kind,
            rate=share(_OPTION, given["rate"]) if "rate" in given else None,
            every=count(_OPTION, given["every"]) if "every" in given else None,
            nth=count(_OPTION, given["nth"]) if "nth" in given else None,
            times=count(_OPTION, given["times"]) if "times" in given else None,
            method=given.get("method", "").upper(),
            path=given.get("path", ""),
            retry_after=duration(_OPTION, given["retry-after"]) if "retry-after" in given else None,
            seconds=duration(_OPTION, given["seconds"]) if "seconds" in given else _SLOW_SECONDS,
        )


class Fault:
    """A rule at work: it counts the requests that it could strike."""

    def __init__(self, rule: FaultRule, chance: random.Random) -> None:
        self.rule = rule
        self._chance = chance
        self._seen = 0
        self._struck = 0

    def strikes(self, method: str, path: str) -> bool:
        """Whether it strikes this request; to ask is to count it."""
        rule = self.rule
        if (rule.method and rule.method != method) or rule.path not in path:
            return False
        if rule.times is not None and self._struck >= rule.times:
            return False
        self._seen += 1
        if rule.rate is not None:
            struck = self._chance.random() < rule.rate
        elif rule.every is not None:
            struck = self._seen % rule.every == 0
        else:
            struck = rule.nth is None or self._seen == rule.nth
        self._struck += struck
        return struck

    def throttling(self, limits: Limits) -> ServiceError | None:
        """The error of a fault that claims that a limit is exceeded; of a plain 429 each limit in turn."""
        kind = self.rule.kind
        in_turn = tuple(_THROTTLED.values())[(self._struck - 1) % len(_THROTTLED)]
        limit = in_turn if kind == "429" else _THROTTLED.get(kind)
        return None if limit is None else limit_error(limit, limits, self.rule.retry_after or _RETRY_AFTER)

    def gateway_page(self) -> Reply | None:
        """The answer that a gateway gives in the service's place, which is no JSON."""
        reason = _GATEWAY.get(self.rule.kind)
        if reason is None:
            return None
        body = f"<html><head><title>{reason}</title></head><body><h2>{self.rule.kind} - {reason}</h2></body></html>"
        headers = {"Content-Type": "text/html"}
        if self.rule.retry_after is not None:
            headers["Retry-After"] = str(math.ceil(self.rule.retry_after))
        return Reply(int(self.rule.kind), body.encode(), headers)


class Faults:
    """The faults of an environment; of several that could strike a request, the first one does.

    Args:
        rules: Their rules.
        seed: Decides whom those with a rate strike.

    Attributes:
        struck: The kind of the last fault that struck the work of a request; whoever reads it makes it None again.
    """

    def __init__(self, rules: Sequence[FaultRule], seed: int) -> None:
        self.struck: str | None = None
        faults = [Fault(rule, random.Random(f"{seed}:{place}")) for place, rule in enumerate(rules)]  # noqa: S311 (no secret)
        self._requests = [fault for fault in faults if fault.rule.kind in _ON_REQUESTS]
        self._parts = [fault for fault in faults if fault.rule.kind in _ON_PARTS]

    def of_request(self, method: str, path: str) -> Fault | None:
        """The fault that strikes a request as a whole."""
        return next((fault for fault in self._requests if fault.strikes(method, path)), None)

    def check_part(self, method: str, path: str) -> bool:
        """Strike the work of one request, whether it came alone or in a batch.

        Returns:
            Whether the request shall be answered by stale metadata.

        Raises:
            ServiceError: It fails; nothing of it was done.
        """
        struck = next((fault for fault in self._parts if fault.strikes(method, path)), None)
        if struck is None:
            return False
        self.struck = struck.rule.kind
        if struck.rule.kind != STALE:
            raise _failed_work(struck.rule.kind)
        return True


def object_gone() -> ServiceError:
    """The database lacks what stale metadata still name: SQL Server's error 208, with its number as in other errors."""
    return ServiceError(
        500,
        "0x80044150",
        "Sql error: Generic SQL error. CRM ErrorCode: -2147204784 Sql ErrorCode: -2146232060 Sql Number: 208",
    )


def _failed_work(kind: str) -> ServiceError:
    """What goes wrong in the database or in a plug-in.

    The texts are those of live services, where the number of SQL Server's error says what it was: 1205 a deadlock
    (https://learn.microsoft.com/sql/relational-databases/errors-events/mssqlserver-1205-database-engine-error), -2 a
    timeout (https://learn.microsoft.com/troubleshoot/power-platform/dataverse/bulk-deleting-data/bulk-operation-errors).
    [inferred] That the text of a deadlock stands in the message, too.
    """
    if kind == "deadlock":
        return ServiceError(
            500,
            "0x80044150",
            "Sql error: Generic SQL error. CRM ErrorCode: -2147204784 Sql ErrorCode: -2146232060 Sql Number: 1205 "
            "Transaction (Process ID 64) was deadlocked on lock resources with another process and has been chosen as "
            "the deadlock victim. Rerun the transaction.",
        )
    if kind == "sql-timeout":
        return ServiceError(
            500,
            "0x80044151",
            "Sql error: SQL timeout expired. CRM ErrorCode: -2147204783 Sql ErrorCode: -2146232060 Sql Number: -2",
        )
    return ServiceError(400, "0x80040265", "A plug-in of this environment refused the request.")
