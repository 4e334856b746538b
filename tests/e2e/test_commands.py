"""Every command as a user types it, and every wrong recipe as a user writes it."""

from __future__ import annotations

import json

import pytest
from jsonschema import Draft202012Validator

from rhflow.contract import load_schema
from tests.e2e.case import PIPELINES, Case

HEAD = "rhflow: 1\nsteps:\n"
STEP = "  s: {uses: text-to-image, with: {prompt: x, aspect_ratio: 16:9}}\n"


def upscale(step: str, reads: str) -> str:
    """Return a step that enlarges the picture of another."""
    return f"  {step}: {{uses: upscale, with: {{image: '${{{{ steps.{reads}.image }}}}', scale: 2x}}}}\n"


WRONG = {
    "unknown step": (HEAD + upscale("s", "t"), "not a step"),
    "unknown model": (HEAD + "  s: {uses: text-to-image, model: nano, with: {prompt: x}}\n", "no model"),
    "unknown field": (HEAD + "  s: {uses: text-to-image, with: {promt: x}}\n", "did you mean `prompt`"),
    "wrong enum": (HEAD + STEP.replace("16:9", "'7:1'"), "choose from"),
    "missing param": (
        "rhflow: 1\nparams: {p: {type: string}}\nsteps:\n" + STEP.replace("x,", "'${{ params.p }}',"),
        "-p p=",
    ),
    "cycle": (HEAD + upscale("a", "b") + upscale("b", "a"), "waits for itself"),
    "duplicate key": (HEAD + STEP + STEP, "already used on line 3"),
    "bad yaml": (HEAD + "\ts: {}\n", "indent with spaces"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_recipes_give_place_caret_and_hint_and_no_request(name: str, case: Case) -> None:
    text, hint = WRONG[name]
    # Nothing listens there: a request would be another error than the one that is expected
    case.env = {"RUNNINGHUB_BASE_URL": "http://127.0.0.1:9", "RUNNINGHUB_API_KEY": "k"}
    done = case.recipe(text).run("run", "recipe.yaml").exit(3)
    done.says("error[", "--> recipe.yaml:", "^", "hint: ", hint)
    assert done.out == ""


def test_a_ratio_without_quotes_is_right(case: Case) -> None:
    case.recipe(f"rhflow: 1\nsteps:\n{STEP}").run("validate", "recipe.yaml").exit(0).says("valid")


def test_without_a_key_the_simulator_is_offered(case: Case) -> None:
    case.recipe(f"rhflow: 1\nsteps:\n{STEP}").run("run", "recipe.yaml").exit(4).says("RUNNINGHUB_API_KEY", "--simulate")


def test_a_missing_recipe(case: Case) -> None:
    case.recipe("", "poster.yaml").run("run", "poste.yaml").exit(2).says("did you mean `poster.yaml`")


def test_an_unknown_command_and_option(case: Case) -> None:
    case.run("rnu").exit(2).says("did you mean `run`")
    case.run("poster.yaml").exit(2).says("rhflow run poster.yaml")
    case.run("run", "--simulat", "x.yaml").exit(2).says("error[usage]: ", "did you mean `--simulate`")


def test_an_unknown_param_and_a_bad_value(case: Case) -> None:
    recipe = str(PIPELINES / "still-to-clip.yaml")
    case.run("run", recipe, "--simulate", "-p", "moton=x").exit(2).says("did you mean `motion`")
    case.run("run", recipe, "--simulate", "-p", "ratio=4:3").exit(3).says("must be one of")
    case.run("run", recipe, "--simulate", "-p", "motion").exit(2).says("write `-p motion=value`")


def test_params_from_a_file_and_the_command_line_wins(case: Case) -> None:
    case.recipe("subject: a barn\nmotion: from the file\n", "values.yaml")
    options = ("--simulate", "--params", "values.yaml", "-p", "subject=a boat", "--json")
    plan = case.run("plan", str(PIPELINES / "still-to-clip.yaml"), *options)
    inputs = plan.exit(0).document["nodes"][0]["inputs"]
    assert inputs["prompt"].startswith("a boat")


def test_init_makes_a_recipe_that_runs_with_a_schema_beside_it(case: Case) -> None:
    case.run("init").exit(0).says("rhflow run recipe.yaml --simulate")
    case.run("validate", "recipe.yaml").exit(0)
    first = (case.folder / "recipe.yaml").read_text(encoding="utf-8").splitlines()[0]
    schema = case.folder / first.rpartition("=")[2]
    assert json.loads(schema.read_text(encoding="utf-8")) == load_schema("pipeline.full")
    case.run("init").exit(2).says("already there")


def test_text_run_show_and_runs(case: Case) -> None:
    case.recipe("rhflow: 1\nname: words\nsteps:\n  say: {uses: text-to-text, with: {prompt: hello}}\n")
    report = case.run("run", "recipe.yaml", "--simulate", "--speed", "500", "--json").exit(0).document
    Draft202012Validator(load_schema("run")).validate(report)
    case.run("runs").exit(0).says(report["run"], "words", "simulated")
    case.run("show").exit(0).says("say", "succeeded", "rhart-text")
    shown = case.run("show", report["run"], "--json").exit(0).document
    assert shown["nodes"][0]["status"] == "succeeded"
    case.run("show", "nothing").exit(2).says("there is no run `nothing`")


def test_simulated_results_never_answer_a_live_run(case: Case) -> None:
    case.recipe("rhflow: 1\nsteps:\n  say: {uses: text-to-text, with: {prompt: hello}}\n")
    case.run("run", "recipe.yaml", "--simulate", "--speed", "500").exit(0)
    case.run("plan", "recipe.yaml", "--simulate").exit(0).says("nothing to run")
    case.run("plan", "recipe.yaml").exit(0).says("1 step to run")


@pytest.mark.parametrize("form", ["mermaid", "dot"])
def test_graph(case: Case, form: str) -> None:
    done = case.run("graph", str(PIPELINES / "two-looks.yaml"), "--format", form).exit(0)
    assert done.out.count("-->" if form == "mermaid" else "->") == 4


@pytest.mark.parametrize("name", sorted(path.stem for path in PIPELINES.glob("*.yaml")))
def test_plans_of_shipped_recipes(name: str, case: Case, golden) -> None:
    plan = case.run("plan", str(PIPELINES / f"{name}.yaml"), "--simulate").exit(0)
    golden(f"plans/{name}.txt", plan.out)


def test_a_secret_parameter_is_kept_nowhere(case: Case) -> None:
    secret = "voice-id-8842-hidden"
    case.recipe(
        "rhflow: 1\nparams: {voice: {type: string, secret: true}}\nvars: {said: 'speak as ${{ params.voice }}'}\n"
        "steps:\n  a: {uses: text-to-text, with: {prompt: '${{ vars.said }}'}}\n"
        "  b: {uses: text-to-text, with: {prompt: 'again ${{ params.voice }}'}}\n"
        "outputs: {s: 'for ${{ params.voice }}', list: [1, '${{ vars.said }}'], a: '${{ steps.a.text }}'}\n"
    )
    options = ("--simulate", "--speed", "500", "-p", f"voice={secret}")
    run = case.run("run", "recipe.yaml", *options).exit(0)
    for edited in ("", "# edited\n"):  # answered from the memo, and worked out again
        case.recipe((case.folder / "recipe.yaml").read_text(encoding="utf-8") + edited)
        told = case.run("run", "recipe.yaml", *options, "--json").exit(0)
        assert told.document["outputs"]["s"] == "(secret)" and secret not in told.out
    plan = case.run("plan", "recipe.yaml", *options[:1], *options[3:], "--json").exit(0)
    assert [node["will"] for node in plan.document["nodes"]] == ["reuse", "reuse"]
    other = case.run("plan", "recipe.yaml", "--simulate", "-p", "voice=another", "--json").exit(0)
    assert [node["will"] for node in other.document["nodes"]] == ["run", "run"]
    assert secret not in run.out + run.err + plan.out + plan.err
    kept = [
        path for path in (case.folder / "store").rglob("*") if path.is_file() and secret.encode() in path.read_bytes()
    ]
    assert not kept


def test_a_folder_that_cannot_be_made_is_found_before_anything_is_paid(case: Case) -> None:
    case.recipe(f"rhflow: 1\nsteps:\n{STEP}")
    (case.folder / "out").write_text("in the way", encoding="utf-8")
    done = case.run("run", "recipe.yaml", "--simulate", "-o", "out/today").exit(1)
    done.says("error[out-unusable]", "`out` is not a folder", "hint: deliver elsewhere with `--out DIR`")
    assert "accepted as task" not in done.err
    case.run("runs").exit(0).says("no runs yet")
