"""Media types that schemathesis cannot write by itself; tools/openapi_check.py names this module to it."""

import schemathesis


@schemathesis.serializer("application/x-ndjson")
def ndjson(context, value):
    """A drawn text is the body."""
    return value if isinstance(value, bytes) else str(value).encode()
