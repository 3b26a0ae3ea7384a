"""What is released: wheel and sdist, installed into a clean virtual environment outside the checkout, and traded with.

No network is needed: the build runs in this environment, which has hatchling by the lock, and the dependencies are
those that are installed here, which the new environment finds by a .pth file. The program itself is that of the wheel.
"""

import os
import re
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import kalshi_tui
from tests.support.processes import wait_gone
from tests.support.terminal import TERMINAL, Terminal, environment_of

ROOT = Path(__file__).resolve().parents[2]
NAME = f"kalshi_tui-{kalshi_tui.__version__}"
MANUAL = ROOT / "docs" / "kalshi-tui.1"
POISON = ("kalshi_tui", "json", "httpx", "textual", "platformdirs")
"""Names of modules that stand in the folder in which the program is started, and must not be imported from there."""
BARE = TERMINAL | {"PYTHONPATH": ""}

pytestmark = pytest.mark.terminal


def run(*command: str | Path, cwd: Path, home: Path | None = None) -> str:
    """Run a command to its good end and give what it prints."""
    env = environment_of(home, BARE) if home is not None else {**os.environ, "PYTHONPATH": ""}
    done = subprocess.run(
        [str(each) for each in command], cwd=cwd, env=env, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def build(source: Path, out: Path) -> None:
    """Build wheel and sdist as pip would, with the hatchling that is here."""
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-t", "sdist", "-d", out, cwd=source)


@dataclass(frozen=True)
class Built:
    """A release's two files."""

    wheel: Path
    sdist: Path


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    out = tmp_path_factory.mktemp("dist")
    build(ROOT, out)
    assert sorted(path.name for path in out.iterdir()) == [f"{NAME}-py3-none-any.whl", f"{NAME}.tar.gz"]
    return Built(out / f"{NAME}-py3-none-any.whl", out / f"{NAME}.tar.gz")


@pytest.fixture(scope="module")
def installed(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the wheel and give the environment's folder for commands."""
    place = tmp_path_factory.mktemp("installed") / "venv"
    venv.create(place, with_pip=True)
    python = place / "bin" / "python"
    pip = (python, "-m", "pip", "--isolated", "--disable-pip-version-check")
    run(*pip, "install", "--quiet", "--no-index", "--no-deps", built.wheel, cwd=place)
    packages = Path(run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=place).strip())
    # A line of a .pth file is looked at after the environment's own packages, and no .pth file in it is read: what is
    # installed here of this project itself, to follow its sources, has no say.
    (packages / "dependencies.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
    return place / "bin"


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Path]:
    """Return a folder that cannot be written to, full of modules that must not be imported."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    for name in POISON:
        (folder / f"{name}.py").write_text("raise SystemExit('imported from the folder that the program stands in')\n")
    folder.chmod(0o555)
    yield folder
    folder.chmod(0o755)


def contents(wheel: Path) -> dict[str, bytes]:
    """Return what a wheel holds."""
    with zipfile.ZipFile(wheel) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


@pytest.mark.slow
def test_the_sdist_builds_the_same_wheel(built: Built, tmp_path: Path) -> None:
    with tarfile.open(built.sdist) as opened:
        opened.extractall(tmp_path, filter="data")
    build(tmp_path / NAME, tmp_path / "again")
    assert contents(tmp_path / "again" / built.wheel.name) == contents(built.wheel)


def test_the_wheel_holds_the_data_that_the_program_reads(built: Built) -> None:
    assert "kalshi_tui/practice/simulation/catalog.toml" in contents(built.wheel)


def test_the_sdist_holds_what_is_tracked_and_nothing_else(built: Built) -> None:
    with tarfile.open(built.sdist) as opened:
        held = {name.removeprefix(f"{NAME}/") for name in opened.getnames()}
    assert {
        "PKG-INFO",
        "pyproject.toml",
        "README.md",
        "LICENSE",
        "kalshi_tui/py.typed",
        "tests/docs/test_wheel.py",
    } <= held
    done = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        pytest.skip("this is no checkout")
    assert held - {"PKG-INFO"} <= set(done.stdout.splitlines())


@pytest.mark.slow
def test_what_is_installed_is_the_wheel(installed: Path, elsewhere: Path, tmp_path: Path) -> None:
    found = run(installed / "python", "-P", "-c", "import kalshi_tui as k; print(k.__file__)", cwd=elsewhere)
    assert Path(found.strip()).is_relative_to(installed.parent)
    assert run(installed / "kalshi-tui", "--version", cwd=elsewhere, home=tmp_path) == (
        f"kalshi-tui {kalshi_tui.__version__}\n"
    )
    assert "usage: kalshi-tui" in run(installed / "kalshi-tui", "--help", cwd=elsewhere, home=tmp_path)
    assert (installed.parent / "share" / "man" / "man1" / "kalshi-tui.1").read_bytes() == MANUAL.read_bytes()
    listed = run(installed / "python", "-m", "pip", "--isolated", "show", "kalshi-tui", cwd=installed)
    assert f"Version: {kalshi_tui.__version__}" in listed


@pytest.mark.slow
def test_the_types_of_the_library_reach_its_users(installed: Path, tmp_path: Path) -> None:
    program = tmp_path / "bot.py"
    program.write_text(
        "from kalshi_tui.kalshi import KalshiClient\n"
        "async def main(client: KalshiClient) -> None:\n"
        "    ack = await client.place_order('T', 'yes', 'buy', '0.42', '10')\n"
        "    dry = await client.place_order('T', 'yes', 'buy', '0.42', '10', dry_run=True)\n"
        "    reveal_type(ack)\n"
        "    reveal_type(dry.worst_loss)\n"
        "    async for market in client.markets():\n"
        "        reveal_type(market.ticker)\n"
        "    reveal_type(client.orders)\n"
        "    reveal_type((await client.preview_order('T', 'yes', 'buy', '0.42', '10')).refusal)\n"
    )
    mypy = (sys.executable, "-m", "mypy", "--strict", "--python-executable", installed / "python")
    said = run(*mypy, "--cache-dir", tmp_path / "cache", program, cwd=tmp_path)
    told = re.findall(r'Revealed type is "(.*)"', said)
    *plain, orders, refusal = told
    assert plain == ["kalshi_tui.kalshi.replies.OrderAck", "int | None", "str"]
    assert orders.startswith("def (*, status: ")
    assert "min_s: int | None" in orders
    assert orders.endswith("kalshi_tui.kalshi.lists.Read[kalshi_tui.domain.order.Order]]")
    assert refusal == "str"


@pytest.mark.slow
def test_the_installed_program_trades_from_any_folder(installed: Path, elsewhere: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    terminal = Terminal(
        ["--seed", "7"], home, terminal=BARE, first=True, program=[str(installed / "kalshi-tui")], folder=elsewhere
    )
    try:
        terminal.wait_text("PRACTICE - welcome", within_s=60)
        terminal.wait("the markets", lambda screen: "Reading the markets" not in screen and "connected" in screen)
        terminal.press("b")
        terminal.wait_text("order ticket")
        terminal.press("enter")
        terminal.wait_text("review")
        terminal.wait("the armed key", lambda screen: "sends" in screen.lower() and "arming" not in screen)
        terminal.press("enter")
        terminal.wait("what became of it", lambda screen: "FILLED" in screen or "RESTING" in screen)
        (lock,) = home.rglob("lock")
        exchange = int(lock.read_text())
        if sys.platform == "linux":
            assert str(installed.parent) in Path(f"/proc/{exchange}/cmdline").read_text()
    finally:
        terminal.end()
    assert wait_gone(exchange)
    assert sorted(path.name for path in elsewhere.iterdir()) == sorted(f"{name}.py" for name in POISON)
