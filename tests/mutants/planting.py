"""Mutants as files, and a copy of the tree to plant them in."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDER = Path(__file__).parent
LONGEST = 600  # seconds that the tests of one mutant may take


@dataclass(frozen=True, slots=True)
class Mutant:
    """A planted bug: the mistake in words, and the tests at least one of which must fail with it."""

    patch: Path
    bug: str
    red: tuple[str, ...]

    @property
    def name(self) -> str:
        return self.patch.stem


def mutants(folder: Path = FOLDER) -> tuple[Mutant, ...]:
    return tuple(read(path) for path in sorted(folder.glob("*.patch")))


def read(path: Path) -> Mutant:
    """A mutant from its file; ValueError when the head does not say what it is and who notices."""
    head = path.read_text(encoding="utf-8").partition("diff --git")[0]
    fields = dict(line.split(":", 1) for line in head.splitlines() if ":" in line)
    bug, red = fields.get("Bug", "").strip(), tuple(fields.get("Red", "").split())
    if not bug or not red:
        raise ValueError(f"{path.name}: the head needs 'Bug: ...' and 'Red: ...'")
    return Mutant(path, bug, red)


@dataclass(frozen=True, slots=True)
class Copy:
    """A copy of the tree's tracked files, beside the same neighbours, that tests can be run in."""

    root: Path

    def plant(self, mutant: Mutant) -> None:
        self._apply(mutant)

    def clear(self, mutant: Mutant) -> None:
        self._apply(mutant, "--reverse")

    def failures(self, tests: tuple[str, ...]) -> tuple[str, ...]:
        """The tests that failed, the first of them at least; empty when all passed."""
        words = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:xdist", "-p", "no:randomly", "--tb=no", *tests]
        environment = {**os.environ, "PYTHONPATH": str(self.root), "PYTHONDONTWRITEBYTECODE": "1"}
        done = subprocess.run(
            words, cwd=self.root, env=environment, capture_output=True, text=True, check=False, timeout=LONGEST
        )
        if done.returncode == 0:
            return ()
        lines = [line.split(" - ")[0] for line in done.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
        return tuple(line.split(" ", 1)[1] for line in lines) or (f"pytest ended with {done.returncode}",)

    def _apply(self, mutant: Mutant, *how: str) -> None:
        subprocess.run(["git", "apply", *how, str(mutant.patch)], cwd=self.root, check=True)


def copied(into: Path) -> Copy:
    """Copy what git tracks, as it is now, and lend it the neighbours and the installed emulator."""
    root = into / "main"
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    for name in filter(None, listed.decode().split("\0")):
        if (ROOT / name).exists():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, root / name)
    emulator = Path("local", "azurite", "node_modules")
    for lent, source in ((into / "shared", ROOT.parent / "shared"), (root / emulator, ROOT / emulator)):
        if source.exists():
            lent.symlink_to(source)
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)  # so that `git apply` takes this as its tree
    return Copy(root)


def fits(mutant: Mutant) -> bool:
    """Whether the patch applies to the tree as it is."""
    done = subprocess.run(["git", "apply", "--check", str(mutant.patch)], cwd=ROOT, capture_output=True, check=False)
    return done.returncode == 0
