"""The classifier: one encoder, pooling by membership, one head for each question that a task asks.

Legend of the shape suffixes: W windows, L tokens a window, T = W * L, U units, P pairs of units, N words, H hidden
size, R = U + P + N rows, C columns of all heads.
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from khabar.models.pieces import DISTANCES, KNOWN
from khabar.schema import Task, flat


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


class PairHead(nn.Module):
    """Scores a pair of units in their sentence: a layer over head, tail, their product, sentence and distance.

    Of a question about one span that is head and tail. The outlet and somebody unnamed, who may be the head though no
    unit is, are learnt vectors.
    """

    def __init__(self, hidden: int, labels: int, dropout: float) -> None:
        super().__init__()
        self.known = nn.Embedding(KNOWN, hidden)
        self.distance = nn.Embedding(DISTANCES, hidden)
        self.layer = nn.Linear(4 * hidden, hidden)
        self.dropout = nn.Dropout(dropout)
        self.out = nn.Linear(hidden, labels)
        for weight in (self.known.weight, self.distance.weight, self.layer.weight, self.out.weight):
            nn.init.normal_(weight, std=0.02)
        nn.init.zeros_(self.layer.bias)
        nn.init.zeros_(self.out.bias)

    def forward(self, unit_UH: Tensor, pairs_P4: Tensor) -> Tensor:
        """Logits [P, K] of pairs as `Batch` has them."""
        row_RH = torch.cat([unit_UH, self.known.weight.flip(0).to(unit_UH.dtype)])  # -1 and -2 count from the end
        head_P, tail_P, within_P, distance_P = pairs_P4.unbind(1)
        # a layer over all four side by side; what depends on one unit alone is reckoned once a unit, not once a pair
        of_head, of_tail, of_within, of_both = self.layer.weight.chunk(4, 1)
        seen_PH = (row_RH @ of_head.T)[head_P] + (row_RH @ of_tail.T)[tail_P] + (row_RH @ of_within.T)[within_P]
        seen_PH = seen_PH + nn.functional.linear(row_RH[head_P] * row_RH[tail_P], of_both, self.layer.bias)
        logits: Tensor = self.out(self.dropout(nn.functional.gelu(seen_PH + self.distance(distance_P))))
        return logits


class Tagger(nn.Module):
    """Tags words, each by the mean of its first and last token, which in Arabic are often a clitic and a stem's end.

    A layer sees the word between its neighbours, so that spans end where they should.
    """

    def __init__(self, hidden: int, columns: int, dropout: float) -> None:
        super().__init__()
        self.layer = nn.Linear(3 * hidden, hidden)
        self.dropout = nn.Dropout(dropout)
        self.out = nn.Linear(hidden, columns)
        for part in (self.layer, self.out):
            nn.init.normal_(part.weight, std=0.02)
            nn.init.zeros_(part.bias)

    def forward(self, state_TH: Tensor, words_N3: Tensor) -> Tensor:
        """Logits [N, K] of words as `Batch` has them."""
        word_NH = (state_TH[words_N3[:, 0]] + state_TH[words_N3[:, 1]]) / 2
        first_N1 = words_N3[:, 2:].bool()
        before_NH = word_NH.roll(1, 0).masked_fill(first_N1, 0)
        after_NH = word_NH.roll(-1, 0).masked_fill(first_N1.roll(-1, 0), 0)
        seen_NH = nn.functional.gelu(self.layer(torch.cat([before_NH, word_NH, after_NH], 1)))
        logits: Tensor = self.out(self.dropout(seen_NH))
        return logits


class Classifier(nn.Module):
    """Logits of every head for every row; `columns` says which columns are whose.

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
        asked = flat(tasks)
        self.pools = nn.ModuleDict({name: Pool(task.pool, hidden) for name, task in asked.items() if _of_units(task)})
        self.heads = nn.ModuleDict(
            {name: nn.Linear(hidden, len(task.labels)) for name, task in asked.items() if _of_units(task)}
        )
        self.taggers = nn.ModuleDict(
            {name: Tagger(hidden, width(task), dropout) for name, task in asked.items() if task.marks}
        )
        self.mean = Pool("mean", hidden)  # of what a pair is made of
        self.pairs = nn.ModuleDict(
            {
                name.replace(".", "/"): PairHead(hidden, len(task.labels), dropout)
                for name, task in asked.items()
                if not (_of_units(task) or task.marks)
            }
        )
        for head in self.heads.values():
            nn.init.normal_(head.weight, std=0.02)  # type: ignore[arg-type]
            nn.init.zeros_(head.bias)  # type: ignore[arg-type]
        self.columns = columns(tasks)
        self.width = max(column.stop for column in self.columns.values())
        self.reads = any(task.marks for task in tasks.values())

    def forward(
        self,
        ids_WL: Tensor,
        mask_WL: Tensor,
        types_WL: Tensor,
        member_UT: Tensor,
        pairs_P4: Tensor | None = None,
        words_N3: Tensor | None = None,
    ) -> Tensor:
        """Logits in fp32 [R, C]: of units, pairs, words; 0 in the columns of heads that do not answer such a row."""
        h_WLH = self.encode(ids_WL, mask_WL, types_WL)
        if not self.reads:
            return torch.cat([self.unit_logits(name, h_WLH, member_UT) for name in self.pools], 1).float()
        assert pairs_P4 is not None and words_N3 is not None
        units, pairs = len(member_UT), len(pairs_P4)
        logits_RC = h_WLH.new_zeros((units + pairs + len(words_N3), self.width), dtype=torch.float32)
        for name in self.pools:
            logits_RC[:units, self.columns[name]] = self.unit_logits(name, h_WLH, member_UT).float()
        unit_UH = self.mean(h_WLH, member_UT)
        for name, head in self.pairs.items():
            column = self.columns[name.replace("/", ".")]
            logits_RC[units : units + pairs, column] = head(self.dropout(unit_UH), pairs_P4).float()
        for name, tagger in self.taggers.items():
            logits_RC[units + pairs :, self.columns[name]] = tagger(h_WLH.flatten(0, 1), words_N3).float()
        return logits_RC

    def encode(self, ids_WL: Tensor, mask_WL: Tensor, types_WL: Tensor) -> Tensor:
        """Hidden states [W, L, H]."""
        types = {"token_type_ids": types_WL} if self.uses_token_types else {}
        hidden: Tensor = self.encoder(input_ids=ids_WL, attention_mask=mask_WL, **types).last_hidden_state
        return hidden

    def unit_logits(self, name: str, h_WLH: Tensor, member_UT: Tensor) -> Tensor:
        """Logits of one head for units [U, K]."""
        logits: Tensor = self.heads[name](self.dropout(self.pools[name](h_WLH, member_UT)))
        return logits


def _of_units(task: Task) -> bool:
    """Whether it is asked of a unit, rather than of words or of pairs."""
    return task.level in ("article", "sentence")


def width(task: Task) -> int:
    """The columns of a task: a label's each; a layer's beginnings and goings-on."""
    return len(task.labels) * (2 if task.marks else 1)


def columns(tasks: Mapping[str, Task]) -> dict[str, slice]:
    """The columns of each question that the tasks ask (see `flat`) in the logits [R, C]."""
    found: dict[str, slice] = {}
    at = 0
    for name, task in flat(tasks).items():
        found[name] = slice(at, at + width(task))
        at += width(task)
    return found
