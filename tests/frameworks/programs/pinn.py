"""A network that is to solve a differential equation: slopes of slopes in its loss."""

import torch
from torch import nn

torch.set_default_dtype(torch.float64)
torch.manual_seed(16)


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden = nn.Linear(2, 6)
        self.middle = nn.Linear(6, 6)
        self.out = nn.Linear(6, 1)

    def forward(self, x, t):
        h = torch.tanh(self.hidden(torch.cat([x, t], dim=1)))
        h = torch.sigmoid(self.middle(h))
        return self.out(h)


def slope(y, x):
    return torch.autograd.grad(
        y, x, grad_outputs=torch.ones_like(y), retain_graph=True, create_graph=True
    )[0]


net = Network()
x = torch.rand(5, 1, requires_grad=True)
t = torch.rand(5, 1, requires_grad=True)
u = net(x, t)
u_t = slope(u, t)
u_x = slope(u, x)
u_xx = slope(u_x, x)
residual = u_t + u * u_x - 0.1 * u_xx
loss = (residual**2).mean() + (u**2).mean()
loss.backward()
