"""The classifier: one encoder, pooling by membership, one head per task.

Legend of the shape suffixes: W windows, L tokens a window, T = W * L, U units, H hidden size, C labels of all tasks.
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from khabar.schema import Task


class Pool(nn.Module):
    """One vector for each unit, out of the tokens that belong to it."""

    def __init__(self, kind: str, hidden: int) -> None:
        super().__init__()
        self.kind = kind
        self.query = nn.Linear(hidden, 1) if kind == "attention" else None
        self.dense = nn.Linear(hidden, hidden) if kind == "cls" else None
        if self.dense is not None:
            nn.init.normal_(self.dense.weight, std=0.02)
            nn.init.zeros_(self.dense.bias)

    def forward(self, h_WLH: Tensor, member_UT: Tensor) -> Tensor:
        """Pool hidden states into [U, H].

        cls: the mean of the first tokens of the windows a unit lies in, then a learned layer and tanh; of one window
        that is what BERT's pooler and RoBERTa's classification head do. mean, max: over its tokens. attention: over
        its tokens, weighted by the softmax of a learned query.
        """
        h_TH = h_WLH.flatten(0, 1)
        if self.dense is not None:
            windows_UW = member_UT.view(-1, h_WLH.shape[0], h_WLH.shape[1]).any(2).to(h_TH.dtype)
            return torch.tanh(self.dense(windows_UW @ h_WLH[:, 0] / windows_UW.sum(1, keepdim=True)))
        if self.kind == "mean":
            weight_UT = member_UT.to(h_TH.dtype)
            return weight_UT @ h_TH / weight_UT.sum(1, keepdim=True)
        if self.kind == "max":
            lowest = torch.finfo(h_TH.dtype).min
            return torch.where(member_UT[:, :, None], h_TH[None], lowest).amax(1)
        assert self.query is not None
        score_T = self.query(h_TH).squeeze(1).float()
        weight_UT = torch.softmax(score_T.masked_fill(~member_UT, torch.finfo(torch.float32).min), 1)
        return weight_UT.to(h_TH.dtype) @ h_TH


class Classifier(nn.Module):
    """Logits of every head for every unit; `columns` says which columns are whose.

    Args:
        encoder: a transformers encoder; its output has `last_hidden_state`.
        tasks: the tasks, in the order of the columns.
        uses_token_types: whether the encoder takes `token_type_ids`.
        dropout: before each head.
    """

    def __init__(
        self, encoder: nn.Module, tasks: Mapping[str, Task], *, uses_token_types: bool, dropout: float = 0.1
    ) -> None:
        super().__init__()
        hidden: int = encoder.config.hidden_size  # type: ignore[union-attr, assignment]
        self.encoder = encoder
        self.uses_token_types = uses_token_types
        self.dropout = nn.Dropout(dropout)
        self.pools = nn.ModuleDict({name: Pool(task.pool, hidden) for name, task in tasks.items()})
        self.heads = nn.ModuleDict({name: nn.Linear(hidden, len(task.labels)) for name, task in tasks.items()})
        for head in self.heads.values():
            nn.init.normal_(head.weight, std=0.02)  # type: ignore[arg-type]
            nn.init.zeros_(head.bias)  # type: ignore[arg-type]
        self.columns = columns(tasks)

    def forward(self, ids_WL: Tensor, mask_WL: Tensor, types_WL: Tensor, member_UT: Tensor) -> Tensor:
        """Logits [U, C] in fp32."""
        types = {"token_type_ids": types_WL} if self.uses_token_types else {}
        h_WLH = self.encoder(input_ids=ids_WL, attention_mask=mask_WL, **types).last_hidden_state
        logits = [head(self.dropout(self.pools[name](h_WLH, member_UT))) for name, head in self.heads.items()]
        return torch.cat(logits, 1).float()


def columns(tasks: Mapping[str, Task]) -> dict[str, slice]:
    """The columns of each task in the logits [U, C]."""
    found: dict[str, slice] = {}
    at = 0
    for name, task in tasks.items():
        found[name] = slice(at, at + len(task.labels))
        at += len(task.labels)
    return found
