"""Each module that does something has its tests where its path says, or in a file that is named here."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import bench

ROOT: Final = Path(bench.__file__).parent
TESTS: Final = Path(__file__).parent

ELSEWHERE: Final = {
    # One idea in several modules, tested as one.
    "check/index_file.py": "check/test_index.py",
    "check/index_reading.py": "check/test_index.py",
    "check/summary.py": "validate/test_reading.py",
    "identity/dsse.py": "identity/test_envelope.py",
    "hardware/nvml_calls.py": "hardware/test_nvml.py",
    "hardware/readings.py": "hardware/test_nvml_errors.py",
    "report/basics.py": "report/test_labels.py",
    "report/card.py": "report/test_columns.py",
    "report/comparison/html.py": "report/comparison/test_formats.py",
    "report/comparison/markdown.py": "report/comparison/test_formats.py",
    "report/comparison/terminal.py": "report/comparison/test_formats.py",
    "report/comparison/view.py": "report/comparison/test_formats.py",
    "report/interface.py": "report/test_view.py",
    "report/json.py": "report/test_check.py",
    "report/markdown_syntax.py": "report/test_markdown.py",
    "report/plots/theme.py": "report/plots/test_series.py",
    "report/prediction.py": "report/test_predicted_cells.py",
    "predict/allocator/protocol.py": "predict/allocator/test_replay.py",
    "predict/survey.py": "cli/test_plan.py",
    "records/decision.py": "receiver/test_key_files.py",
    "records/expectations.py": "judge/test_expectations.py",
    "records/check.py": "records/test_check_doc.py",
    "records/cell.py": "store/test_journal.py",
    "records/record.py": "cli/test_resuming.py",
    "records/challenge.py": "identity/test_challenge.py",
    "receiver/migrations/versions/r0001_tables.py": "receiver/test_database.py",
    "receiver/migrations/versions/r0002_confirmations.py": "receiver/test_database.py",
    "receiver/migrations/env.py": "receiver/test_database.py",
    "receiver/http/answers.py": "receiver/http/test_app.py",
    "receiver/http/body.py": "receiver/http/test_app.py",
    "receiver/http/metrics.py": "receiver/http/test_app.py",
    "receiver/http/watching.py": "receiver/http/test_app.py",
    "receiver/required.py": "cli/test_site_moderation.py",
    "receiver/tables.py": "receiver/test_database.py",
    "store/disk.py": "store/test_record_files.py",
    "store/faults.py": "store/test_record_files.py",
    "suite/messages.py": "suite/test_suite.py",
    "weights/interface.py": "weights/test_local.py",
    # Parts of a command, tested through it.
    "__main__.py": "cli/test_app.py",
    "cli/answer_output.py": "cli/test_plan.py",
    "cli/challenge_output.py": "cli/test_run_output.py",
    "cli/downloads.py": "cli/test_terminal.py",
    "cli/findings_output.py": "cli/test_validate.py",
    "cli/frontier_output.py": "cli/test_frontier.py",
    "cli/options.py": "cli/test_bad_input.py",
    "cli/plan_output.py": "cli/test_plan.py",
    "cli/site_database.py": "cli/test_site_moderation.py",
    "cli/submit_output.py": "cli/test_submit.py",
    "cli/reading.py": "cli/test_report.py",
    "errors.py": "cli/test_bad_input.py",
    "pytest_plugin.py": "testing/test_plugin.py",
    "testing/runner.py": "testing/test_plugin.py",
    # Programs of their own, and what chooses between implementations.
    "doctor/facts.py": "doctor/test_diagnosis.py",
    "engines/interface.py": "engines/test_stand_in.py",
    "engines/native/__init__.py": "engines/test_registry.py",
    # Only a card can show what it returns.
    "measure/cuda.py": "gpu/test_clock.py",
    # Validators of one field, tested with the documents that have it.
    "records/base.py": "records/test_json_schema.py",
}
"""Modules below `bench/` whose tests are not at the same path below `tests/`, and where they are."""


def modules() -> Iterator[str]:
    """Modules with a function whose body is more than a docstring: not mere fields, and no protocol."""
    for path in sorted(ROOT.rglob("*.py")):
        functions = (
            node
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.FunctionDef)
        )
        if any(len(each.body) > 1 or not isinstance(each.body[0], ast.Expr) for each in functions):
            yield path.relative_to(ROOT).as_posix()


def mirror(module: str) -> str:
    """`run/child.py` -> `run/test_child.py`; a package is tested like a module of its name."""
    path = Path(module)
    if path.name == "__init__.py":
        path = path.parent
    return path.with_name(f"test_{path.stem}.py").as_posix()


def test_each_module_has_its_tests_where_its_path_says() -> None:
    without = [name for name in modules() if not (TESTS / mirror(name)).exists()]
    assert sorted(set(without) - ELSEWHERE.keys()) == [], "these have no tests"
    assert sorted(ELSEWHERE.keys() - set(without)) == [], "these need no line here any more"


def test_what_is_named_here_exists() -> None:
    assert [path for path in ELSEWHERE.values() if not (TESTS / path).exists()] == []
