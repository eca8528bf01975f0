"""Move an alias of a registered model by hand, with a reason: what had it and what gets it, side by side."""

import re
from typing import TYPE_CHECKING

from pydantic import Field, field_validator

from khabar import store
from khabar.config import Record
from khabar.errors import ConfigError

if TYPE_CHECKING:
    from khabar.tracking.registered import Version


class Config(Record):
    """Configuration of `khabar promote`."""

    model: str
    alias: str = Field("champion", max_length=255)
    reason: str = Field("", max_length=4000)  # MLflow cuts a tag off at 5,000

    @field_validator("alias")
    @classmethod
    def _legal(cls, alias: str) -> str:
        if not re.fullmatch(r"[\w-]+", alias) or re.fullmatch(r"latest|v\d+", alias, re.IGNORECASE):
            raise ValueError(f"MLflow takes no alias {alias!r}: letters, digits, _ and -, but not latest or v1")
        return alias


def run(config: Config) -> None:
    """Show both versions, then move the alias; whatever is to judge a promotion belongs between the two."""
    reason = config.reason.strip()
    if not reason:
        raise ConfigError(
            f"reason: missing. It is kept with the version, for whoever asks later why it is {config.alias}: "
            'reason="better on test, same data"'
        )
    if not re.match(r"models:/[^/@]+[/@].", config.model):
        raise ConfigError(_no_version(config.model))
    from khabar.tracking import registered

    print(f"Store: {store.address().uri}")
    client = store.start()
    chosen = registered.version(client, config.model)
    before = registered.holder(client, chosen.name, config.alias)
    title = f"models:/{chosen.name}@{config.alias}"
    if before and before.number == chosen.number:
        since = chosen.tags.get(f"alias.{config.alias}.since")
        print(f"{title} is version {chosen.number} already{f', since {since}' if since else ''}. Nothing changed.")
        return
    print(f"\n{title}\n{_beside(before, chosen)}")
    data = [version.tags.get("data.fingerprint") for version in (before, chosen) if version]
    if None in data:
        print("On what data one of them was made and scored is not known: the numbers may not compare.")
    elif len(set(data)) > 1:
        print("They were made and scored on different data: the numbers do not compare.")
    registered.move(client, chosen, config.alias, reason)
    print(f"\n{config.alias} is version {chosen.number} now. Reason: {reason}")
    if before:
        print(f"Back: khabar promote model=models:/{chosen.name}/{before.number} alias={config.alias} reason=...")


def _beside(before: "Version | None", now: "Version") -> str:
    both = (before, now)
    keys = dict.fromkeys(key for version in both if version for key in version.scores)
    rows = [["", "before", "now"], ["version", *(version.number if version else "none" for version in both)]]
    rows += [[key, *(version.tags.get(key, "-") if version else "" for version in both)] for key in keys]
    for key in ("data", "data.fingerprint", "encoder", "seed", "git"):
        rows.append([key, *(version.tags.get(key, "-")[:16] if version else "" for version in both)])
    rows.append(["registered", *(f"{version.made:%Y-%m-%d %H:%M} UTC" if version else "" for version in both)])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)


def _no_version(model: str) -> str:
    asked = f"model={model}: an alias belongs to a registered model, models:/NAME@ALIAS or models:/NAME/VERSION."
    if model.startswith("runs:/"):
        return (
            f"{asked} Register the run's model first, then promote its version:\n"
            '  python -c "import mlflow; from khabar import store; store.start(); '
            f"mlflow.register_model('{model}', 'khabar-TASKS')\""
        )
    if model.startswith("models:/"):
        return f"{asked} This one names no version."
    return f"{asked} khabar train registers what it trains; a folder has no versions."
