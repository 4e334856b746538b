"""From a wish for a graph, however it was said, to a task."""

from __future__ import annotations

import random
import uuid
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rhflow.core.canonical import digest
from rhflow.core.values import Json
from rhflow.simulator.accounts import Account
from rhflow.simulator.graphs.change import Change, changed, read_changes
from rhflow.simulator.graphs.check import UnfitGraphError, Verdict, judge
from rhflow.simulator.graphs.drawing import MACHINES, GraphJob
from rhflow.simulator.graphs.nodes import Graph, input_of
from rhflow.simulator.graphs.work import GraphWork
from rhflow.simulator.job import NodeError
from rhflow.simulator.library import Library
from rhflow.simulator.replies import RefusalError
from rhflow.simulator.simulator import Order, Simulator
from rhflow.simulator.tasks import Task, Ticket
from rhflow.simulator.workshop import Product, folder_for


@dataclass(frozen=True, slots=True)
class Wish:
    """What a request says about a graph that shall run; ``newer`` is whether it came by ``/openapi/v2``.

    ``graph`` is what it is about, ``changes`` what shall be other in it, ``fixed`` whether it came whole: then nothing
    is changed, nor its seeds.
    """

    newer: bool
    base: str
    changes: tuple[Change, ...]
    whole: Json
    machine: str
    may_wait: bool
    webhook: str
    retain: int
    metadata: bool
    endpoint: str = ""
    workflow_id: str = ""
    graph: Graph | None = None
    fixed: bool = False

    @classmethod
    def of(cls, body: Mapping[str, Json], *, base: str, newer: bool = False) -> Wish:
        """Return what the members that all such requests share say. Raises RefusalError."""
        wrong = "1007" if newer else "301"
        listed = body.get("nodeInfoList")
        if listed is None and newer and not body.get("workflow"):
            raise RefusalError(wrong, "`nodeInfoList` is required")
        machine = body.get("instanceType") or "default"
        if not isinstance(machine, str) or machine not in MACHINES:
            raise RefusalError(wrong, f"`instanceType` must be one of {', '.join(MACHINES)}")
        retain = body.get("retainSeconds") or 0
        if not isinstance(retain, int) or isinstance(retain, bool) or (retain and not 10 <= retain <= 180):
            raise RefusalError(wrong, "`retainSeconds` must be from 10 to 180")
        webhook = body.get("webhookUrl") or ""
        if not isinstance(webhook, str):
            raise RefusalError(wrong, "`webhookUrl` must be a string")
        return cls(
            newer=newer,
            base=base,
            changes=read_changes([] if listed is None else listed, newer=newer),
            whole=body.get("workflow"),
            machine=machine,
            may_wait=body.get("usePersonalQueue") in (True, "true"),
            webhook=webhook,
            retain=retain,
            metadata=body.get("addMetadata") not in (False, "false"),
        )

    @classmethod
    def of_prompt(cls, graph: Graph, *, machine: str, may_wait: bool) -> Wish:
        """Return a wish as ComfyUI itself takes it: a whole graph, and nothing else."""
        return cls(
            newer=False,
            base="",
            changes=(),
            whole={name: dict(node) for name, node in graph.items()},
            machine=machine,
            may_wait=may_wait,
            webhook="",
            retain=0,
            metadata=True,
            endpoint="proxy/prompt",
            graph=graph,
            fixed=True,
        )

    def of_workflow(self, library: Library, workflow_id: str) -> Wish:
        """Return it as a wish for a saved workflow, or for the graph that it brings itself. Raises RefusalError."""
        path = f"run/workflow/{workflow_id}" if self.newer else "task/openapi/create"
        saved = library.workflow(workflow_id)
        if saved is None:
            raise RefusalError("380")
        if not saved.ran:
            raise RefusalError("810")
        told = replace(self, endpoint=path, workflow_id=workflow_id, graph=saved.graph)
        if not self.whole:
            return told
        return replace(told, graph=library.read_graph(self.whole), changes=(), fixed=True)

    def of_app(self, library: Library, app_id: str) -> Wish:
        """Return it as a wish for an app: only the inputs of its form can be set. Raises RefusalError."""
        path = f"run/ai-app/{app_id}" if self.newer else "task/openapi/ai-app/run"
        if (app := library.app(app_id)) is None:
            raise RefusalError("901")
        for change in self.changes:
            if change.place not in app.places:
                raise RefusalError(
                    "1101" if self.newer else "803", f"the app has no input {change.node} `{change.field}`"
                )
        workflow = library.workflow(app.workflow)
        assert workflow is not None
        return replace(self, endpoint=path, workflow_id=app_id, graph=workflow.graph, whole=None, metadata=False)


