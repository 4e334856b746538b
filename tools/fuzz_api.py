"""Sends thousands of odd requests to a simulator by way of Schemathesis: no reply may be outside schemas/openapi.json.

Needs `pip install schemathesis`; takes a few minutes. Not a part of the test suite.
"""

from __future__ import annotations

import argparse
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

DOCUMENT = Path(__file__).parents[1] / "schemas" / "openapi.json"
_CHECKS = "not_a_server_error,response_schema_conformance,status_code_conformance,content_type_conformance"


def main() -> int:
    """Start a simulator, run Schemathesis on it, and return its exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-n", type=int, default=50, help="examples for each operation")
    options = parser.parse_args()
    beside = Path(sys.executable).with_name("schemathesis")
    found = str(beside) if beside.is_file() else shutil.which("schemathesis")
    if found is None:
        print("schemathesis is not installed: pip install schemathesis", file=sys.stderr)
        return 2
    command = [sys.executable, "-m", "rhflow", "simulate", "--port", "0", "--speed", "5000", "--limit", "100000"]
    with (
        tempfile.TemporaryDirectory() as folder,
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server,
    ):
        assert server.stdout is not None
        try:
            url = server.stdout.readline().split()[-1]
            told = ["run", str(DOCUMENT), "--url", url, "-H", "Authorization: Bearer key", "--checks", _CHECKS]
            told += ["-n", str(options.n), "--phases", "examples,coverage,fuzzing"]
            return subprocess.run([found, *told], cwd=folder, check=False).returncode
        finally:
            server.send_signal(signal.SIGINT)


if __name__ == "__main__":
    sys.exit(main())
