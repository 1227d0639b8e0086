"""The mutants that are known to survive, each with the reason why no test kills it: survivors.toml.

Some groups have their reason here, because a rule tells their members: see GROUPS.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.mutation.verdicts import Mutant

FILE = Path(__file__).parent / "survivors.toml"
HEAD = """# Mutants of shared/decide that survive, and why that is right. Written by `python -m tests.mutation --write`,
# which keeps the reasons; a survivor without one makes `make mutation` fail.
"""
EVERY = "*"
GROUPS = {
    "wording": "how a sentence for people is spelt; nothing decides by it, and who shows it has tests of what it says",
    "pieces": "how often a text is cut where only its first or last piece is taken: that piece is the same",
    "impossible": "what is given to assert_never, which mypy shows to be never reached",
}
_ENDMOST = re.compile(r"\.(r?split)\(('[^']*')(?:, [1-9]\d*)?\)\[(-1|0)\]")
_TEXT = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*\"""")


@dataclass(frozen=True, slots=True, order=True)
class Survivor:
    """A mutant by its place and change, or every mutant of a function (change `*`); `because` says why it may live."""

    place: str
    change: str
    because: str = ""


def read() -> list[Survivor]:
    document = tomllib.loads(FILE.read_text()) if FILE.exists() else {}
    return [Survivor(one["place"], one["change"], one["because"]) for one in document.get("survivor", [])]


def reason(known: Iterable[Survivor], mutant: Mutant) -> str:
    """Why a mutant may survive; empty when nobody has said."""
    said = (one.because for one in known if one.place == mutant.place and one.change in (EVERY, mutant.change))
    return next(said, GROUPS.get(group_of(mutant.change), ""))


def group_of(change: str) -> str:
    """The group that a change belongs to as a whole; empty for one that wants a reason of its own."""
    lines = change.splitlines()
    before, after = ([line[2:] for line in lines if line.startswith(sign)] for sign in "-+")
    if before and all("assert_never(" in line or line == "case _:" for line in before):
        return "impossible"
    pairs = [*zip(before, after, strict=True)] if len(before) == len(after) else []
    if pairs and all(_has_the_same_piece(*pair) for pair in pairs):
        return "pieces"
    return "wording" if pairs and all(_is_respelt(*pair) for pair in pairs) else ""


def _has_the_same_piece(before: str, after: str) -> bool:
    """Whether only the number of cuts differs, and the piece that is taken lies where the cutting begins."""

    def uncounted(cut: re.Match[str]) -> str:
        begins = {"split": "0", "rsplit": "-1"}[cut[1]]
        return f".{cut[1]}({cut[2]})[{cut[3]}]" if cut[3] == begins else cut[0]

    return before != after and _ENDMOST.sub(uncounted, before) == _ENDMOST.sub(uncounted, after)


def _is_respelt(before: str, after: str) -> bool:
    """Whether only sentences differ, texts of several words, and only by case or by marks around them."""
    old, new = _TEXT.findall(before), _TEXT.findall(after)
    if _TEXT.split(before) != _TEXT.split(after) or len(old) != len(new):
        return False
    changed = [(one[1:-1], other[1:-1]) for one, other in zip(old, new, strict=True) if one != other]
    return all(" " in one.strip() and other.lower() in (one.lower(), f"xx{one.lower()}xx") for one, other in changed)


def merged(known: Sequence[Survivor], alive: Sequence[Mutant], judged: Sequence[str]) -> list[Survivor]:
    """The survivors of the modules judged, with the reasons known; those of other modules as they were."""
    wholes = {one.place: one for one in known if one.change == EVERY}
    others = [one for one in known if one.change != EVERY and one.place.partition(".")[0] not in judged]
    single = [mutant for mutant in alive if mutant.place not in wholes and not group_of(mutant.change)]
    fresh = {Survivor(mutant.place, mutant.change, reason(known, mutant)) for mutant in single}
    return sorted([*others, *fresh, *wholes.values()])


def write(survivors: Iterable[Survivor]) -> None:
    FILE.write_text(HEAD + "".join(_entry(one) for one in survivors))


def _entry(one: Survivor) -> str:
    change = f"change = '''\n{one.change}'''"
    return f"\n[[survivor]]\nplace = {_quoted(one.place)}\n{change}\nbecause = {_quoted(one.because)}\n"


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
