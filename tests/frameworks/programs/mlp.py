"""A classifier of three layers, trained for a few steps."""

import torch
import torch.nn.functional as F
from torch import nn

torch.set_default_dtype(torch.float64)
torch.manual_seed(0)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(4, 8)
        self.body = nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 8))
        self.fc2 = nn.Linear(8, 3)

    def forward(self, x):
        h = torch.tanh(self.fc1(x))  # the first features
        for _ in range(2):
            h = h + self.body(h)
        return self.fc2(h)


def main():
    net = Net()
    x = torch.randn(5, 4)
    y = torch.tensor([0, 1, 2, 0, 1])
    opt = torch.optim.Adam(net.parameters(), lr=0.1)
    for _ in range(3):
        logits = net(x)
        loss = F.cross_entropy(logits, y)
        opt.zero_grad()
        loss.backward()
        opt.step()


if __name__ == "__main__":
    main()
