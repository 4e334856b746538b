"""Four processes, one store, one account of 20 places, a tenth of all requests going wrong, two processes killed.

In the end everything must be there, nothing may have been paid for that nobody asked for, and the account's limit must
have held. The simulator's own counts are held against the journal:

    accepted = distinct calls + tasks that failed (the recipe allows new attempts) + lost replies that were sent anew

where a lost reply is sent anew only because the last rounds say ``--unknown=resubmit``. Everything is drawn from the
seed but the order in which processes get their turns.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from rhflow.store.store import Store

RHFLOW = [sys.executable, "-m", "rhflow"]
PROCESSES = 4
LIMIT = 20
ROUNDS = 12
PLAN = """\
faults: 1
seed: {seed}
rules:
  - {{fault: too-many, on: [submit, query, upload], chance: 0.02, retry_after: 2}}
  - {{fault: refuse, on: submit, chance: 0.03, code: 421}}
  - {{fault: auth, on: [submit, query], chance: 0.005}}
  - {{fault: server-error, on: [query, upload, download], chance: 0.03}}
  - {{fault: server-error, on: submit, when: after, chance: 0.004}}
  - {{fault: drop, on: submit, chance: 0.004}}
  - {{fault: drop, on: submit, when: after, chance: 0.004}}
  - {{fault: garbage, on: submit, chance: 0.004}}
  - {{fault: drop, on: [query, download, upload], chance: 0.03}}
  - {{fault: garbage, on: query, chance: 0.01}}
  - {{fault: empty, on: query, chance: 0.01}}
  - {{fault: wrong-length, on: [query, download], chance: 0.01}}
  - {{fault: truncate, chance: 0.02}}
  - {{fault: corrupt, chance: 0.01, where: head}}
  - {{fault: delay, on: [query, submit], chance: 0.02, seconds: 20}}
  - {{fault: expire, on: query, chance: 0.01, seconds: 0}}
  - {{fault: fail, chance: 0.03}}
  - {{fault: stuck, chance: 0.01, seconds: 60}}
"""


def recipe(process: int, *, own: int, common: int) -> str:
    """Return a recipe: words that all processes want, words of its own, a picture made larger for every tenth."""
    return (
        "rhflow: 1\nname: torture\nsteps:\n"
        + _loop("common", "text-to-text", [f"word {at} of all" for at in range(common)])
        + _loop("own", "text-to-text", [f"word {at} of {process}" for at in range(own * 8 // 10)])
        + _loop("still", "text-to-image", [f"picture {at} of {process}" for at in range(own // 10)])
        + "  large:\n    uses: upscale\n    foreach: ${{ steps.still.items }}\n    retry: {max: 5, on: [failed]}\n"
        + "    with: {image: '${{ item.image }}', scale: 2x}\n"
    )


def _loop(name: str, kind: str, prompts: list[str]) -> str:
    return (
        f"  {name}:\n    uses: {kind}\n    foreach: {json.dumps(prompts)}\n    retry: {{max: 5, on: [failed]}}\n"
        "    with: {prompt: '${{ item }}'}\n"
    )


@dataclass
class Torture:
    """The folder, the simulator's address, and one process per recipe; ``codes`` counts how commands ended."""

    folder: Path
    url: str
    rand: random.Random
    codes: Counter[int] = field(default_factory=Counter)

    def start(self, process: int, unknown: str) -> subprocess.Popen[bytes]:
        """Start a run of one of the recipes."""
        env = {**os.environ, "RUNNINGHUB_BASE_URL": self.url, "RHFLOW_STORE": str(self.folder / "store")}
        log = (self.folder / f"log-{process}.txt").open("ab")
        with log:
            command = [*RHFLOW, "run", f"recipe-{process}.yaml", "--unknown", unknown]
            return subprocess.Popen(command, cwd=self.folder, env=env, stdout=log, stderr=log)

    def run(self) -> int:
        """Run all recipes, kill two on the way, repeat until all are done; returns how many rounds that took."""
        running = [self.start(at, "wait") for at in range(PROCESSES)]
        for victim in self.rand.sample(range(PROCESSES), 2):
            time.sleep(self.rand.uniform(2, 5))
            running[victim].send_signal(signal.SIGKILL)
            running[victim].wait()
            running[victim] = self.start(victim, "wait")
        left = self._end(dict(enumerate(running)))
        for number in range(1, ROUNDS):
            if not left:
                return number
            left = self._end({at: self.start(at, "resubmit") for at in left})
        raise SystemExit(f"recipes {left} were not done after {ROUNDS} rounds")

    def _end(self, running: dict[int, subprocess.Popen[bytes]]) -> list[int]:
        codes = {at: process.wait() for at, process in running.items()}
        self.codes.update(codes.values())
        return [at for at, code in codes.items() if code]


