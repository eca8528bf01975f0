"""What one override sets, as Hydra's grammar reads it, and as a text where Hydra can't: Arabic, `~`, `#`, `(`, `=`."""

from typing import Any

from khabar.errors import ConfigError


def parse(key: str, text: str) -> Any:  # noqa: ANN401 - any JSON type
    """The value that one override sets.

    Raises:
        ConfigError: it names several values, which only `-m` takes.
    """
    several = alternatives(key, text)
    if len(several) != 1 or several[0] != text:
        raise ConfigError(
            f"{key}={text} names {len(several)} values. Add -m to run every combination, write [...] for a list, "
            f"or quote a text that holds a comma: \"{key}='{text}'\""
        )
    return _value(text)


def alternatives(key: str, text: str) -> list[str]:
    """The values that one override sweeps over, each as it would be written alone; one if it is no sweep.

    Raises:
        ConfigError: a sweep without a finite list of values.
    """
    override = _lexed(text)
    if override is None:
        return _cut(text, ",")
    if not override.is_sweep_override():
        return [text]
    if not override.is_discrete_sweep() or "glob(" in text:
        raise ConfigError(f"{key}={text}: a sweep lists its values: a,b or choice(a,b) or range(start,stop,step).")
    return list(override.sweep_string_iterator())


def _lexed(text: str) -> Any:  # noqa: ANN401 - an Override, known to this package alone
    """The value as Hydra's grammar reads it, or None where it can't."""
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.errors import HydraException

    try:
        return OverridesParser.create().parse_overrides([f"key={text}"])[0]
    except HydraException:
        return None


def _value(text: str) -> Any:  # noqa: ANN401 - any JSON type
    """One value; what Hydra can't lex is a list or dict of such values, or a text as it stands."""
    override = _lexed(text)
    if override is not None and not override.is_sweep_override():
        return override.value()
    text = text.strip()
    if text.startswith("[") and text.endswith("]"):
        return [_value(element) for element in _cut(text[1:-1], ",")]
    pairs = [_cut(pair, ":") for pair in _cut(text[1:-1], ",")] if text[:1] + text[-1:] == "{}" else []
    if pairs and all(len(pair) == 2 for pair in pairs):
        return {str(_value(key)): _value(value) for key, value in pairs}
    return text


def _cut(text: str, mark: str) -> list[str]:
    """Cut at a mark outside brackets and quotes; a quote counts where a value may start."""
    parts, depth, quote = [""], 0, ""
    for character in text:
        if quote:
            quote = "" if character == quote else quote
        elif character in "'\"" and not parts[-1].strip(" [{(:,"):
            quote = character
        elif character in "[{(":
            depth += 1
        elif character in "]})":
            depth = max(0, depth - 1)
        if character == mark and not depth and not quote:
            parts.append("")
        else:
            parts[-1] += character
    return [part.strip() for part in parts] if len(parts) > 1 else parts
