"""aiohttp, imported without the certificates of the machine.

It reads them twice while it is imported, a fifth of a second for contexts that nothing here uses: the simulator serves
with its own certificate, and the courier does not verify webhooks. Imported by server.py and courier.py.
"""

import os

_FILE = "SSL_CERT_FILE"
_before = os.environ.get(_FILE)
os.environ[_FILE] = os.devnull
try:
    import aiohttp
    from aiohttp import web
finally:
    if _before is None:
        del os.environ[_FILE]
    else:
        os.environ[_FILE] = _before

__all__ = ["aiohttp", "web"]
