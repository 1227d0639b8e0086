"""The way out of the process for the SDKs: what the environment says of proxies and authorities, read once.

By itself `requests` reads it anew with every call, at as much cost as the call. Used by arm.py and storage.py.
"""

from __future__ import annotations

import os
from urllib.request import getproxies

from azure.core.pipeline.transport import RequestsTransport


def transport(seconds_to_connect: int, seconds_to_answer: int) -> RequestsTransport:
    """A transport; behind a proxy the environment is still asked with every call, as each host may be excepted."""
    authorities = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE")
    return RequestsTransport(
        use_env_settings=bool(getproxies()),
        connection_verify=authorities or True,
        connection_timeout=seconds_to_connect,
        read_timeout=seconds_to_answer,
    )
