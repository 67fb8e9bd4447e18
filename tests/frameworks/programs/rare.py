"""What is called seldom: scattered sums, windows, volumes, packed sequences."""

import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

torch.manual_seed(0)
torch.set_default_dtype(torch.float64)


def scattered(x):
    index = torch.tensor([[0, 1, 1], [2, 0, 2]])
    added = x.scatter_add(1, index, x[:, 1:] * 2)
    put = x.scatter(1, torch.tensor([[3, 0], [1, 2]]), added[:, :2])
    filled = put.scatter(0, torch.tensor([[1, 0, 1, 0]]), 0.5)
    rows = torch.zeros(3, 4).index_add(0, torch.tensor([2, 2]), filled, alpha=0.5)
    rows.index_add_(0, torch.tensor([0, 1]), added)
    rows = rows.index_copy(1, torch.tensor([3, 1]), rows[:, :2] ** 2)
    rows = rows.index_fill(1, torch.tensor([2]), 0.25)
    where = (torch.tensor([0, 0, 1]), torch.tensor([1, 1, 3]))
    rows = rows.index_put(where, rows[:, 0], accumulate=True)
    total = rows.scatter_reduce(0, torch.tensor([[1, 1, 0, 2]]), added[:1], "sum")
    return torch.take(total, torch.tensor([0, 5, 5, 11]))


def windows(image):
    columns = F.unfold(image, (2, 3), dilation=(2, 1), padding=1, stride=(1, 2))
    back = F.fold(columns**2, (5, 6), (2, 3), dilation=(2, 1), padding=1, stride=(1, 2))
    slid = back.unfold(2, 3, 2).unfold(-2, 2, 1)
    small = F.adaptive_max_pool2d(back, (2, 3))
    thin = F.adaptive_max_pool1d(slid[0, 0, 0], 3)
    most, _ = F.max_pool2d(back, 2, return_indices=True)
    line = F.max_pool1d(back[0], 3, stride=2, padding=1)
    padded = F.pad(back, (1, 2, 1, 0), mode="reflect")
    around = F.pad(padded, (2, 1, 1, 0), mode="circular")
    edge = F.pad(around, (0, 1, 2, 0), mode="replicate")
    picked = small.sum() + thin.sum() + most.sum() + line.sum()
    return slid.sum() + picked + (edge**2).mean()


class Volume(nn.Module):
    def __init__(self):
        super().__init__()
        self.deep = nn.Conv3d(2, 4, (2, 3, 2), stride=(1, 2, 1), padding=(1, 1, 0))
        self.wide = nn.Conv3d(4, 2, 2, dilation=(2, 1, 1), groups=2, bias=False)
        self.up = nn.ConvTranspose1d(2, 3, 3, stride=2, padding=1, output_padding=1)

    def forward(self, x):
        x = self.wide(torch.tanh(self.deep(x)))
        return self.up(x.flatten(2).mean(0, keepdim=True))


class Lengths(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(3, 2, bidirectional=True, batch_first=True)
        self.gru = nn.GRU(4, 2)

    def forward(self, x, lengths):
        packed = pack_padded_sequence(x, lengths, True, enforce_sorted=False)
        out, (h, c) = self.lstm(packed)
        steps, _ = pad_packed_sequence(out)
        again = pack_padded_sequence(steps, lengths.sort(descending=True)[0])
        last, end = self.gru(again)
        return h.sum() + (c**2).sum() + last.data.mean() + end.sum()


x = torch.randn(2, 4, requires_grad=True)
image = torch.randn(1, 2, 5, 6, requires_grad=True)
volume, lengths = Volume(), Lengths()
query = torch.randn(1, 4, 3, 2, requires_grad=True)
key, value = torch.randn(2, 1, 2, 3, 2, requires_grad=True).unbind()

taken = scattered(x)
seen = windows(image)
heard = volume(torch.randn(1, 2, 3, 4, 3))
said = lengths(torch.randn(3, 3, 3), torch.tensor([2, 3, 1]))
shared = F.scaled_dot_product_attention(query, key, value, is_causal=True, enable_gqa=True)
apart = F.triplet_margin_loss(x, x.flip(0) * 2, x + 1, margin=2.0, swap=True)
order = F.margin_ranking_loss(x[0], x[1], torch.tensor([1.0, -1, 1, -1]), margin=0.5)
loss = (taken**2).sum() + seen + (heard**2).mean() + said + (shared**3).sum()
loss = loss + apart + order
loss.backward()
