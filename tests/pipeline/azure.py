"""A stand-in for Azure Pipelines, as far as our templates need it; whatever else a file holds is an error here.

It runs the stages in their order with the scripts of their steps for real, reads the logging commands as the agent
does, and keeps artifacts as folders. AzureCLI@2 signs in nowhere: it sets the variables that the task sets for its
script (Tasks/AzureCLIV2/azureclitask.ts). Nobody is asked for approvals: that is the part of their own stand-in.
"""

import re
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from .azure_templates import Templates, Values, as_text, evaluate

_RUNTIME_EXPRESSION = re.compile(r"\$\[(.*)\]")
_MACRO = re.compile(r"\$\(([\w.]+)\)")
_COMMAND = re.compile(r"##vso\[(\w+\.\w+)(?: ([^\]]*))?\](.*)")
_ESCAPES = {"%3B": ";", "%0D": "\r", "%0A": "\n", "%5D": "]", "%AZP25": "%"}  # docs/design/percentEncoding.md
_PARTS = {
    "stage": {"stage", "displayName", "pool", "dependsOn", "condition", "lockBehavior", "jobs"},
    "job": {"job", "timeoutInMinutes", "variables", "steps"},
    "deployment": {"deployment", "timeoutInMinutes", "cancelTimeoutInMinutes", "environment", "variables", "strategy"},
    "step": {"name", "displayName", "condition", "env", "inputs", "artifact"},
}


@dataclass
class Stage:
    """What became of a stage."""

    result: str
    """succeeded, failed or skipped."""
    codes: dict[str, int] = field(default_factory=dict)
    """The exit codes of the named steps that ran."""
    outputs: dict[str, str] = field(default_factory=dict)
    """Output variables, as STEP.VARIABLE."""
    summaries: list[str] = field(default_factory=list)
    issues: list[tuple[str, str]] = field(default_factory=list)
    """Type and text of what was logged as an issue."""
    log: str = ""
    """All that the steps said, without any masking."""


@dataclass
class Pipeline:
    """A run of a pipeline.

    Attributes:
        document: The pipeline.
        repositories: See ``Templates``; ``self`` is what is checked out.
        folder: Where its workspaces and artifacts are.
        connections: The ids that belong to each service connection.
        variables: Further variables of the agent, such as System.CollectionUri.
        token: What System.AccessToken is.
        environment: The agent's own environment.
        before: Called with the run and each stage's name before it starts: what happens meanwhile.
    """

    document: Values
    repositories: Mapping[str, Path]
    folder: Path
    connections: Mapping[str, Mapping[str, str]]
    variables: Mapping[str, str]
    token: str
    environment: Mapping[str, str]
    before: Callable[["Pipeline", str], object]
    stages: dict[str, Stage] = field(default_factory=dict)

    def run(self) -> Mapping[str, Stage]:
        """Run all stages, one after the other."""
        previous: list[str] = []
        for stage in Templates(self.repositories).expand(self.document)["stages"]:
            _require_known(stage, _PARTS["stage"])
            name, needed = stage["stage"], stage.get("dependsOn", previous)
            self.stages[name] = self._stage(stage, [needed] if isinstance(needed, str) else needed)
            previous = [name]
        return self.stages

    def artifact(self, name: str) -> Path:
        """The folder of an artifact."""
        return self.folder / "artifacts" / name

    def _stage(self, stage: Values, needed: Sequence[str]) -> Stage:
        seen = {name: self.stages[name] for name in needed}  # no others can be referred to
        (job,) = stage["jobs"]
        kind = "job" if "job" in job else "deployment"
        _require_known(job, _PARTS[kind])
        # Each stage here has one job of its own name.
        outputs = {
            name: {"outputs": {f"{name}.{key}": value for key, value in one.outputs.items()}}
            for name, one in seen.items()
        }
        succeeded = {"succeeded": lambda: all(one.result == "succeeded" for one in seen.values())}
        if job[kind] != stage["stage"]:
            raise ValueError(f"The job of stage {stage['stage']} has another name")
        if not evaluate(stage.get("condition", "succeeded()"), {"dependencies": outputs}, succeeded):
            return Stage("skipped")
        self.before(self, stage["stage"])
        steps = job["steps"] if kind == "job" else job["strategy"]["runOnce"]["deploy"]["steps"]
        if kind == "deployment" and steps[0] != {"download": "none"}:
            raise ValueError("A deployment job downloads all artifacts unless its first step says not to")
        earlier = {"stageDependencies": {name: {name: {"outputs": one.outputs}} for name, one in seen.items()}}
        running = _Job(self, stage["stage"], Stage("succeeded"))
        for name, value in job.get("variables", {}).items():
            expression = _RUNTIME_EXPRESSION.fullmatch(value)
            running.set(name, as_text(evaluate(expression.group(1), earlier)) if expression else value)
        for step in steps:
            running.step(step)
        return running.stage


