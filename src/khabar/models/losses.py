"""Losses of the heads: a number for each row, before any mean, so that masks and counts stay in one place.

Shapes: logits and target [N, K], target a distribution (single) or K yes-or-no answers (multi); the result [N].
Suffixes of `joint`: U rows (units, pairs, words), C columns of all heads, J questions that the tasks ask.
"""

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from khabar.config import LossConfig
from khabar.models.classifier import columns
from khabar.schema import Kind, Task, flat


def single(logits: Tensor, target: Tensor, weights: Tensor, config: LossConfig) -> Tensor:
    """Cross-entropy: -sum_k w_k q_k (1 - p_k)^gamma log p_k.

    q is the target smoothed to (1 - e) q + e / K (Szegedy et al. 2016); gamma is Lin et al. 2017's focusing, on the
    probabilities, never on raw logits.
    """
    log_p = F.log_softmax(logits, -1)
    q = (1 - config.label_smoothing) * target + config.label_smoothing / target.shape[-1]
    if config.focal_gamma:
        # clamped, because the slope of x^gamma at 0 is infinite for gamma < 1 and a sure answer would make it NaN
        q = q * (-log_p.expm1()).clamp_min(torch.finfo(log_p.dtype).tiny) ** config.focal_gamma
    return -(weights * q * log_p).sum(-1)


def multi(logits: Tensor, target: Tensor, weights: Tensor, config: LossConfig) -> Tensor:
    """Binary cross-entropy summed over labels: -sum_k [w_k t (1-p)^gamma log p + (1-t) p^gamma log(1-p)].

    t is the target smoothed to (1 - e) t + e / 2. A sum, not a mean: a row's loss is that of K questions, and a joint
    model does not hear its single-label tasks K times louder.
    """
    t = (1 - config.label_smoothing) * target + config.label_smoothing / 2
    log_p, log_not = F.logsigmoid(logits), F.logsigmoid(-logits)
    if config.focal_gamma:
        gamma = config.focal_gamma
        # exp(gamma log x) is x^gamma without its infinite slope at 0
        log_p, log_not = log_p * (gamma * log_not).exp(), log_not * (gamma * log_p).exp()
    return -(weights * t * log_p + (1 - t) * log_not).sum(-1)


LOSSES = {"single": single, "multi": multi, "spans": multi}


def class_weights(gold: NDArray[np.bool_] | NDArray[np.float32], kind: Kind, config: LossConfig) -> NDArray[np.float32]:
    """A weight for each label [K], from the answers [N, K] of the training fold alone: gold, or shares of the votes.

    `balanced`: single, N / (K n_k); multi, (N - n_k) / n_k of the positive answer, at most 100 and at least 1 / 100; a
    label without a row weighs 1.
    """
    rows, labels = gold.shape
    count = gold.sum(0)
    if config.class_weights == "none":
        return np.ones(labels, np.float32)
    seen = np.maximum(count, 1)
    weights = rows / (labels * seen) if kind == "single" else np.clip((rows - count) / seen, 0.01, 100.0)
    return np.where(count > 0, weights, 1.0).astype(np.float32)


def joint(
    logits_UC: Tensor,
    target_UC: Tensor,
    asked_UJ: Tensor,
    tasks: Mapping[str, Task],
    weights: Mapping[str, Tensor],
    config: LossConfig,
) -> Tensor:
    """The sum of all tasks' losses over the answers that exist; divide it by their count over the whole step.

    Args:
        logits_UC: logits of all heads.
        target_UC: targets in the same columns; what stands where a task was not asked has no effect.
        asked_UJ: 1 where the row has an answer to question j, else 0. A head that nobody asked stays in the graph with
            a zero gradient, as data-parallel training needs.
        tasks: the tasks in the order of the columns.
        weights: class weights [K] of each question.
        config: smoothing and focusing.
    """
    total = logits_UC.new_zeros(())
    asked = flat(tasks)
    for j, (name, column) in enumerate(columns(tasks).items()):
        rows = LOSSES[asked[name].kind](logits_UC[:, column], target_UC[:, column], weights[name], config)
        total = total + (rows * asked_UJ[:, j]).sum()
    return total
