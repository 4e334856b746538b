"""The schema of recipes for editors: the loader's contract, made to propose and explain what can be written.

The contract stays small because every load pays for it. An editor can afford more, so two schemas are made of it and
of the catalogue: the *light* one also knows the kinds of step and the models; the *full* one also knows what each
model takes. They are checked in beside the contract and hold nothing that is written by hand.

Only words of draft 7 (and ``$defs``) are used, and conditions instead of ``oneOf``: that is what editors understand
best. ``doNotSuggest`` is read by VS Code and yaml-language-server and keeps second names out of the proposals.
"""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rhflow.core.inputs.describe import meaning, usual_price
from rhflow.core.inputs.input_schema import Schema, escaped, input_schema, ratio_schema, spread_schema
from rhflow.core.inputs.signature import Signature
from rhflow.core.kinds import KindSpec, Model, Models
from rhflow.core.values import Artifact, Pending

_ANYTHING = ["string", "number", "boolean", "array", "object"]
_RECIPE_AS_STEP = r"^\.{1,2}/.+\.ya?ml$"


def light_schema(contract: Mapping[str, Any], kinds: Mapping[str, KindSpec], models: Models) -> Schema:
    """Return the contract with the kinds of step and the ids of models to choose from."""
    schema: Schema = copy.deepcopy(dict(contract))
    del schema["title"]  # editors would put it above every hint
    defs: Schema = schema["$defs"]
    defs["uses"] |= _uses(kinds.values())
    defs["model"] = _model_schema(defs["model"]["description"], _all(models))
    steps: Schema = schema["properties"]["steps"]
    steps["allOf"] = [{"items": steps.pop("items")}]  # out of the way: editors would propose a list before a map
    schema["properties"]["defaults"] |= {
        "properties": {
            kind.name: {"description": _said(kind.description), "type": "object", "allOf": [_ref("defaults")]}
            for kind in kinds.values()
        },
        "patternProperties": {_RECIPE_AS_STEP: {"$ref": "#/$defs/defaults"}},
        "additionalProperties": False,
    }
    return schema


def full_schema(contract: Mapping[str, Any], kinds: Mapping[str, KindSpec], models: Models) -> Schema:
    """Return the light schema with the inputs of every kind and model."""
    schema = light_schema(contract, kinds, models)
    schema["$defs"]["model"] = contract["$defs"]["model"]  # each kind proposes its own models instead
    return _Full(schema, kinds, models).schema


def render(schema: Mapping[str, Any]) -> str:
    """Return a schema as text: one definition per line, so that a change to one model is a change to few lines."""
    members = {name: value for name, value in schema.items() if name != "$defs"}
    lines = [f"{_compact(name)}: {_compact(value)}" for name, value in members.items()]
    defs = ",\n".join(f"{_compact(name)}: {_compact(value)}" for name, value in schema["$defs"].items())
    return "{\n" + ",\n".join([*lines, f'"$defs": {{\n{defs}\n}}']) + "\n}\n"


