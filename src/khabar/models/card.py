"""The model card of a bundle: `README.md`, for the person who finds the folder."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:  # bundle.py writes this file's text
    from khabar.models.bundle import Card


def markdown(card: "Card") -> str:
    """What the model answers, what it was made of, under which licences, and what it must not be taken for."""
    encoder, data = card.encoder, card.data
    lines = [
        f"# {' + '.join(card.tasks)}, read by {encoder.get('name', 'an encoder')}",
        "",
        "An Arabic text classifier made with khabar. Load it: `khabar.load(FOLDER).predict([text])`.",
        "",
        "| task | asked of | labels | on dev |",
        "|---|---|---|---|",
    ]
    for name, task in card.tasks.items():
        asked = f"a {task.level}" + (f", with {' and '.join(task.asks)}" if task.asks else "")
        value = card.main_metrics.get(name)
        dev = "not measured" if value is None else f"{task.main_metric} {value:.3f}"
        lines.append(f"| {name} | {asked} | {', '.join(task.labels)} | {dev} |")
    lines += [
        "",
        "The dev numbers chose the weights, temperatures and thresholds: they flatter. Test numbers with intervals",
        "are in the MLflow run that made this model.",
        "",
        "## Made of",
        "",
        f"- Encoder: {encoder.get('model')} (revision {encoder.get('revision')}). Licence: {encoder.get('licence')}.",
    ]
    if encoder.get("licence_note"):
        lines.append(f"  {encoder['licence_note']}")
    lines += [
        f"- Data: {data.get('name')}, fingerprint {str(data.get('fingerprint'))[:12]}. Licence: {data.get('licence')}.",
        f"- Seed {card.seed}, khabar {card.khabar}; windows of {min(card.windows.length, card.max_length)} tokens.",
        "",
        "## Limits",
        "",
        "It repeats what its training data taught, tells no true report from a false one, and a stance it assigns to a",
        "holder is a reading of one text, not a fact about a person.",
        "",
    ]
    return "\n".join(lines)