class _Job:
    """A job on an agent with a workspace of its own."""

    def __init__(self, pipeline: Pipeline, name: str, stage: Stage) -> None:
        self._pipeline = pipeline
        self.stage = stage
        workspace, temporary = (pipeline.folder / name / part for part in ("1", "_temp"))
        self._sources = workspace / "s"
        for folder in (self._sources, temporary):
            folder.mkdir(parents=True)
        self._variables: dict[str, tuple[str, str]] = {}
        agent = {
            "TF_BUILD": "True",
            "Agent.TempDirectory": str(temporary),
            "Pipeline.Workspace": str(workspace),
            "Build.SourcesDirectory": str(self._sources),
            "System.StageName": name,
            "System.StageAttempt": "1",
            **pipeline.variables,
        }
        for variable, value in agent.items():
            self.set(variable, value)

    def set(self, name: str, value: str) -> None:
        """Set a variable; the case of its name does not matter."""
        self._variables[name.casefold()] = (name, value)

    def step(self, step: Values) -> None:
        """Run a step, if its condition holds."""
        (kind,) = set(step) - _PARTS["step"]
        failed = self.stage.result == "failed"
        functions = {"succeeded": lambda: not failed, "always": lambda: True}
        if not evaluate(step.get("condition", "succeeded()"), {}, functions):
            return
        what = self._resolved(step[kind])
        artifact = self._pipeline.artifact(self._resolved(step.get("artifact", "")))
        match kind, what:
            case (("checkout" | "download"), "none"):
                return
            case "checkout", "self":
                shutil.copytree(self._pipeline.repositories["self"], self._sources, dirs_exist_ok=True)
            case "download", "current":
                shutil.copytree(artifact, self._sources.parent / artifact.name)
            case "publish", _:
                shutil.copytree(what, artifact)  # fails where there is one, as with the service
            case "bash", _:
                self._script(step, what, {})
            case "task", "AzureCLI@2":
                inputs = {name: self._resolved(value) for name, value in step["inputs"].items()}
                if (inputs["scriptType"], inputs["scriptLocation"]) != ("bash", "inlineScript"):
                    raise ValueError("Only inline bash is understood")
                ids = self._pipeline.connections[inputs["azureSubscription"]]
                signed_in = {f"AZURESUBSCRIPTION_{name}": value for name, value in ids.items()}
                self._script(step, inputs["inlineScript"], signed_in)
            case _:
                raise ValueError(f"This step is not understood: {step}")

    def _resolved(self, text: object) -> str:
        """The text with its macros; one that names no variable is left as it stands."""
        if not isinstance(text, str):
            return as_text(text)

        def value(found: re.Match[str]) -> str:
            if found.group(1) == "System.AccessToken":  # a secret, which is in no environment by itself
                return self._pipeline.token
            _, known = self._variables.get(found.group(1).casefold(), ("", found.group()))
            return known if known == found.group() else self._resolved(known)

        return _MACRO.sub(value, text)

    def _script(self, step: Values, script: str, more: Mapping[str, str]) -> None:
        environment = {
            **self._pipeline.environment,
            **{re.sub("[. ]", "_", name).upper(): self._resolved(value) for name, value in self._variables.values()},
            **{name: self._resolved(value) for name, value in step.get("env", {}).items()},
            **more,
        }
        file = Path(environment["AGENT_TEMPDIRECTORY"], "script.sh")
        file.write_text(script)
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", str(file)],
            cwd=self._sources,
            env=environment,
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )
        self.stage.log += done.stdout + done.stderr
        for line in done.stdout.splitlines():
            if command := _COMMAND.search(line):
                self._command(step, *command.groups())
        self.stage.codes[step["name"]] = done.returncode
        if done.returncode != 0:
            self.stage.result = "failed"

    def _command(self, step: Values, name: str, properties: str | None, data: str) -> None:
        given = {
            key: _unescaped(value) for key, _, value in (one.partition("=") for one in (properties or "").split(";"))
        }
        data = _unescaped(data)
        match name:
            case "task.setvariable" if given.get("isOutput") == "true":
                self.stage.outputs[f"{step['name']}.{given['variable']}"] = data
            case "task.setvariable":
                self.set(given["variable"], data)
            case "task.logissue":
                self.stage.issues.append((given["type"], data))
            case "task.uploadsummary":
                self.stage.summaries.append(Path(data).read_text())
            case _:
                raise ValueError(f"This command is not understood: {name}")


def _unescaped(text: str) -> str:
    return re.sub("|".join(_ESCAPES), lambda found: _ESCAPES[found.group()], text)


def _require_known(node: Values, known: set[str]) -> None:
    if unknown := set(node) - known:
        raise ValueError(f"These keys are not understood: {sorted(unknown)}")
