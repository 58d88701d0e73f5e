"""Asks the Hub for the shapes of a model: python -m tests.weights.ask_headers REPO REVISION."""

import json
import sys

from bench.errors import BenchError
from bench.weights.headers import remote_model


def answer(repo: str, revision: str) -> dict[str, object]:
    """What was found, or the error that a person would see; an empty revision is that of the model."""
    try:
        found = remote_model(repo, revision or None)
    except BenchError as error:
        return {"line": str(error), "code": int(error.exit_code)}
    config = json.loads(found.config_file.read_text())
    return {"commit": found.commit, "config": config, "tensors": list(found.tensors.items())}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(answer(*sys.argv[1:])))
