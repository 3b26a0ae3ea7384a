"""No program that is started from here inherits a secret, and none can be started past the one rule."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import kalshi_tui
from kalshi_tui.kalshi.environments import practice_on_port
from kalshi_tui.kalshi.transport.signing import KeyType, generate_key
from kalshi_tui.runtime.credentials import KeySource, key_source_from_environment, open_key
from kalshi_tui.runtime.launch import PracticeProcess
from kalshi_tui.session.child_environment import environment_for_practice, environment_without_secrets

PACKAGE = Path(kalshi_tui.__file__).parent
PEM = generate_key(kind=KeyType.ED25519).decode()
STARTERS = {
    ("subprocess", "Popen"), ("subprocess", "run"), ("subprocess", "call"), ("subprocess", "check_call"),
    ("subprocess", "check_output"), ("subprocess", "getoutput"), ("subprocess", "getstatusoutput"),
    ("asyncio", "create_subprocess_exec"), ("asyncio", "create_subprocess_shell"), ("pty", "spawn"), ("pty", "fork"),
    ("webbrowser", "open"), ("multiprocessing", "Process"), ("futures", "ProcessPoolExecutor"),
}  # fmt: skip
OF_OS = ("system", "popen", "exec", "spawn", "posix_spawn", "fork")
BY_NAME = {name for _, name in STARTERS} - {"run", "call", "open", "spawn", "fork"}
"""Names that start a program also where they were imported by themselves."""
LOOKS = """
import os, sys
if "--until-stdin-closes" in sys.orig_argv:
    written = os.path.join(os.environ["HOME"], "environ")
    with open("/proc/self/environ", "rb") as own, open(written + ".new", "wb") as kept:
        kept.write(own.read())
    os.rename(written + ".new", written)
"""
"""Python runs this in every child, before the program can close its environment to other readers."""


def starts(tree: ast.Module) -> Iterator[ast.Call]:
    """Yield every call that starts a program."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        called = node.func
        if isinstance(called, ast.Name):
            found = called.id in BY_NAME
        elif isinstance(called, ast.Attribute):
            owner = called.value.id if isinstance(called.value, ast.Name) else getattr(called.value, "attr", "")
            found = (owner, called.attr) in STARTERS or (owner == "os" and called.attr.startswith(OF_OS))
        else:
            found = False
        if found:
            yield node


def takes_the_rule(call: ast.Call) -> bool:
    given = [keyword.value for keyword in call.keywords if keyword.arg == "env"]
    named = {node.id for each in given for node in ast.walk(each) if isinstance(node, ast.Name)}
    return bool(named & {environment_for_practice.__name__, environment_without_secrets.__name__})


def test_every_program_that_is_started_gets_its_environment_by_the_rule() -> None:
    found = {
        f"{path.relative_to(PACKAGE).as_posix()}:{call.lineno}": takes_the_rule(call)
        for path in sorted(PACKAGE.rglob("*.py"))
        for call in starts(ast.parse(path.read_text(encoding="utf-8")))
    }
    assert {each.partition(":")[0] for each in found} == {
        "runtime/credentials.py",
        "runtime/launch.py",
        "session/alerts/alert_command.py",
    }
    assert [each for each, rule in found.items() if not rule] == []


def test_a_key_is_found_under_any_name() -> None:
    given = {"KALSHI_PRIVATE_KEY": "AAAA", "Kalshi_Private_Key": "AAAA", "BACKUP": PEM, "PATH": "/bin", "DISPLAY": ":0"}
    assert environment_without_secrets(given) == {"PATH": "/bin", "DISPLAY": ":0"}


def test_a_practice_exchange_gets_what_it_needs_alone() -> None:
    given = {"KALSHI_API_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "s", "PYTHONPATH": PEM, "PATH": "/bin", "LC_ALL": "C"}
    assert environment_for_practice(given) == {"PATH": "/bin", "LC_ALL": "C"}


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="the system does not show an environment")
def test_the_environment_of_a_running_practice_exchange_holds_no_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sitecustomize.py").write_text(LOOKS)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("KALSHI_API_KEY_ID", "an-id-of-a-key")
    monkeypatch.setenv("KALSHI_PRIVATE_KEY", PEM)
    monkeypatch.setenv("HTTPS_PROXY", "http://me:hush@proxy")
    process = PracticeProcess(["--data", str(tmp_path / "practice"), "--quiet-market"])
    try:
        ready = process.wait_until_ready()
        shown = (tmp_path / "environ").read_bytes()
        try:
            shown += Path(f"/proc/{ready.pid}/environ").read_bytes()
        except PermissionError:
            assert b"HOME=" in shown
    finally:
        process.stop()
    assert b"PYTHONPATH=" in shown
    assert not [secret for secret in (PEM.splitlines()[1].encode(), b"an-id-of-a-key", b"hush") if secret in shown]


def test_an_encrypted_key_of_a_variable_is_opened_by_the_profile_s_command_which_does_not_get_it(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pem = generate_key(b"open sesame", KeyType.ED25519).decode()
    for name, value in {"KALSHI_API_KEY_ID": "id", "KALSHI_PRIVATE_KEY": pem}.items():
        monkeypatch.setenv(name, value)
    seen = tmp_path / "seen"
    script = "import os, sys; open(sys.argv[1], 'w').write(str(dict(os.environ))); print('open sesame')"
    default = KeySource(passphrase_command=(sys.executable, "-c", script, str(seen)))
    source = key_source_from_environment({"KALSHI_API_KEY_ID": "id", "KALSHI_PRIVATE_KEY": pem}, default)
    assert open_key(source, practice_on_port(1)).key_type is KeyType.ED25519
    assert "KALSHI_API_KEY_ID" in seen.read_text()
    assert "PRIVATE" not in seen.read_text()
