"""Offsets of Windows time zones, as backup policies name them: standard time only, all year (documented: no shift for
daylight saving). Used by backup_schedule.py. Pure.
"""

_TABLE = """
-12:00 Dateline Standard Time
-11:00 UTC-11
-10:00 Hawaiian Standard Time
-09:00 Alaskan Standard Time
-08:00 Pacific Standard Time; UTC-08; Pacific Standard Time (Mexico)
-07:00 Mountain Standard Time; US Mountain Standard Time
-06:00 Central Standard Time; Central America Standard Time; Canada Central Standard Time
-05:00 Eastern Standard Time; SA Pacific Standard Time; US Eastern Standard Time
-04:00 Atlantic Standard Time; SA Western Standard Time; Central Brazilian Standard Time
-03:30 Newfoundland Standard Time
-03:00 E. South America Standard Time; Argentina Standard Time; SA Eastern Standard Time; Greenland Standard Time
-02:00 UTC-02
-01:00 Azores Standard Time; Cape Verde Standard Time
+00:00 UTC; GMT Standard Time; Greenwich Standard Time
+01:00 W. Europe Standard Time; Central Europe Standard Time; Romance Standard Time; Central European Standard Time
+01:00 W. Central Africa Standard Time; Morocco Standard Time
+02:00 GTB Standard Time; FLE Standard Time; E. Europe Standard Time; South Africa Standard Time
+02:00 Egypt Standard Time; Israel Standard Time; Kaliningrad Standard Time
+03:00 Russian Standard Time; Turkey Standard Time; Arab Standard Time; Arabic Standard Time; E. Africa Standard Time
+03:30 Iran Standard Time
+04:00 Arabian Standard Time; Azerbaijan Standard Time; Georgian Standard Time; Mauritius Standard Time
+04:30 Afghanistan Standard Time
+05:00 West Asia Standard Time; Pakistan Standard Time; Ekaterinburg Standard Time
+05:30 India Standard Time; Sri Lanka Standard Time
+05:45 Nepal Standard Time
+06:00 Central Asia Standard Time; Bangladesh Standard Time
+06:30 Myanmar Standard Time
+07:00 SE Asia Standard Time; North Asia Standard Time
+08:00 China Standard Time; Singapore Standard Time; Taipei Standard Time; W. Australia Standard Time
+09:00 Tokyo Standard Time; Korea Standard Time; Yakutsk Standard Time
+09:30 Cen. Australia Standard Time; AUS Central Standard Time
+10:00 AUS Eastern Standard Time; E. Australia Standard Time; Tasmania Standard Time; West Pacific Standard Time
+11:00 Central Pacific Standard Time; Norfolk Standard Time
+12:00 New Zealand Standard Time; UTC+12; Fiji Standard Time
+13:00 Tonga Standard Time; Samoa Standard Time; UTC+13
"""


def _read() -> dict[str, int]:
    found = {}
    for line in _TABLE.strip().splitlines():
        offset, names = line[:6], line[7:]
        seconds = (int(offset[1:3]) * 60 + int(offset[4:6])) * 60 * (-1 if offset[0] == "-" else 1)
        found.update({name.strip().lower(): seconds for name in names.split(";")})
    return found


OFFSETS = _read()


def offset_of(name: str) -> int | None:
    """Return the seconds a zone is ahead of UTC; None for a zone that is not known."""
    return OFFSETS.get(name.strip().lower())
