"""Fetches from the Hub as bench does: python -m tests.weights.fetch_from_hub REPO REVISION...

For each revision a line of JSON: what was fetched, or the error that a person would see.
"""

import json
import sys

from bench.errors import BenchError
from bench.weights import hub


def fetched(repo: str, revision: str) -> dict[str, object]:
    """What came of one revision; the empty one is that of the model."""
    progress: list[tuple[str, int, int]] = []
    try:
        plan = hub.plan(repo, revision=revision or None)
        found = hub.download(plan, lambda *stage: progress.append(stage))
    except BenchError as error:
        return {"line": str(error), "code": int(error.exit_code)}
    return {
        "name": found.name,
        "repo": found.repo,
        "revision": found.revision,
        "weight_mode": found.weight_mode,
        "directory": str(found.directory),
        "progress": progress,
        "note": plan.note,
        "files": {file.name: [file.size_bytes, file.sha256] for file in found.files},
    }


if __name__ == "__main__":
    for asked in sys.argv[2:]:
        sys.stdout.write(f"{json.dumps(fetched(sys.argv[1], asked))}\n")