def order_graph(simulator: Simulator, account: Account, wish: Wish) -> Task:
    """Begin the graph of a wish. Raises RefusalError when it cannot be."""
    _check_machine(account, wish.machine)
    simulator.check_room(account, may_wait=wish.may_wait)
    assert wish.graph is not None
    token = uuid.uuid4().hex if simulator.config.seed is None else f"{simulator.config.seed}/{simulator.counts}"
    client = uuid.UUID(int=random.Random(token).getrandbits(128)).hex
    graph = wish.graph if wish.fixed else changed(wish.graph, wish.changes, newer=wish.newer, seed=token)
    files = _files(simulator, account, graph)
    verdict = judge(graph, {*files, *simulator.library.names()})
    if wish.fixed and not verdict.result:
        raise UnfitGraphError(verdict)
    pays = "rent" if account.kind == "EXCLUSIVE" else "money" if account.pays_time_in_money else "coins"
    retain = wish.retain if account.kind == "SHARED" else 0
    work = GraphWork(wish.endpoint, wish.workflow_id, graph, verdict.order, wish.machine, pays, retain)
    queue, run = work.seconds(warm=simulator.library.warmed(account.key, wish.workflow_id, wish.machine))
    product = _product(simulator, work, verdict, files, metadata=wish.metadata)
    if not verdict.result:
        run = 1.0
    ticket = Ticket(client, verdict.tips(), wish.webhook, wish.base)
    return simulator.accept(account, Order(work, _key(wish), product, queue, run, ticket, wish.may_wait))


def _check_machine(account: Account, machine: str) -> None:
    if account.kind != "EXCLUSIVE":
        return
    if "expired" in account.words:
        raise RefusalError("436")
    if machine != ("plus" if "plus" in account.words else "default"):
        raise RefusalError("435")


def _key(wish: Wish) -> str:
    """Return what is equal for equal wishes, whatever seeds are drawn."""
    asked = {"at": wish.endpoint, "of": wish.workflow_id, "whole": wish.whole, "machine": wish.machine}
    return digest("simulated", {**asked, "changes": [[each.node, each.field, each.value] for each in wish.changes]})


def _files(simulator: Simulator, account: Account, graph: Graph) -> dict[str, Path]:
    """Return the uploaded files that a graph names, and those it has links to."""
    found: dict[str, Path] = {}
    for node in graph.values():
        for name, value in node["inputs"].items():
            takes = input_of(node, name)
            if not isinstance(value, str) or takes is None:
                continue
            file = None
            if takes.is_file:
                file = account.prompts.inputs.get(value) or simulator.files.served(f"input/{value}")
            if node["class_type"] == "LoadImageFromUrl":
                file = simulator.file_by_link(value)
            if file is not None:
                found[value] = file.path
    return found


def _product(
    simulator: Simulator, work: GraphWork, verdict: Verdict, files: Mapping[str, Path], *, metadata: bool
) -> Future[Product]:
    if not verdict.result:
        product: Future[Product] = Future()
        product.set_exception(NodeError(_unfit(verdict)))
        return product
    contents = {name: path.name for name, path in files.items()}
    shown: dict[str, Any] = {"graph": work.graph, "files": contents, "machine": work.machine, "metadata": metadata}
    key = digest("simulated-graph", shown)
    folder = folder_for(simulator.files.folder, key)
    job = GraphJob(
        work.graph,
        work.order,
        work.machine,
        files,
        int(key[:12], 16),
        folder,
        simulator.config.most,
        metadata,
        simulator.workshop.stop,
    )
    return simulator.workshop.start(key, job)


def _unfit(verdict: Verdict) -> dict[str, Any]:
    """Return why a task failed whose graph was not valid: it is noticed late."""
    node = next(iter(verdict.problems), "")
    told: Any = verdict.problems.get(node, {})
    return {
        "exception_type": "prompt_outputs_failed_validation",
        "exception_message": "; ".join(f"{each['message']}: {each['details']}" for each in told.get("errors", ()))
        or "Prompt has no outputs",
        "node_id": node,
        "node_name": told.get("class_type", ""),
        "current_inputs": {},
        "current_outputs": {},
        "traceback": [],
    }
