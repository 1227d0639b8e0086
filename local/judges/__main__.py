"""`python -m local.judges FOLDER [SCRIPT]`: judges an evidence folder, prints the table, exits 1 on any violation."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from local.judges import PROMISES, judge
from local.judges.finding import Finding

SHOWN = 10
BAD_INPUT = 2


def table(findings: Mapping[str, Finding]) -> Iterator[str]:
    """One line per promise, and the first violations of each."""
    for name, finding in findings.items():
        broken = len(finding.violations)
        verdict = (
            f"VIOLATED {broken} times" if broken else finding.note or "holds" if finding.checked else "not checked"
        )
        yield f"{name:<11} {PROMISES[name][0]:<50} {finding.checked:>7}  {finding.note or verdict}"
        for violation in finding.violations[:SHOWN]:
            yield f"            {violation.at} {violation.where}: {violation.what}"
        if broken > SHOWN:
            yield f"            and {broken - SHOWN} more"


def main(words: Sequence[str]) -> int:
    if not 1 <= len(words) <= 2:
        print(__doc__, file=sys.stderr)
        return BAD_INPUT
    try:
        findings = judge(*map(Path, words))
    except (OSError, ValueError, KeyError) as problem:
        print(f"judges: the evidence cannot be read: {problem!r}", file=sys.stderr)
        return BAD_INPUT
    print("\n".join(table(findings)))
    return int(any(finding.violations for finding in findings.values()))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
