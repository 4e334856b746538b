"""Feed damaged recipes to the loader: whatever is in a file, it ends in a pipeline or in problems, soon and harmlessly.

Each case is made from the seed and its number alone, so that any of them can be looked at again:

    python tools/fuzz_recipes.py --cases 200000 --seed 1 --workers 2
    python tools/fuzz_recipes.py --seed 1 --show 4711

A case fails when it raises anything but RecipeError or UsageError, takes longer than five seconds, brings the process
above 500 MB, has a problem that cannot be printed, opens a connection, starts a program, or opens a file that is
neither in the recipe's folder nor part of Python and rhflow.
"""

from __future__ import annotations

import argparse
import functools
import multiprocessing
import random
import resource
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tools.recipe_mutations import mutated  # noqa: E402 (the script may be started from anywhere)

MAX_SECONDS = 5.0
MAX_MEGABYTES = 500
PART = """\
rhflow: 1
params: {look: {type: string, default: soft}, image: {type: image}, n: {type: list, default: [1, 2]}}
vars: {v: "${{ params.look }}!"}
steps:
  a: {uses: text-to-image, foreach: "${{ params.n }}", with: {prompt: "${{ vars.v }} ${{ item }}"}}
  b: {uses: image-to-image, with: {images: ["${{ params.image }}", "${{ steps.a['1'].image }}"], prompt: x}}
outputs: {image: "${{ steps.b.image }}", all: "${{ steps.a.files }}"}
"""
CORPUS = ("pipelines/*.yaml", "tests/golden/errors/*.yaml")
_NEVER = ("socket.connect", "socket.bind", "socket.getaddrinfo", "subprocess.Popen", "os.system", "os.exec", "os.fork",
          "os.posix_spawn", "os.remove", "os.rename", "os.mkdir", "os.symlink", "shutil.rmtree")  # fmt: skip
_LOOKS = ("open", "os.scandir", "os.listdir")


class ForbiddenError(BaseException):
    """A case reached for what is outside; no handler of the code under test may take it for its own."""


class SlowError(BaseException):
    """A case took too long."""


@dataclass
class Report:
    """What came of many cases; ``failures`` are (case, what, traceback), one for each place in the code."""

    cases: int = 0
    valid: int = 0
    codes: Counter[str] = field(default_factory=Counter)
    slowest: tuple[float, int] = (0.0, -1)
    megabytes: float = 0.0
    failures: dict[str, tuple[int, str]] = field(default_factory=dict)

    def add(self, other: Report) -> None:
        """Take another worker's report in."""
        self.cases += other.cases
        self.valid += other.valid
        self.codes += other.codes
        self.slowest = max(self.slowest, other.slowest)
        self.megabytes = max(self.megabytes, other.megabytes)
        self.failures = other.failures | self.failures


class Guard:
    """An audit hook that knows one folder; armed only while a case runs."""

    def __init__(self) -> None:
        self.folder = ""
        self.armed = False
        self._allowed = tuple({str(ROOT / "rhflow"), str(ROOT / "schemas"), sys.prefix, sys.base_prefix})

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self.armed:
            return
        if event.startswith(_NEVER):
            raise ForbiddenError(f"{event} {arguments!r:.200}")
        if event in _LOOKS and arguments and isinstance(arguments[0], str | bytes | Path):
            path = str(Path(str(arguments[0])).absolute().resolve())
            if not path.startswith((self.folder, *self._allowed)):
                raise ForbiddenError(f"{event} {path}")


@functools.cache
def guard() -> Guard:
    """Return the one audit hook of this process: it cannot be taken away again."""
    made = Guard()
    sys.addaudithook(made)
    return made


@functools.cache
def _catalog() -> Any:
    """Return the catalogue; the validator of recipes, made anew for every one of them, is made once from here on."""
    from rhflow.catalog.catalog import Catalog
    from rhflow.core.text import shape

    made: list[Any] = []

    def once(schema: Any, make: Any = shape.validator) -> Any:
        made.extend([] if made else [make(schema)])
        return made[0]

    shape.validator = once
    return Catalog.load()


def outcome(text: str, folder: Path) -> list[str]:
    """Return the codes of the problems that rhflow has with a recipe: of warnings too, none where all is well."""
    from rhflow.app.recipes.load import load
    from rhflow.cli.render import problem_text
    from rhflow.core.errors import RecipeError, UsageError

    path = folder / "recipe.yaml"
    path.write_text(text, encoding="utf-8", newline="")
    try:
        recipe = load(path, _catalog())
        problems = list(recipe.warnings)
        _plan(recipe)
    except (RecipeError, UsageError) as error:
        problems = list(error.problems)
        assert problems, "an error without a problem"
    for problem in problems:
        problem_text(problem).encode("utf-8")
    return [problem.code for problem in problems]


def _plan(recipe: Any) -> None:
    """Plan a valid recipe as far as its defaults go, with nothing in the store and no file anywhere."""
    from rhflow.app.recipes.params import names_of
    from rhflow.core.errors import Problem, RecipeError
    from rhflow.core.graph.expand import expand
    from rhflow.core.plan.dry_run import dry_run
    from rhflow.core.plan.plan import World
    from rhflow.core.plan.planner import Planner

    def local(text: str) -> Any:
        raise RecipeError(Problem("no-such-file", f"there is no file `{text[:99]}`"))

    pipeline = recipe.pipeline
    params = {param.name: param.default for param in pipeline.params.values()}
    names = names_of(pipeline, params, {"id": "run", "date": "2026-01-01"})
    told = {"params": names.params, "vars": names.vars, "env": names.env, "run": names.run}
    world = World(_Nothing(), names, "live", local)
    dry_run(Planner(pipeline, expand(pipeline, told), recipe.calls, world))


