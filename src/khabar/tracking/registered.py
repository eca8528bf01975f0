"""The registry: a version with its scores and what it is made of, and an alias that a person moves."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from filelock import FileLock

from khabar import store
from khabar.data.wording import unmarked
from khabar.evaluation.bootstrap import Score
from khabar.evaluation.harness import cell_text
from khabar.tracking.models import quiet
from khabar.tracking.runs import Run

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion

    from khabar.models.bundle import Card

ABOUT = "Reads {tasks} out of Arabic text, made by khabar. candidate: trained last; champion: chosen by khabar promote."


@dataclass(frozen=True)
class Version:
    """One version of a registered model."""

    name: str
    number: str
    made: datetime
    tags: Mapping[str, str]

    @property
    def scores(self) -> dict[str, str]:
        """Its main metrics, `task.metric` -> value, interval, and what they rest on."""
        others = ("data.fingerprint", "alias.", "mlflow.")
        return {key: value for key, value in self.tags.items() if "." in key and not key.startswith(others)}


def register(
    run: Run, uri: str, name: str, aliases: Sequence[str], card: "Card", scores: Mapping[str, Score], split: str
) -> str:
    """Register a logged model under a name and its aliases; what it is and how good goes onto the version.

    Args:
        run: that logged it.
        uri: of the logged model.
        name: of the registered model, made if need be.
        aliases: that the new version takes.
        card: of its bundle.
        scores: the main metric of each task.
        split: what they were measured on.

    Returns:
        the version.

    Raises:
        ConfigError: the server does not allow it.
    """
    import mlflow

    tags = {
        **{f"{task}.{score.metric}": told(score, split) for task, score in scores.items()},
        "data": str(card.data.get("name")),
        "data.fingerprint": str(card.data.get("fingerprint")),
        "encoder": str(card.encoder.get("name")),
        "seed": str(card.seed),
        "git": run.client.get_run(run.id).data.tags.get("git", "no checkout"),
    }
    with _alone(), store.allowed():
        with quiet():
            version = str(mlflow.register_model(uri, name, tags=tags).version)
        page = description(card, scores, split, run.experiment, run.id)
        run.client.update_model_version(name, version, page)
        if not run.client.get_registered_model(name).description:
            run.client.update_registered_model(name, ABOUT.format(tasks=" and ".join(card.tasks)))
        for alias in aliases:
            run.client.set_registered_model_alias(name, alias, version)
    return version


def told(score: Score, split: str) -> str:
    """A score with its interval and what it rests on, in one line."""
    return f"{cell_text(score)}, {split}, {score.clusters:,} clusters, seed {score.seed}"


def description(card: "Card", scores: Mapping[str, Score], split: str, experiment: str, run_id: str) -> str:
    """The page of a version, Markdown: tasks with their main metrics, and links to the run and its cards.

    Args:
        card: of the bundle.
        scores: the main metric of each task.
        split: what they were measured on.
        experiment: the id of the run's experiment.
        run_id: the run; the links go to it within the MLflow UI.
    """
    lines = [f"| task | labels | metric | on {split} | rows, clusters |", "|---|---|---|---|---|"]
    for name, task in card.tasks.items():
        score = scores.get(name)
        cells = ("", "not measured", "") if score is None else (score.metric, cell_text(score), _rows(score))
        lines.append("| " + " | ".join(unmarked(cell) for cell in (name, ", ".join(task.labels), *cells)) + " |")
    levels = {f"{100 * score.level:g}%" for score in scores.values()}
    if levels:
        lines += ["", f"[low, high]: {', '.join(levels)} interval over whole clusters."]
    page = f"#/experiments/{experiment}/runs/{run_id}"
    links = {
        "The run": page,
        "model card": f"{page}/artifacts/model_card.md",
        "data card": f"{page}/artifacts/data_card.md",
        "report on the data": f"{page}/artifacts/data/report.html",
    }
    encoder = f"{unmarked(card.encoder.get('name'))}, licence {unmarked(card.encoder.get('licence'))}"
    data = f"{unmarked(card.data.get('name'))}, licence {unmarked(card.data.get('licence'))}"
    fingerprint = unmarked(str(card.data.get("fingerprint"))[:12])
    lines += ["", " · ".join(f"[{text}]({link})" for text, link in links.items()), ""]
    lines += [f"- Encoder {encoder}; seed {card.seed}.", f"- Data {data}; fingerprint {fingerprint}."]
    return "\n".join([*lines, ""])


def version(client: "MlflowClient", uri: str) -> Version:
    """The version that `models:/NAME@ALIAS` or `models:/NAME/VERSION` stands for.

    Raises:
        ConfigError: there is none; the message lists those that exist.
    """
    name, number = store.version(client, uri)
    return _read(client.get_model_version(name, number))


def holder(client: "MlflowClient", name: str, alias: str) -> Version | None:
    """The version of a registered model that bears an alias."""
    number = client.get_registered_model(name).aliases.get(alias)
    return None if number is None else _read(client.get_model_version(name, str(number)))


def move(client: "MlflowClient", chosen: Version, alias: str, reason: str) -> Version | None:
    """Give an alias to a version, and write on the version since when, why, and which one had it before.

    Returns:
        the version that had it before.

    Raises:
        ConfigError: the server does not allow it.
    """
    with _alone(), store.allowed():
        before = holder(client, chosen.name, alias)
        notes = {"since": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}", "reason": reason}
        notes["before"] = before.number if before else "none"
        for key, value in notes.items():  # first, so that no alias is without its reason
            client.set_model_version_tag(chosen.name, chosen.number, f"alias.{alias}.{key}", value)
        client.set_registered_model_alias(chosen.name, alias, chosen.number)
    return before


def _alone() -> FileLock:
    """Of the processes on this store here one at a time registers, so that aliases follow the versions."""
    home = store.address().home
    home.mkdir(parents=True, exist_ok=True)
    return FileLock(home / ".registry.lock")


def _read(found: "ModelVersion") -> Version:
    made = datetime.fromtimestamp(found.creation_timestamp / 1000, UTC)
    return Version(found.name, str(found.version), made, dict(found.tags))


def _rows(score: Score) -> str:
    return f"{score.count:,}, {score.clusters:,}"
