"""`python -m tests.simulator.specification DIR`: judges the exchanges kept in a directory and prints what deviates."""

import sys
from pathlib import Path

from tests.simulator.specification.exchanges import Judge, known, read


def main() -> int:
    """Print every deviation; 1 means that one of them is not known."""
    verdict = Judge().judge(read(Path(sys.argv[1])))
    unexplained = verdict.unexplained(known())
    for deviation in verdict.deviations.values():
        print("! " if deviation in unexplained else "  ", deviation.line(), sep="")
    for route in sorted(verdict.without):
        print("no document:", route)
    print(f"{verdict.exchanges} exchanges, {verdict.specified} of specified operations, {len(unexplained)} deviations")
    return 1 if unexplained else 0


if __name__ == "__main__":
    sys.exit(main())
