"""Make the hostile records of `tests/data/hostile/`, each with the finding that it must get.

python -m tools.hostile

Each is a good record with one edit, hashed again unless the edit is what the hash is for. `expected.json`
says of each file which codes it must get, others aside, and the exit code of `bench validate`.
"""

from bench.store.record_files import write_atomically
from tools.hostile.corpus import files

if __name__ == "__main__":
    for path, content in files().items():
        write_atomically(path, content)
