"""Recurrent layers of PyTorch: an LSTM of two layers, a GRU in both directions."""

import torch
from torch import nn

torch.set_default_dtype(torch.float64)
torch.manual_seed(15)


class Classifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(10, 4)
        self.lstm = nn.LSTM(4, 5, num_layers=2, dropout=0.2, batch_first=True)
        self.gru = nn.GRU(5, 3, bidirectional=True, batch_first=True)
        self.fc = nn.Linear(6, 2)

    def forward(self, x):
        x = self.embedding(x)
        out, (h, c) = self.lstm(x)
        out, h = self.gru(out)
        return self.fc(out[:, -1, :] + torch.cat([h[0], h[1]], dim=1))


net = Classifier()
tokens, labels = torch.randint(0, 10, (3, 4)), torch.tensor([0, 1, 1])
loss = nn.CrossEntropyLoss()(net(tokens), labels)
loss.backward()
