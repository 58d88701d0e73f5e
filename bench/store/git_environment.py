"""The environment in which git works on the repository of a folder, and on no other."""

from collections.abc import Mapping
from typing import Final

# A hook sets them, and git would follow them to another repository.
_REPOSITORY: Final = (
    *("DIR", "WORK_TREE", "INDEX_FILE", "OBJECT_DIRECTORY", "ALTERNATE_OBJECT_DIRECTORIES", "COMMON_DIR"),
    *("PREFIX", "NAMESPACE", "SHALLOW_FILE", "GRAFT_FILE", "REPLACE_REF_BASE"),
)
# They change which files a pattern means.
_PATTERNS: Final = tuple(f"{kind}_PATHSPECS" for kind in ("LITERAL", "GLOB", "NOGLOB", "ICASE"))
_DROPPED: Final = frozenset(f"GIT_{name}" for name in (*_REPOSITORY, *_PATTERNS))


def git_environment(own: Mapping[str, str]) -> dict[str, str]:
    """Return an environment without the variables that lead git to another repository or other files."""
    return {name: value for name, value in own.items() if name not in _DROPPED} | {"LC_ALL": "C"}
