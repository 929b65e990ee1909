"""The tables as metadata describes them, and the requests that change them."""
