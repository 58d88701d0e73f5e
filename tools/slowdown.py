"""An environment with a bench that is slower by a chosen share, for the operating curve of `bench compare`.

The environment sees the packages of the Python that makes it. At its start a hook waits for the native
engine, and from then on every step of a generation (phase or token) is followed by busy work that lasts a
share of what that very step took on the clock. No figure is scaled: the time is really spent.
"""

import sys
import sysconfig
import venv
from pathlib import Path
from typing import Final

_HOOK: Final = '''
"""Busy work behind every step of a generation: {share} of what the step took."""

import importlib.abc
import importlib.machinery
import sys
from time import perf_counter

SHARE = {share}
MODULE = "bench.engines.native.engine"


class Slower:
    def __init__(self, observer):
        self._observer = observer
        self._since = None

    def _work(self):
        if self._since is not None:
            now = perf_counter()
            until = now + SHARE * (now - self._since)
            while perf_counter() < until:
                pass

    def begin(self, phase):
        self._work()
        self._observer.begin(phase)
        self._since = perf_counter()

    def token(self):
        self._work()
        self._observer.token()
        self._since = perf_counter()

    def end(self):
        self._work()
        self._observer.end()
        self._since = None


class Loader(importlib.abc.Loader):
    def __init__(self, loader):
        self._loader = loader

    def create_module(self, spec):
        return self._loader.create_module(spec)

    def exec_module(self, module):
        self._loader.exec_module(module)
        generate = module.NativeEngine.generate

        def slower(self, request, observer, streamer=None):
            return generate(self, request, Slower(observer), streamer)

        module.NativeEngine.generate = slower


class Finder(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name != MODULE:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path)
        if spec is not None and spec.loader is not None:
            spec.loader = Loader(spec.loader)
        return spec


sys.meta_path.insert(0, Finder())
'''


def environment(folder: Path, share: float, root: Path) -> Path:
    """An environment in `folder` whose bench is the one in `root`, slower by `share` (0: as it is)."""
    venv.create(folder, symlinks=True, with_pip=False)
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    packages = folder / "lib" / version / "site-packages"
    here = sysconfig.get_path("purelib")
    (packages / "bench_of_the_checkout.pth").write_text(f"{root}\nimport site; site.addsitedir({here!r})\n")
    (packages / "bench_slowdown.py").write_text(_HOOK.format(share=repr(share)))
    (packages / "bench_slowdown.pth").write_text("import bench_slowdown\n")
    return folder
