"""The names that Windows gives time zones: policies of Azure Backup know no others.

Source: Unicode CLDR, supplemental/windowsZones, the zones in which Azure has regions and their neighbours. A zone that
is missing here is refused when the plans are loaded, so that nothing runs by a wrong clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

_IANA_BY_WINDOWS = {
    "UTC": "UTC Etc/UTC Etc/GMT",
    "GMT Standard Time": "Europe/London Europe/Dublin Europe/Lisbon",
    "Greenwich Standard Time": "Atlantic/Reykjavik Africa/Abidjan Africa/Accra",
    "W. Europe Standard Time": (
        "Europe/Berlin Europe/Amsterdam Europe/Rome Europe/Vienna Europe/Zurich Europe/Stockholm Europe/Oslo "
        "Europe/Luxembourg Europe/Busingen"
    ),
    "Romance Standard Time": "Europe/Paris Europe/Madrid Europe/Brussels Europe/Copenhagen",
    "Central Europe Standard Time": "Europe/Budapest Europe/Prague Europe/Bratislava Europe/Ljubljana Europe/Belgrade",
    "Central European Standard Time": "Europe/Warsaw Europe/Zagreb Europe/Sarajevo Europe/Skopje",
    "GTB Standard Time": "Europe/Bucharest Europe/Athens",
    "FLE Standard Time": (
        "Europe/Kiev Europe/Kyiv Europe/Helsinki Europe/Sofia Europe/Riga Europe/Tallinn Europe/Vilnius"
    ),
    "Turkey Standard Time": "Europe/Istanbul",
    "Russian Standard Time": "Europe/Moscow",
    "Israel Standard Time": "Asia/Jerusalem",
    "Arab Standard Time": "Asia/Riyadh Asia/Kuwait Asia/Bahrain",
    "Arabian Standard Time": "Asia/Dubai Asia/Muscat",
    "Egypt Standard Time": "Africa/Cairo",
    "South Africa Standard Time": "Africa/Johannesburg Africa/Harare",
    "E. Africa Standard Time": "Africa/Nairobi",
    "W. Central Africa Standard Time": "Africa/Lagos Africa/Algiers",
    "Pakistan Standard Time": "Asia/Karachi",
    "India Standard Time": "Asia/Kolkata Asia/Calcutta",
    "Bangladesh Standard Time": "Asia/Dhaka",
    "SE Asia Standard Time": "Asia/Bangkok Asia/Jakarta Asia/Ho_Chi_Minh",
    "China Standard Time": "Asia/Shanghai Asia/Hong_Kong",
    "Singapore Standard Time": "Asia/Singapore Asia/Kuala_Lumpur Asia/Manila",
    "Taipei Standard Time": "Asia/Taipei",
    "W. Australia Standard Time": "Australia/Perth",
    "Tokyo Standard Time": "Asia/Tokyo",
    "Korea Standard Time": "Asia/Seoul",
    "Cen. Australia Standard Time": "Australia/Adelaide",
    "AUS Central Standard Time": "Australia/Darwin",
    "E. Australia Standard Time": "Australia/Brisbane",
    "AUS Eastern Standard Time": "Australia/Sydney Australia/Melbourne Australia/Canberra",
    "Tasmania Standard Time": "Australia/Hobart",
    "New Zealand Standard Time": "Pacific/Auckland",
    "Hawaiian Standard Time": "Pacific/Honolulu",
    "Alaskan Standard Time": "America/Anchorage",
    "Pacific Standard Time": "America/Los_Angeles America/Vancouver",
    "US Mountain Standard Time": "America/Phoenix",
    "Mountain Standard Time": "America/Denver America/Edmonton",
    "Central Standard Time": "America/Chicago America/Winnipeg",
    "Central Standard Time (Mexico)": "America/Mexico_City",
    "Canada Central Standard Time": "America/Regina",
    "Eastern Standard Time": "America/New_York America/Toronto America/Detroit",
    "SA Pacific Standard Time": "America/Bogota America/Lima America/Panama",
    "Atlantic Standard Time": "America/Halifax",
    "Newfoundland Standard Time": "America/St_Johns",
    "Pacific SA Standard Time": "America/Santiago",
    "Argentina Standard Time": "America/Buenos_Aires America/Argentina/Buenos_Aires",
    "E. South America Standard Time": "America/Sao_Paulo",
}
WINDOWS_NAMES: Mapping[str, str] = MappingProxyType(
    {zone: windows for windows, zones in _IANA_BY_WINDOWS.items() for zone in zones.split()}
)
"""The Windows name of every IANA zone that is known here."""