class _Nothing:
    """An empty store."""

    def entries(self, keys: Any) -> dict[str, Any]:
        return {}

    def previous(self, nodes: Any) -> dict[str, Any]:
        return {}

    def lost(self, keys: Any) -> dict[str, Any]:
        return {}

    def bills(self) -> dict[str, Any]:
        return {}


def corpus() -> list[str]:
    """Return the recipes to begin with: those that are shipped count ten times."""
    shipped, wrong = (sorted(ROOT.glob(pattern)) for pattern in CORPUS)
    return [path.read_text(encoding="utf-8") for path in [*shipped * 10, *wrong]]


def case(seed: int, number: int, recipes: list[str]) -> str:
    """Return the text of one case."""
    chance = random.Random(f"{seed}:{number}")
    # What a file can hold: the loader has decoded it before
    return mutated(chance.choice(recipes), recipes, chance).encode("utf-8", "replace").decode()


@contextmanager
def playground() -> Iterator[Path]:
    """Make a folder for recipes to read in, with traps beside it, and drop it again."""
    with tempfile.TemporaryDirectory() as top:
        folder = Path(top).resolve() / "recipes"
        (folder / "folder").mkdir(parents=True)
        (folder / "near.txt").write_text("a near text\n", encoding="utf-8")
        (folder / "folder" / "deep.txt").write_text("a deep text\n", encoding="utf-8")
        (folder / "big.txt").write_text("x" * 1_100_000, encoding="utf-8")
        (folder / "part.yaml").write_text(PART, encoding="utf-8")
        (folder / "circle.yaml").write_text("rhflow: 1\nsteps: {a: {uses: ./recipe.yaml}}\n", encoding="utf-8")
        (folder / "bytes.bin").write_bytes(b"\xff\xfe\x00")
        secret = Path(top) / "secret.txt"
        secret.write_text("a secret\n", encoding="utf-8")
        (folder / "link.txt").symlink_to(secret)
        yield folder


def run(seed: int, numbers: range, *, seconds: float = float("inf")) -> Report:
    """Run the cases of these numbers, until they or the seconds end."""
    report, recipes = Report(), corpus()
    watch = guard()
    with playground() as folder:
        for recipe in dict.fromkeys(recipes):
            outcome(recipe, folder)  # everything that is imported late is imported now
        watch.folder = str(folder)
        end = time.monotonic() + seconds
        for number in numbers:
            if time.monotonic() > end:
                break
            _run_one(report, number, case(seed, number, recipes), folder)
    return report


def _run_one(report: Report, number: int, text: str, folder: Path) -> None:
    began = time.perf_counter()
    try:
        with _limits():
            codes = outcome(text, folder)
        report.valid += not codes
        report.codes.update(codes)
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        last = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{type(error).__name__} at {Path(last.filename).name}:{last.lineno}"
        report.failures.setdefault(where, (number, "".join(traceback.format_exception(error, limit=-6))))
    report.cases += 1
    report.slowest = max(report.slowest, (time.perf_counter() - began, number))
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    if megabytes > MAX_MEGABYTES >= report.megabytes:
        report.failures["memory"] = (number, f"{megabytes:.0f} MB")
    report.megabytes = max(report.megabytes, megabytes)


@contextmanager
def _limits() -> Iterator[None]:
    def slow(*_: Any) -> None:
        raise SlowError(f"more than {MAX_SECONDS} s")

    before = signal.signal(signal.SIGALRM, slow)
    signal.setitimer(signal.ITIMER_REAL, MAX_SECONDS)
    guard().armed = True
    try:
        yield
    finally:
        guard().armed = False
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _work(arguments: tuple[int, range, float]) -> Report:
    seed, numbers, seconds = arguments
    return run(seed, numbers, seconds=seconds)


def main() -> int:
    """Run as the command line says; 1 when a case fails."""
    parser = argparse.ArgumentParser(description="Feed damaged recipes to the loader.")
    parser.add_argument("--cases", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=float("inf"), help="stop earlier after this time")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--first", type=int, default=0, help="number of the first case")
    parser.add_argument(
        "--show", type=int, help="print the text of one case and what is wrong with it, run nothing else"
    )
    options = parser.parse_args()
    if options.show is not None:
        return _show(options.seed, options.show)
    began, report = time.monotonic(), Report()
    last = options.first + options.cases
    shares = [
        (options.seed, range(options.first + worker, last, options.workers), options.seconds)
        for worker in range(options.workers)
    ]
    with multiprocessing.get_context("spawn").Pool(options.workers) as pool:
        for part in pool.imap_unordered(_work, shares):
            report.add(part)
    _print(report, options.seed, time.monotonic() - began)
    return 1 if report.failures else 0


def _show(seed: int, number: int) -> int:
    text = case(seed, number, corpus())
    sys.stdout.write(text.encode("utf-8", "backslashreplace").decode() + "\n---\n")
    with playground() as folder:
        guard().folder = str(folder)
        with _limits():
            print(outcome(text, folder))
    return 0


def _print(report: Report, seed: int, seconds: float) -> None:
    print(f"seed {seed}: {report.cases:,} cases in {seconds:,.0f} s ({report.cases / seconds:,.0f} a second)")
    print(f"valid {report.valid:,}; slowest {report.slowest[0]:.2f} s (case {report.slowest[1]})", end="; ")
    print(f"peak {report.megabytes:.0f} MB; failures {len(report.failures)}")
    print("problems: " + ", ".join(f"{code} {count:,}" for code, count in report.codes.most_common()))
    for where, (number, text) in report.failures.items():
        print(f"\n== case {number}: {where}\n{text}")


if __name__ == "__main__":
    sys.exit(main())
