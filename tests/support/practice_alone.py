"""`kalshi-tui practice` as a process of its own."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Self

import httpx

from kalshi_tui.kalshi.environments import practice_on_port
from kalshi_tui.kalshi.transport.signing import Signer
from tests.support.practice_server import CONTROL, HERE


class Alone:
    """The command, started as anybody starts it."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "kalshi_tui", "practice", "--data", str(folder), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        self.line = self.process.stdout.readline()

    @property
    def told(self) -> Any:
        return json.loads(self.line)

    def call(self, key_id: str, key_path: str, method: str, path: str, body: Any = None) -> httpx.Response:
        return self._request(key_id, key_path, method, f"/trade-api/v2{path}", body)

    def control(self, key_id: str, key_path: str, action: str, **keys: Any) -> httpx.Response:
        token = Path(self.told["control_token_path"]).read_text().strip()
        body = {"action": action, **keys}
        return self._request(key_id, key_path, "POST", CONTROL, body, **{"X-Practice-Token": token})

    def _request(self, key_id: str, key_path: str, method: str, path: str, body: Any, **more: str) -> httpx.Response:
        signer = Signer.from_pem(key_id, Path(key_path).read_bytes(), environment=practice_on_port(1))
        headers = signer.headers(method, path.partition("?")[0], time.time_ns() // 1_000_000, host=HERE)
        url = self.told["rest_url"].removesuffix("/trade-api/v2") + path
        return httpx.request(method, url, json=body, headers={**headers, **more}, trust_env=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.communicate()

    def end(self, how: signal.Signals = signal.SIGTERM) -> tuple[int, str, str]:
        self.process.send_signal(how)
        out, err = self.process.communicate(timeout=20)
        return self.process.returncode, out, err
