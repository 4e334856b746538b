"""Random recipes with loops, conditions and failures: a run ends, and running again does no more than it must."""

from __future__ import annotations

import asyncio
import random
import zlib

from hypothesis import given, settings
from hypothesis import strategies as st

from rhflow.core.errors import Problem, RecipeError, StepError
from rhflow.core.plan.calls import StepCall
from rhflow.core.plan.plan import Reuse
from rhflow.core.values import Outputs
from tests.fakes import FakeExecutor
from tests.support import Bench, statuses

KEYS = {"[a, b, c]": "abc", "[a]": "a", "[]": "", "{x: 1, y: 2}": "xy", "{range: 2}": "01"}
LISTS = tuple(KEYS)
SAYS = ('["u", "v"]', "[]", '["w", {"key": "k"}]', "[1, 1]", "no JSON")
ITEM = "${{ item.key if item is mapping and 'key' in item else index }}"


def recipe(dice: random.Random) -> str:
    """Return a recipe whose steps read earlier ones in every way there is, written in any order."""
    loops: dict[str, bool] = {}
    known: dict[str, str] = {}
    lines = []
    for at in range(dice.randint(2, 7)):
        name, earlier = f"s{at}", list(loops)
        loop = _loop(dice, loops)
        keys = [loop, *_rules(dice, earlier, looped=loop is not None)]
        words = [f"p{dice.randint(0, 3)}"]
        words += [ITEM] if loop is not None and loop.startswith("foreach") and dice.random() < 0.7 else []
        words += ["${{ key }}"] if loop is not None and dice.random() < 0.5 else []
        words += [
            f"${{{{ steps.{each}.{'texts | length' if loops[each] else 'text'} }}}}"
            for each in earlier
            if dice.random() < 0.3
        ]
        words += [
            f"${{{{ steps.{each}['{dice.choice(items)}'].text }}}}"
            for each, items in known.items()
            if items and dice.random() < 0.4
        ]
        keys.append(f'with: {{prompt: "{" ".join(words)}"}}')
        lines.append(f"  {name}: {{uses: text-to-text, {', '.join(key for key in keys if key)}}}")
        loops[name] = loop is not None
        known[name] = KEYS.get(str(loop).removeprefix("foreach: "), "")
    dice.shuffle(lines)
    return "\n".join(["steps:", *lines, ""])


def _loop(dice: random.Random, loops: dict[str, bool]) -> str | None:
    match dice.randint(0, 7):
        case 0 | 1:
            return f"foreach: {dice.choice(LISTS)}"
        case 2 | 3 if loops:
            name = dice.choice(list(loops))
            over = f"items{dice.choice(('', '', ' | reverse', ' | pairs'))}" if loops[name] else "json"
            return f'foreach: "${{{{ steps.{name}.{over} }}}}"{dice.choice(("", ", chain: true", ", variations: 2"))}'
        case 4:
            return "matrix: {m: [p, q], exclude: [{m: p}]}, variations: 2"
        case _:
            return None


def _rules(dice: random.Random, earlier: list[str], *, looped: bool) -> list[str]:
    asked = ["true", "1 > 2", *(["index < 1", "key != 'a'"] if looped else [])]
    asked += [f"steps.{name}.status {sign} 'succeeded'" for name in earlier[:1] for sign in ("==", "!=")]
    return [
        f"on_error: {dice.choice(('continue', 'skip'))}",
        f"if: {dice.choice(asked)}" if dice.random() < 0.3 else "",
        f"needs: [{dice.choice(earlier)}]" if earlier and dice.random() < 0.3 else "",
        "pool: few" if dice.random() < 0.2 else "",
    ]


def say(call: StepCall) -> Outputs:
    """Return what follows from the call alone: a text, or a failure."""
    chance = zlib.crc32(call.key.encode()) % 100
    if chance < 15:
        raise StepError(Problem("task-failed", "no"))
    return Outputs(texts=(SAYS[chance % len(SAYS)],))


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 2**32))
def test_a_run_ends_and_running_again_changes_nothing(seed: int) -> None:
    text = recipe(random.Random(seed))
    first = Bench(text, executor=FakeExecutor({"text-to-text": say}))
    try:
        first.plan()
    except RecipeError:
        return  # what a recipe reads may not be there, whatever is said
    first = first.again(executor=FakeExecutor({"text-to-text": say}))
    ended = asyncio.run(asyncio.wait_for(first.run(), 20))
    assert set(statuses(ended).values()) <= {"succeeded", "failed", "skipped", "empty"}

    planned = first.again().plan()
    second = first.again(executor=FakeExecutor({"text-to-text": say}))
    again = asyncio.run(asyncio.wait_for(second.run(), 20))
    assert statuses(again) == statuses(ended)
    assert {node for node in second.executor.nodes if ended[node].status == "succeeded"} == set()
    reused = {node for node, decision in planned.decisions.items() if isinstance(decision, Reuse)}
    assert reused <= {node for node, result in again.items() if result.cached}
