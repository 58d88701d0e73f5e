"""Every engine by its name. Adding one takes a folder next to `native`, and a line here.

An installed package can add engines too: `name = "package.module:SPEC"` in its entry points of the group
`bench.engines`. It cannot replace an engine of this list. Importing this module imports no engine.
"""

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from bench.errors import BenchError, UsageError

if TYPE_CHECKING:
    from bench.engines.interface import EngineSpec

GROUP: Final = "bench.engines"
SHIPPED: Final = MappingProxyType(
    {
        "native": "bench.engines.native:SPEC",
    }
)


def engine_names() -> tuple[str, ...]:
    """Return the sorted names of all engines, including those of installed packages."""
    from importlib.metadata import entry_points

    return tuple(sorted({*SHIPPED, *entry_points(group=GROUP).names}))


def find_engine(name: str, named_in: str = "") -> "EngineSpec":
    """Return the engine of this name. `named_in`: the option or file that names it, for the error.

    Raises:
        UsageError: no engine has this name; the hint lists those that exist.
        BenchError: an installed package announces something else under it.
    """
    from importlib.metadata import EntryPoint, entry_points

    from bench.engines.interface import EngineSpec

    if name in SHIPPED:
        found = EntryPoint(name, SHIPPED[name], GROUP)
    elif others := tuple(entry_points(group=GROUP, name=name)):
        found = others[0]
    else:
        place = f"{named_in}: " if named_in else ""
        raise UsageError(f"{place}no engine '{name}'", hint=f"Choose from {', '.join(engine_names())}")
    spec = found.load()
    if not isinstance(spec, EngineSpec):
        raise BenchError(f"{found.value} is not an engine", hint="Uninstall the package that registers it")
    return spec
