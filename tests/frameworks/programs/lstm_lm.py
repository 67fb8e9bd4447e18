"""A language model with LSTM cells, dropout and clipping; the state is detached."""

import torch
from torch import nn

torch.set_default_dtype(torch.float64)
torch.manual_seed(8)


class RNNModel(nn.Module):
    def __init__(self, ntoken=9, ninp=6, nhid=5, dropout=0.2):
        super().__init__()
        self.drop = nn.Dropout(dropout)
        self.encoder = nn.Embedding(ntoken, ninp)
        self.cell = nn.LSTMCell(ninp, nhid)
        self.decoder = nn.Linear(nhid, ntoken)
        self.nhid = nhid

    def forward(self, input, hidden):
        h, c = hidden
        emb = self.drop(self.encoder(input))
        outputs = []
        for step in emb:
            h, c = self.cell(step, (h, c))
            outputs.append(h)
        output = self.drop(torch.stack(outputs))
        return self.decoder(output).view(-1, 9), (h, c)


model = RNNModel()
criterion = nn.CrossEntropyLoss()
hidden = (torch.zeros(3, 5), torch.zeros(3, 5))
for _ in range(3):
    data, targets = torch.randint(0, 9, (4, 3)), torch.randint(0, 9, (12,))
    model.zero_grad()
    hidden = tuple(one.detach() for one in hidden)
    output, hidden = model(data, hidden)
    loss = criterion(output, targets)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 0.25)
    with torch.no_grad():
        for p in model.parameters():
            p.add_(p.grad, alpha=-0.5)
