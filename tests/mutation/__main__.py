"""Mutation testing of the decisions: `make mutation`, or `python -m tests.mutation [MODULE ...]`.

mutmut plants small changes in shared/decide; each meets the tests that reach the changed function. Exit 1 when fewer
than 85 % are killed, or when a survivor is not in survivors.toml with its reason. `--write` adds survivors there
without a reason and drops those that no longer survive. `--most=N` judges so many of each module, drawn by their names;
with it nothing is written. `--at-once=N` judges so many at the same time, otherwise as many as there are processors.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from tests.mutation import survivors, trees
from tests.mutation.verdicts import Fate, Mutant, mutants

FLOOR = 85.0


def main(words: Sequence[str]) -> int:
    most, at_once = _number(words, "--most", sys.maxsize), _number(words, "--at-once", os.cpu_count() or 1)
    write = "--write" in words and most == sys.maxsize
    chosen = [word for word in words if not word.startswith("-")] or trees.modules()
    if unknown := set(chosen) - set(trees.modules()):
        print(f"no modules of shared/decide: {', '.join(sorted(unknown))}", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="tagback-mutation-") as directory:
        tree = Path(directory)
        trees.plant(chosen, tree)
        if not _run(tree, most, at_once):
            return 1
        found = list(mutants(tree))
    _tell(found)
    return _judged(found, chosen, write)


def _number(words: Sequence[str], name: str, otherwise: int) -> int:
    return next((int(word.partition("=")[2]) for word in words if word.startswith(f"{name}=")), otherwise)


def _run(tree: Path, most: int, at_once: int) -> bool:
    """Plant the mutants and judge them; what the tests print goes to a file."""
    log = tree / "judging.log"
    judge = ["pytest", "--rootdir=.", "-q", "-x", "--tb=native", "--assert=plain", "-p", "tests.mutation.judging"]
    chosen = ["-p", "no:xdist", "-m", "not hypothesis", *(f"--deselect={test}" for test in trees.SLOW), *trees.TESTS]
    extent = [f"--at-once={at_once}", f"--most={most}"]
    steps = [(tree, ["tests.mutation.planting"]), (tree / "mutants", [*judge, *extent, *chosen])]
    with log.open("w") as told:
        for place, words in steps:
            ended = subprocess.run([sys.executable, "-m", *words], cwd=place, stdout=told, stderr=told)
            if ended.returncode:
                print(f"{words[0]} failed:\n{log.read_text()[-3000:]}", file=sys.stderr)
                return False
    return True


def _tell(found: Sequence[Mutant]) -> None:
    fates = Counter((mutant.module, mutant.fate) for mutant in found)
    for module in sorted({mutant.module for mutant in found}):
        killed, alive = fates[module, Fate.KILLED], fates[module, Fate.SURVIVED]
        print(f"{module:20} {killed:5} of {killed + alive:5} killed  {_percent(killed, killed + alive):5.1f} %")
    killed = sum(mutant.fate is Fate.KILLED for mutant in found)
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    minutes = (spent.ru_utime + spent.ru_stime) / 60
    share = _percent(killed, len(found))
    print(f"{'all':20} {killed:5} of {len(found):5} killed  {share:5.1f} %  in {minutes:.1f} CPU minutes")


def _judged(found: Sequence[Mutant], chosen: Sequence[str], write: bool) -> int:
    """The exit code."""
    alive = [mutant for mutant in found if mutant.fate is Fate.SURVIVED]
    known = survivors.read()
    if write:
        survivors.write(survivors.merged(known, alive, chosen))
        known = survivors.read()
    unexplained = [mutant for mutant in alive if not survivors.reason(known, mutant)]
    for mutant in unexplained:
        print(f"\nsurvivor without a reason in {survivors.FILE.name}: {mutant.place}\n{mutant.change}")
    enough = _percent(len(found) - len(alive), len(found)) >= FLOOR
    if not enough:
        print(f"\nfewer than {FLOOR:g} % of the mutants were killed")
    return 0 if enough and not unexplained else 1


def _percent(part: int, whole: int) -> float:
    return 100 * part / whole if whole else 100.0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
