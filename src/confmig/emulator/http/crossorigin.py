"""Cross-origin requests of pages in a browser, as far as they come from this machine.

The service allows them to any page, since each needs a token
(https://learn.microsoft.com/power-apps/developer/data-platform/oauth-cross-origin-resource-sharing-connect-single-page-application).
The emulator takes any token by default, so that it answers only pages that are served from this machine themselves.
"""

import re

_ALLOW = "OPTIONS,GET,HEAD,POST,PATCH,PUT,DELETE"
_LOCAL = re.compile(r"https?://(localhost|127\.0\.0\.1|\[::1\])(:[0-9]+)?")
_EXPOSED = (
    "Preference-Applied,OData-EntityId,Location,ETag,OData-Version,Content-Encoding,Transfer-Encoding,Content-Length,"
    "Retry-After,REQ_ID,x-ms-service-request-id,x-ms-dop-hint"
)


def origin_headers(request: dict[str, str]) -> dict[str, str]:
    """What lets a page read an answer; nothing for pages from elsewhere.

    Args:
        request: The request's headers.
    """
    origin = request.get("origin", "")
    if not _LOCAL.fullmatch(origin):
        return {}
    return {"Access-Control-Allow-Origin": origin, "Access-Control-Expose-Headers": _EXPOSED, "Vary": "Origin"}


def options_headers(request: dict[str, str]) -> dict[str, str]:
    """The answer to OPTIONS: the methods, and for a page's question what it may send."""
    headers = {"Allow": _ALLOW}
    allowed = origin_headers(request)
    if allowed and "access-control-request-method" in request:
        headers |= {
            "Access-Control-Allow-Methods": _ALLOW,
            "Access-Control-Allow-Headers": request.get("access-control-request-headers", ""),
            "Access-Control-Max-Age": "3600",
        }
    return headers | allowed
