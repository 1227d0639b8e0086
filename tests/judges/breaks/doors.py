"""What may go wrong at the app's door (S10): each breaks the papers of a whole play."""

from __future__ import annotations

from tests.judges.breaks.common import Break, Listed
from tests.judges.papers import Papers


def answering(who: str, **said: object) -> Break:
    """Somebody's visit went otherwise."""

    def broken(papers: Papers) -> None:
        next(act for act in papers.script if act.get("who") == who).update(said)

    return broken


def an_event_without_the_key(papers: Papers) -> None:
    next(act for act in papers.script if act["do"] == "forged-event" and not act["key"])["status"] = 202


BREAKS: Listed = [
    ("S10", answering("a stranger", status=202), "let in who may not: 202"),
    ("S10", answering("a stranger", status=500), "let in who may not: 500"),
    ("S10", answering("viewer", status=403), "kept out who may: 403"),
    ("S10", answering("viewer", shown=[]), "shown nothing"),
    ("S10", answering("viewer", within=[]), "shown what is not theirs: a0000000"),
    ("S10", an_event_without_the_key, "taken without the key"),
]
