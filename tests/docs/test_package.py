"""What is built and what is installed: the wheel, the locks, the version."""

import ast
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

import kalshi_tui

ROOT = Path(__file__).resolve().parents[2]
LOCKS = ("requirements.lock", "requirements-dev.lock")
AUDIT_LOCK = "requirements-audit.lock"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    out = tmp_path_factory.mktemp("wheel")
    done = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(out)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (built,) = out.glob("*.whl")
    return zipfile.ZipFile(built)


def test_the_wheel_holds_every_module_and_every_style_sheet(wheel: zipfile.ZipFile) -> None:
    held = set(wheel.namelist())
    sources = {path.relative_to(ROOT).as_posix() for path in (ROOT / "kalshi_tui").rglob("*.py")}
    styles = {f"kalshi_tui/styles/{path.name}" for path in (ROOT / "styles").iterdir()}
    assert sources <= held
    assert styles
    assert styles <= held
    assert "kalshi_tui/py.typed" in held


def test_the_wheel_holds_nothing_else(wheel: zipfile.ZipFile) -> None:
    others = [name for name in wheel.namelist() if not name.startswith("kalshi_tui")]
    assert not others


def test_the_wheel_has_the_command_the_license_and_the_version(wheel: zipfile.ZipFile) -> None:
    info = f"kalshi_tui-{kalshi_tui.__version__}.dist-info"
    assert "kalshi-tui = kalshi_tui.__main__:main" in wheel.read(f"{info}/entry_points.txt").decode()
    assert f"{info}/licenses/LICENSE" in wheel.namelist()
    metadata = wheel.read(f"{info}/METADATA").decode()
    assert f"\nVersion: {kalshi_tui.__version__}\n" in metadata
    assert "\nRequires-Python: >=3.11\n" in metadata


@pytest.mark.parametrize("name", [*LOCKS, AUDIT_LOCK])
def test_every_locked_package_has_hashes_and_no_host(name: str) -> None:
    text = (ROOT / name).read_text()
    entries = re.split(r"\n(?=[a-z0-9])", text)
    assert len(entries) > 20
    for entry in entries:
        assert re.match(r"[a-z0-9._-]+(\[[a-z,]+\])?==", entry), entry
        assert "--hash=sha256:" in entry
    assert "://" not in text
    assert "--index-url" not in text


def test_the_locks_hold_every_dependency() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for lock, wanted in zip(LOCKS, (project["dependencies"], project["optional-dependencies"]["dev"]), strict=True):
        locked = set(re.findall(r"^([a-z0-9._-]+)", (ROOT / lock).read_text(), re.MULTILINE))
        assert names_of(wanted) <= locked
    assert re.search(r"^pip-audit==", (ROOT / AUDIT_LOCK).read_text(), re.MULTILINE)


def names_of(requirements: list[str]) -> set[str]:
    return {re.split(r"[^A-Za-z0-9._-]", each)[0].lower() for each in requirements}


def test_every_dependency_has_its_reason_and_no_other_has_one() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    section = (ROOT / "ARCHITECTURE.md").read_text().split("\n## Dependencies\n")[1]
    table, rest = section.split("\nFor development: ")
    rows = dict(re.findall(r"^\| ([a-z0-9._-]+) \| (.{20,}) \|$", table, re.MULTILINE))
    extras = project["optional-dependencies"]
    assert rows.keys() == names_of(project["dependencies"]) | names_of(extras["keyring"])
    for group in ("dev", "build"):
        for name in names_of(extras[group]) | {"pip-audit"}:
            assert re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", rest.lower()), name


def test_what_is_imported_is_a_dependency() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    imported = set()
    for path in (ROOT / "kalshi_tui").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                imported |= {each.name.split(".")[0] for each in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                imported.add(node.module.split(".")[0])
    # Rich comes with Textual, and is the same thing here.
    wanted = names_of(project["dependencies"]) | names_of(project["optional-dependencies"]["keyring"])
    assert imported - sys.stdlib_module_names - {"kalshi_tui", "rich"} == wanted