class _Full:
    """Adds the inputs to a light schema; equal parts are defined once."""

    def __init__(self, schema: Schema, kinds: Mapping[str, KindSpec], models: Models) -> None:
        self.schema, self._models = schema, models
        self._defs: Schema = schema["$defs"]
        served = [each for each in _all(models) if each.callable]
        self._aliases = sorted({each.alias for model in served for each in model.fields if each.alias} | {"text"})
        by_kind = {name: [each for each in served if set(each.tasks) & set(kind.tasks)] for name, kind in kinds.items()}
        self._defs["step_inputs"] = {"allOf": [self._kind_branch(kinds[name], by_kind[name]) for name in kinds]}
        steps: Schema = schema["properties"]["steps"]
        # The inputs go before the keys: editors show the first explanation they find
        steps["additionalProperties"] = {"allOf": [_ref("step_inputs"), _ref("step")]}
        steps["allOf"] = [{"items": {"allOf": [_ref("step_inputs"), _ref("listed_step")]}}]
        schema.setdefault("allOf", []).extend(
            self._unnamed_branch(each) for each in kinds.values() if self._default(each)
        )
        for name, kind in kinds.items():
            self._defaults_of(kind, by_kind[name])

    def _kind_branch(self, kind: KindSpec, models: Sequence[Model]) -> Schema:
        """Return what a step of this kind takes: by the model it names, or rhflow's own inputs."""
        if not kind.tasks:
            signature = Signature(kind.name, kind.fields)
            return _if({"uses": {"const": kind.name}}, {"with": self._inputs(kind.name, signature, kind.description)})
        branches = [
            _if({"model": {"pattern": _references(each)}}, {"with": self._model_inputs(each)}) for each in models
        ]
        found = _if({"uses": {"const": kind.name}}, {"model": _model_schema(_choose(kind), models)})
        found["then"]["allOf"] = branches
        return found

    def _unnamed_branch(self, kind: KindSpec) -> Schema:
        """Return what a step of this kind takes that names no model, as long as ``defaults`` names none either."""
        taken = {task: self._model_inputs(model) for task, model in self._default(kind).items()}
        own = {"properties": {"with": next(iter(taken.values()))}} if len(taken) == 1 else _by_media(taken)
        unnamed = {"required": ["uses"], "properties": {"uses": {"const": kind.name}}, "not": {"required": ["model"]}}
        self._defs[f"default-{kind.name}"] = {"if": unnamed, "then": own}
        named = {"defaults": {"required": [kind.name], "properties": {kind.name: {"required": ["model"]}}}}
        found = _ref(f"default-{kind.name}")
        every = {"additionalProperties": found, "items": found, "doNotSuggest": True}
        return {"if": {"required": ["defaults"], "properties": named}, "else": {"properties": {"steps": every}}}

    def _default(self, kind: KindSpec) -> dict[str, Model]:
        """Return the default model of each task of a kind."""
        return {task: found for task in kind.tasks if (found := self._models.default_for(task)) is not None}

    def _defaults_of(self, kind: KindSpec, models: Sequence[Model]) -> None:
        """Let ``defaults`` propose the inputs of a kind without judging them: its steps may name several models."""
        aliases = {each.alias for model in models for each in model.fields if each.alias}
        inputs = {each: {"description": _said(meaning(each) or each), "type": _ANYTHING} for each in sorted(aliases)}
        properties: Schema = {"with": {"properties": inputs}}
        if models:
            properties["model"] = _model_schema(_choose(kind), models)
        entry: Schema = self.schema["properties"]["defaults"]["properties"][kind.name]
        entry["allOf"].append({"properties": properties})

    def _model_inputs(self, model: Model) -> Schema:
        said = f"what `{model.id}` takes ({usual_price(model)})"
        return self._inputs(model.id, Signature(model.id, model.fields, model), said, spread=model.spread)

    def _inputs(
        self, name: str, signature: Signature, said: str, *, spread: Mapping[str, Sequence[str]] | None = None
    ) -> Schema:
        """Return a reference to the inputs by every name that the loader takes."""
        if f"with-{name}" not in self._defs:
            own = {each.name: each for each in signature.fields}
            properties: Schema = {each: _ref(self._field(signature, each)) for each in signature.names()}
            for alias, names in (spread or {}).items():
                properties[alias] = spread_schema([own[each] for each in names])
            for each in [*own, *self._aliases]:
                if each not in properties and _takes(signature, each):
                    properties[each] = self._second_name(signature, each)
            taken = {"type": "object", "properties": properties, "additionalProperties": False}
            self._defs[f"with-{name}"] = {"description": _said(said), **taken}
        return _ref(f"with-{name}")

    def _second_name(self, signature: Signature, name: str) -> Schema:
        """Return what a name accepts that stands for an input which is proposed by another name."""
        if signature.field_for(name) is None:
            return ratio_schema()
        return _ref(self._field(signature, name, doNotSuggest=True))

    def _field(self, signature: Signature, name: str, **more: bool) -> str:
        """Define what a name accepts, once for all inputs that are alike, and return the definition's name."""
        field = signature.field_for(name)
        assert field is not None
        schema = input_schema(field, name) | more
        key = f"{name}-{hashlib.sha256(_compact(schema).encode()).hexdigest()[:8]}"
        self._defs[key] = schema
        return key


def _all(models: Models) -> list[Model]:
    return [each for name in models.names() if (each := models.find(name)) is not None]


def _uses(kinds: Iterable[KindSpec]) -> Schema:
    listed = [{"const": each.name, "description": _said(each.description)} for each in kinds]
    return {"anyOf": [*listed, {"type": "string", "pattern": _RECIPE_AS_STEP}]}


def _model_schema(description: str, models: Iterable[Model]) -> Schema:
    """Return the ids of the models that may be proposed; any other name or an expression is allowed."""
    listed = [
        {"const": each.id, "description": f"{each.title}: {', '.join(each.tasks)}; {usual_price(each)}"}
        for each in models
        if each.callable and each.status == "active"
    ]
    return {"anyOf": [*listed, {"type": "string", "description": description}]}


def _choose(kind: KindSpec) -> str:
    return f"The model that makes {kind.description}: an id, a display name or an endpoint. May be left out."


def _references(model: Model) -> str:
    """Return the pattern of the names of a model; editors would list an ``enum`` among the values to choose from."""
    names = dict.fromkeys((model.id, model.title, model.endpoint))
    return f"^({'|'.join(map(escaped, names))})$"


def _takes(signature: Signature, name: str) -> bool:
    """Whether the loader takes an input by this name: asked of the loader's own code."""
    troubles = signature.bind({name: Pending()}, _no_file).troubles
    return not any(each.code == "unknown-input" for each in troubles)


def _no_file(path: str) -> Artifact | Pending:
    return Pending()


def _if(condition: Schema, then: Schema) -> Schema:
    return {"if": {"required": list(condition), "properties": condition}, "then": {"properties": then}}


def _by_media(taken: Mapping[str, Schema]) -> Schema:
    """Return what a kind of several tasks takes: the medium that goes in decides, as it does for the loader."""
    found: Schema = {"properties": {"with": {"anyOf": list(taken.values())}}}
    for task, inputs in taken.items():
        family = task.rpartition("-")[2]
        goes_in = {"anyOf": [{"required": [family]}, {"required": [f"{family}s"]}]}
        found = {**_if({"with": goes_in}, {"with": inputs}), "else": found}
    return found


def _ref(name: str) -> Schema:
    return {"$ref": f"#/$defs/{name}"}


def _said(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def _compact(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
