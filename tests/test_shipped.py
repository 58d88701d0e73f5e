import shutil
import subprocess
import sys
from pathlib import Path

import bench
from bench import shipped


def test_what_the_code_reads_is_there() -> None:
    for parts in (("gpus.csv",), ("prompt-ids.json",), ("speech", "alice.flac"), ("speech", "LICENSE.txt")):
        assert shipped.data(*parts).is_file()
    models = {path.stem for path in shipped.data("models").glob("*.json")}
    assert {"MOSS-Audio-4B-Instruct", "MOSS-Audio-8B-Instruct"} <= models
    assert {"smoke", "quick", "standard", "long-audio"} <= {
        path.stem for path in shipped.suites().glob("*.toml")
    }
    assert (shipped.schemas() / "record-1.0.json").is_file()
    assert (shipped.schemas() / "record-1.1.json").is_file()
    assert (shipped.schemas() / "check-1.1.json").is_file()


def test_in_a_checkout_suites_and_schemas_lie_beside_the_package() -> None:
    root = Path(bench.__file__).parent.parent
    assert shipped.suites() == root / "suites"
    assert shipped.schemas() == root / "schemas"


def test_in_a_wheel_they_lie_below_it(tmp_path: Path) -> None:
    package = tmp_path / "bench"
    for name in ("suites", "schemas"):
        (package / name).mkdir(parents=True)
    for name in ("__init__.py", "shipped.py"):
        shutil.copy(Path(bench.__file__).with_name(name), package)
    code = "from bench import shipped; print(shipped.suites(), shipped.schemas())"
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert answer.stdout.split() == [str(package / "suites"), str(package / "schemas")]
