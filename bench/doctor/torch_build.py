"""The installed torch and the target of its build, from its files: importing it takes seconds."""

import ast
import re
from pathlib import Path

from bench.doctor.facts import TorchBuild
from bench.packages import spec_of, version_of


def torch_build() -> TorchBuild | None:
    """Return the torch that `import torch` would load, or None."""
    spec = spec_of("torch")  # of a top-level name: nothing is imported
    if spec is None:
        return None
    stated = _constants(Path(spec.origin).with_name("version.py")) if spec.origin else {}
    version = stated.get("__version__") or version_of("torch")
    if version is None:
        return None
    cuda = stated.get("cuda") if stated else _cuda_of(version)
    return TorchBuild(version=version, cuda=cuda, hip=stated.get("hip"))


def _cuda_of(version: str) -> str | None:
    """`2.9.1+cu128` -> `12.8`."""
    tag = re.search(r"\+cu(\d+)(\d)\Z", version)
    return f"{tag[1]}.{tag[2]}" if tag else None


def _constants(path: Path) -> dict[str, str]:
    """Return the names to which a file assigns a string, with or without a type."""
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, SyntaxError):
        return {}
    return {name: value for node in tree.body for name, value in _assigned(node)}


def _assigned(node: ast.stmt) -> list[tuple[str, str]]:
    if isinstance(node, ast.Assign):
        targets, value = node.targets, node.value
    elif isinstance(node, ast.AnnAssign) and node.value is not None:
        targets, value = [node.target], node.value
    else:
        return []
    if not (isinstance(value, ast.Constant) and isinstance(value.value, str)):
        return []
    return [(target.id, value.value) for target in targets if isinstance(target, ast.Name)]
