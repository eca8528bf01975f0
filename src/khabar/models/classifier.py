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
    """Scores a pair of units in their sentence: a layer over head, tail, the product of both, sentence and distance.

    Of a question about one span that is head and tail. Head and tail come with the tokens on either side of them, for a
    preposition may say all there is to say. The outlet and somebody unnamed, who may be the head though no unit is, are
    learnt vectors.
    """

    def __init__(self, hidden: int, labels: int, dropout: float) -> None:
        super().__init__()
        width = hidden // 2  # an article asks thousands of pairs
        self.known = nn.Embedding(KNOWN, 3 * hidden)
        self.distance = nn.Embedding(DISTANCES, width)
        self.head = nn.Linear(3 * hidden, width)
        self.tail = nn.Linear(3 * hidden, width, bias=False)
        self.within = nn.Linear(hidden, width, bias=False)
        self.both = nn.Linear(hidden, width, bias=False)
        self.dropout = nn.Dropout(dropout)
        self.out = nn.Linear(width, labels)
        for part in (self.known, self.distance, self.head, self.tail, self.within, self.both, self.out):
            nn.init.normal_(part.weight, std=0.02)
        nn.init.zeros_(self.head.bias)
        nn.init.zeros_(self.out.bias)

    def forward(self, unit_UX: Tensor, pairs_P4: Tensor) -> Tensor:
        """Logits [P, K] of pairs as `Batch` has them; X = 3 H: a unit's mean, the token before it, the one behind."""
        row_RX = torch.cat([unit_UX, self.known.weight.flip(0).to(unit_UX.dtype)])  # -1 and -2 count from the end
        mean_RH = row_RX[:, : self.both.in_features]
        head_P, tail_P, within_P, distance_P = pairs_P4.unbind(1)
        # what depends on one unit alone is reckoned once a unit, not once a pair
        seen_PH = self.head(row_RX)[head_P] + self.tail(row_RX)[tail_P] + self.within(mean_RH)[within_P]
        seen_PH = seen_PH + self.both(mean_RH[head_P] * mean_RH[tail_P])
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
        edges_U2: Tensor | None = None,
    ) -> Tensor:
        """Logits in fp32 [R, C]: of units, pairs, words; 0 in the columns of heads that do not answer such a row."""
        h_WLH = self.encode(ids_WL, mask_WL, types_WL)
        if not self.reads:
            return torch.cat([self.unit_logits(name, h_WLH, member_UT) for name in self.pools], 1).float()
        assert pairs_P4 is not None and words_N3 is not None and edges_U2 is not None
        units, pairs = len(member_UT), len(pairs_P4)
        logits_RC = h_WLH.new_zeros((units + pairs + len(words_N3), self.width), dtype=torch.float32)
        for name in self.pools:
            logits_RC[:units, self.columns[name]] = self.unit_logits(name, h_WLH, member_UT).float()
        unit_UX = self.dropout(self.with_edges(self.mean(h_WLH, member_UT), h_WLH.flatten(0, 1), edges_U2))
        for name, head in self.pairs.items():
            column = self.columns[name.replace("/", ".")]
            logits_RC[units : units + pairs, column] = head(unit_UX, pairs_P4).float()
        for name, tagger in self.taggers.items():
            logits_RC[units + pairs :, self.columns[name]] = tagger(h_WLH.flatten(0, 1), words_N3).float()
        return logits_RC

    def encode(self, ids_WL: Tensor, mask_WL: Tensor, types_WL: Tensor) -> Tensor:
        """Hidden states [W, L, H]."""
        types = {"token_type_ids": types_WL} if self.uses_token_types else {}
        hidden: Tensor = self.encoder(input_ids=ids_WL, attention_mask=mask_WL, **types).last_hidden_state
        return hidden

    def with_edges(self, mean_UH: Tensor, state_TH: Tensor, edges_U2: Tensor) -> Tensor:
        """Units [U, 3 H]: each one's mean, and the states on either side of it, given their places in T."""
        return torch.cat([mean_UH, state_TH[edges_U2[:, 0]], state_TH[edges_U2[:, 1]]], 1)

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
