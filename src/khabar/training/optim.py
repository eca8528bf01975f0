"""The optimiser's groups and the learning rate: functions of the configuration and the step, nothing to save."""

import math
import re

import torch
from torch import nn

from khabar.config import LoopConfig

LAYER = re.compile(r"\.layers?\.(\d+)\.")


def optimizer(model: nn.Module, config: LoopConfig, lr: float) -> torch.optim.AdamW:
    """AdamW with decoupled weight decay (none on biases and norms), layer-wise decayed rates and the heads' own rate.

    Layer-wise decay (Howard and Ruder 2018): a layer learns `layer_decay` times as fast as the one above it; the
    embeddings are the lowest layer, pools and heads stand above the highest.
    """
    names = [name for name, parameter in model.named_parameters() if parameter.requires_grad]
    layers = 1 + max((int(found[1]) for name in names if (found := LAYER.search(name))), default=-1)
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        if not parameter.requires_grad:
            continue
        if name.startswith("encoder."):
            found = LAYER.search(name)
            depth = int(found[1]) + 1 if found else 0 if "embed" in name else layers
            rate = lr * config.layer_decay ** (layers + 1 - depth)
        else:
            rate = config.head_lr or lr
        decay = config.weight_decay if parameter.ndim > 1 else 0.0
        groups.setdefault((rate, decay), []).append(parameter)
    return torch.optim.AdamW(
        [{"params": group, "lr": rate, "top": rate, "weight_decay": decay} for (rate, decay), group in groups.items()],
        lr=lr,
        betas=(0.9, 0.999),
        eps=1e-8,
    )


def factor(step: int, steps: int, config: LoopConfig) -> float:
    """The share of its top rate with which step `step` (from 0) of `steps` is taken: warm-up, then the schedule."""
    warm = round(config.warmup * steps)
    if step < warm:
        return (step + 1) / warm
    left = 1 - (step - warm) / max(1, steps - warm)
    return {"constant": 1.0, "linear": left, "cosine": 0.5 * (1 - math.cos(math.pi * left))}[config.schedule]


def set_rate(optimizer: torch.optim.Optimizer, share: float) -> None:
    """Give every group its share of its top rate."""
    for group in optimizer.param_groups:
        group["lr"] = group["top"] * share
