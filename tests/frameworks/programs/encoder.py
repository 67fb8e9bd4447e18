"""The transformer encoder that PyTorch brings along, trained on a mask."""

import torch
from torch import nn

torch.set_default_dtype(torch.float64)
torch.manual_seed(13)


class Tagger(nn.Module):
    def __init__(self):
        super().__init__()
        self.emb = nn.Embedding(10, 8, padding_idx=0)
        layer = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.1, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, 2)
        self.out = nn.Linear(8, 4)

    def forward(self, tokens):
        padding = tokens == 0
        h = self.encoder(self.emb(tokens), src_key_padding_mask=padding)
        return self.out(h)


tagger = Tagger()
tokens = torch.randint(1, 10, (3, 5))
tokens[1, 3:] = 0
tags = torch.randint(0, 4, (3, 5))
scores = tagger(tokens)
loss = nn.functional.cross_entropy(scores.transpose(1, 2), tags)
loss.backward()
