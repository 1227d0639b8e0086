"""Links and texts that somebody hostile would send, made from tables. `own` is the host that we talk to."""

from __future__ import annotations

import random
from collections.abc import Iterator

PATH = "/subscriptions/s/resourcegroups?api-version=2024-11-01&$skiptoken=x"
HOSTS = (
    "evil.example", "169.254.169.254", "[fd00:ec2::254]", "[::1]", "[::ffff:169.254.169.254]", "0.0.0.0", "0",
    "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "127.0.0.1.nip.io", "metadata.google.internal", "10.0.0.1",
    "xn--mnagement-t9a.azure.com", "mаnagement.azure.com", "management.azure.com.evil.example",
    "management.azure.com@evil.example", "management.azure.com:443@evil.example", "evil.example%00.azure.com",
    "evil.example.", "EVIL.example", "login.microsoftonline.com", "rp-westeurope.eventgrid.azure.net:553",
    "storage.blob.core.windows.net", "management.chinacloudapi.cn", "management.azure.com%2eevil.example",
    "evil.example%23", "①②⑦.⓪.⓪.①", "evil。example", "[::1]%25lo", "localhost.evil.example", "evil.example:443",
    "evil.example:99999", "evil.example:-1", "user:pass@evil.example", "evil.example:0443",
    "%65vil.example", "[", "[::1", "]", "", " ", "..",
)  # fmt: skip
SCHEMES = ("https", "http", "HTTPS", "ftp", "file", "gopher")
# Around our own host: what a lax parser takes for it.
AROUND = (
    "https://{own}@evil.example", "https://evil.example@{own}", "https://{own}.evil.example",
    "https://evil.example/{own}", "https://evil.example?{own}", "https://evil.example#@{own}",
    "https://{own}\\@evil.example", "https://{own}\\.evil.example", "https:\\\\evil.example", "//evil.example",
    "///evil.example", "/\\evil.example", "https:///evil.example", "https:/evil.example", "https:evil.example",
    "http://{own}", "https://{host}", "https://{host}:1", "https://{host}:443", "https://{own}0", "https://{own}:80",
    "https://{own}%40evil.example", "https://{own}%2f@evil.example", "https://{own}\t@evil.example",
    "https://{own}\r\n@evil.example", "https://evil.example\r\nHost: {own}", "https://{own} @evil.example",
    " https://evil.example", "\thttps://evil.example", "https://user@{own}", "https://:@{own}", "https://@{own}",
    "https://{own}:", "data:application/json,{{}}", "javascript:alert(1)", "wss://{own}", "jar:https://evil.example!/",
    "unix:///var/run/docker.sock", "https+unix://%2Fvar%2Frun", "\\\\evil.example\\share", "https://{own}。evil.example",
)  # fmt: skip


def links(own: str) -> list[str]:
    """More than three hundred links, none of which leads to our own host as we reach it."""
    host = own.partition(":")[0]
    plain = [f"{scheme}://{there}{PATH}" for there in HOSTS for scheme in SCHEMES]
    around = [shape.format(own=own, host=host) + PATH for shape in AROUND]
    injected = [
        f"https://evil.example{PATH}{tail}" for tail in ("\r\nX: y", "\n\n", "\x00", "\u2028", "#", "%0d%0aX: y")
    ]
    return [*plain, *around, *injected]


PIECES = (
    "'", '"', "''", "\\", "\\'", "|", "||", ";", "--", "/*", "*/", "//", "\n", "\r\n", "\r", "\t", "\x00", "\x1b[31m",
    "\x7f", "\x85", "\u2028", "\u2029", "\u202e", "\ufeff", "﹨", "＇", "😀", "\U0010ffff", "=cmd|' /C calc'!A0",
    "+1", "-1", "@SUM(1)", "<script>alert(1)</script>", "</td>", "{{7*7}}", "${7*7}", "%s", "%(x)s", "{0}", "%00", "#",
    "?", "/", "..", " or 1 eq 1", "' or '1' eq '1", "') | project *", "| take 1", "datatable(x:int)[1]", "a", "B", "7",
    " ", "ß", "İ", "tb-", "\ud7ff", "`", "$(id)", "&lt;", "\\u0027", "\b", "level=error", 'event.told type="x"',
)  # fmt: skip


def texts(count: int, seed: int = 7) -> Iterator[str]:
    """Texts of one to twelve pieces, the same ones for the same seed."""
    chance = random.Random(seed)
    for _ in range(count):
        yield "".join(chance.choices(PIECES, k=chance.randint(1, 12)))