@contextmanager
def simulator(folder: Path, speed: float) -> Iterator[str]:
    """Serve a simulator with the plan of faults in ``folder`` and give its address."""
    command = [*RHFLOW, "simulate", "--port", "0", "--speed", str(speed), "--limit", str(LIMIT), "--faults", "plan.yml"]
    server = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        yield server.stdout.readline().split()[-1]
    finally:
        server.send_signal(signal.SIGINT)
        server.wait()


def judge(torture: Torture, stats: dict[str, Any], distinct: int) -> list[str]:
    """Return what is wrong, after printing what was found."""
    with Store.open(torture.folder / "store") as store:
        runs = store.journal.runs(1000)
        settled = Counter(
            event.data["outcome"]
            for run in runs
            for event in store.journal.events(run.id)
            if event.type == "submit.settled"
        )
        entries, still_open = sum(1 for _ in store.index.all_entries()), len(store.journal.open_of())
        damaged = [digest for digest in store.index.digests() if not store.blobs.verify(digest)]
    anew = settled["failed"] + settled["resubmitted"]
    print(f"runs {len(runs)}, exit codes {dict(torture.codes)}, settled {dict(settled)}")
    print(f"requests that went wrong: {sum(stats['faults'].values())}: {stats['faults']}")
    print(f"submits {stats['submits']}, accepted {stats['accepted']}, distinct {distinct}, again {stats['duplicates']}")
    print(f"peak {stats['peak_concurrency']} of {LIMIT}, results kept {entries}, still open {still_open}")
    checks = {
        "a result is missing": entries == distinct,
        "something is still open": still_open == 0,
        "a kept file is damaged": not damaged,
        "a call was paid for again that nobody asked for": stats["duplicates"] <= anew,
        "a task that failed was not made again": stats["duplicates"] >= settled["failed"],
        "the counts do not add up": stats["accepted"] == distinct + stats["duplicates"],
        "the account's limit did not hold": stats["peak_concurrency"] <= LIMIT,
    }
    return [text for text, holds in checks.items() if not holds]


def main() -> int:
    """Run it once; returns 1 when something is wrong."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--nodes", type=int, default=500, help="distinct calls, about")
    arguments.add_argument("--seed", type=int, default=7)
    arguments.add_argument("--speed", type=float, default=100.0)
    arguments.add_argument("--keep", type=Path, help="work in this folder and leave it behind")
    given = arguments.parse_args()
    common = given.nodes // 5
    own = (given.nodes - common) // PROCESSES // 10 * 10
    distinct = common + PROCESSES * (own * 8 // 10 + 2 * (own // 10))
    with tempfile.TemporaryDirectory() as scratch:
        folder = given.keep or Path(scratch)
        folder.mkdir(exist_ok=True)
        (folder / "plan.yml").write_text(PLAN.format(seed=given.seed))
        for process in range(PROCESSES):
            (folder / f"recipe-{process}.yaml").write_text(recipe(process, own=own, common=common))
        began = time.monotonic()
        with simulator(folder, given.speed) as url:
            torture = Torture(folder, url, random.Random(given.seed))
            rounds = torture.run()
            stats = httpx.get(f"{url}/_simulator/stats").json()
        print(f"{distinct} calls in {PROCESSES} processes, {rounds} rounds, {time.monotonic() - began:.0f} s")
        wrong = judge(torture, stats, distinct)
    print("\n".join(wrong) or "all is there, nothing was paid for twice unasked")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
