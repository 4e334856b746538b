"""What ``rhflow cache`` prints: tables and documents of results, findings and clean-ups."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from rhflow.cli import render

if TYPE_CHECKING:
    from rhflow.app.past.cache import Cleanup, Doomed, Findings, Removed, Stored

_HEAD = ("key", "model", "made", "cost", "files", "last used by", "")
_MOST = 40
_KEY = 12


def size(count: float) -> str:
    """Return a number of bytes for people."""
    unit, *larger = ("bytes", "kB", "MB", "GB", "TB")
    while count >= 1000 and larger:
        unit, *larger = larger
        count /= 1000
    return f"{count:.0f} {unit}" if unit == "bytes" or count >= 100 else f"{count:.1f} {unit}"


def listing(found: Sequence[Stored], limit: int) -> str:
    """Return results as a table with totals."""
    if not found:
        return "no results"
    lines = [_table(found, limit), "", _total(found)]
    if damaged := sum(bool(each.lost) for each in found):
        lines.append(f"{render.plural(damaged, 'result')} with files damaged or missing: `rhflow cache verify`")
    return "\n".join(lines)


def _table(found: Sequence[Stored], limit: int) -> str:
    table = render.table(_HEAD, map(_row, found[:limit]))
    return table + (f"\n… and {len(found) - limit:,} more" if len(found) > limit else "")


def _row(each: Stored) -> tuple[str, ...]:
    entry = each.entry
    marks = ["simulated"] if each.realm == "simulated" else []
    marks += [f"`{file.name}` is damaged or missing" for file in each.lost[:1]]
    return (
        each.key[:_KEY],
        entry.model or str(entry.ingredients.get("kind", "")),
        time.strftime("%Y-%m-%d %H:%M", time.localtime(entry.created)),
        "" if entry.cost is None else render.amount(entry.cost.to_json()),
        _files(each),
        _places(each),
        ", ".join(marks),
    )


def _files(each: Stored) -> str:
    files = each.entry.outputs.files
    if not files:
        return "text"
    more = f" (+{len(files) - 1})" if len(files) > 1 else ""
    return f"{files[0].name}{more}, {size(sum(each.files.values()))}"


def _places(each: Stored) -> str:
    shown = [f"{pipeline}/{node}" for pipeline, node in each.places[:2]]
    return ", ".join(shown) + (" …" if len(each.places) > 2 else "")


def _total(found: Sequence[Stored]) -> str:
    from rhflow.app.past.cache import bytes_of

    files = bytes_of(found)
    held = f"{render.plural(len(files), 'file')}, {size(sum(files.values()))}"
    return f"{render.plural(len(found), 'result')}, {held}{_worth(found)}"


def _worth(found: Iterable[Stored]) -> str:
    """Return what results had cost, as the end of a sentence."""
    from rhflow.app.past.cache import worth

    sums = worth(found)
    paid = [render.amount((amount, currency)) for (realm, currency), amount in sums.items() if realm == "live"]
    free = [render.amount((amount, currency)) for (realm, currency), amount in sums.items() if realm != "live"]
    parts = [f"paid: {', '.join(paid)}"] if paid else []
    parts += [f"simulated, would have cost: {', '.join(free)}"] if free else []
    return "; " + "; ".join(parts) if parts else ""


def listing_document(found: Sequence[Stored]) -> dict[str, Any]:
    """Return results as ``cache ls --json`` prints them."""
    from rhflow.app.past.cache import bytes_of

    files = bytes_of(found)
    totals = {"results": len(found), "files": len(files), "bytes": sum(files.values()), "worth": _worth_document(found)}
    return {"results": [result_document(each) for each in found], "totals": totals}


def _worth_document(found: Iterable[Stored]) -> list[dict[str, str]]:
    from rhflow.app.past.cache import worth

    return [
        {"realm": realm, "currency": currency, "amount": amount} for (realm, currency), amount in worth(found).items()
    ]


def result_document(each: Stored) -> dict[str, Any]:
    """Return one result as JSON documents show it."""
    entry = each.entry
    return {
        "key": each.key,
        "realm": each.realm,
        "model": entry.model,
        "kind": entry.ingredients.get("kind"),
        "created": entry.created,
        "used": each.used,
        "cost": None if entry.cost is None else {"amount": str(entry.cost.amount), "currency": entry.cost.currency},
        "task_id": entry.task_id,
        "files": [
            {"name": file.name, "sha256": file.digest, "size": file.size, "media_type": file.media_type}
            for file in entry.outputs.files
        ],
        "lost": [file.name for file in each.lost],
        "used_by": [{"pipeline": use.pipeline, "node": use.node, "run": use.run} for use in each.uses],
    }


def findings(found: Findings, recipes: Sequence[str]) -> str:
    """Return what a look at the store found, and what to type."""
    lines = [f"the database is damaged: {each}" for each in found.database[:_MOST]]
    lines += [f"damaged: sha256:{digest[:_KEY]}, moved to {aside}" for digest, aside in found.damaged[:_MOST]]
    if found.lost:
        lines += ["", "results that miss a file:", _table(found.lost, _MOST), ""]
        lines += [f"`rhflow plan {recipe}` shows what making them anew costs" for recipe in recipes[:5]]
        lines.append("`rhflow cache import FILE` brings them back from an archive, for nothing")
    if found.database:
        lines.append("copy the folder of the store, move `index.sqlite` aside, and run again: the files stay")
    if found.strays:
        took = size(sum(each for _, each in found.strays))
        lines.append(f"{render.plural(len(found.strays), 'stray file')} ({took}), such as {found.strays[0][0]}")
    looked = f"{render.plural(found.files, 'file')} ({size(found.bytes)}) and {render.plural(found.results, 'result')}"
    verdict = "all is as it should be" if found.sound else "something is wrong"
    return "\n".join([*lines, f"looked at {looked}: {verdict}"])


def findings_document(found: Findings, recipes: Sequence[str]) -> dict[str, Any]:
    """Return findings as ``cache verify --json`` prints them."""
    return {
        "sound": found.sound,
        "files": found.files,
        "bytes": found.bytes,
        "results": found.results,
        "database": list(found.database),
        "damaged": [{"sha256": digest, "moved_to": str(aside)} for digest, aside in found.damaged],
        "lost": [result_document(each) for each in found.lost],
        "strays": [{"path": str(path), "size": each} for path, each in found.strays],
        "recipes": list(recipes),
    }


def swept(done: Cleanup, dry_run: bool) -> str:
    """Return what a clean-up removed, or would."""
    lines = [_table(done.results, _MOST), ""] if done.results else []
    went = "would go" if dry_run else "gone"
    what = f"{render.plural(len(done.results), 'result')} and {render.plural(len(done.files), 'file')}"
    lines.append(f"{went}: {what}, {size(sum(done.files.values()))}{_worth(done.results)}")
    if done.kept:
        why = ", ".join(f"{count:,} {reason}" for reason, count in sorted(done.kept.items()))
        lines.append(f"kept: {why}; {size(done.left)} in all")
    return "\n".join(lines)


def swept_document(done: Cleanup, dry_run: bool) -> dict[str, Any]:
    """Return a clean-up as ``cache gc --json`` prints it."""
    return {
        "dry_run": dry_run,
        "results": [result_document(each) for each in done.results],
        "files": [{"sha256": digest, "size": each} for digest, each in done.files.items()],
        "bytes": sum(done.files.values()),
        "worth": _worth_document(done.results),
        "kept": dict(done.kept),
        "left": done.left,
    }


def about_to_go(found: Doomed) -> str:
    """Return what ``cache rm`` is about to remove."""
    if not found.results:
        return "no result has that file; it goes if nothing else needs it" if found.digests else "that run made nothing"
    return f"{_table(found.results, _MOST)}\n\n{_total(found.results)}"


def gone(done: Removed) -> str:
    """Return what ``cache rm`` removed."""
    what = f"{render.plural(len(done.keys), 'result')} and {render.plural(len(done.files), 'file')}"
    return f"gone: {what}, {size(sum(done.files.values()))}; making them anew costs again, delivered files stay"
