"""A critic whose slope is held near 1: the gradient penalty of a WGAN."""

import torch
from torch import nn

torch.set_default_dtype(torch.float64)
torch.manual_seed(17)

critic = nn.Sequential(
    nn.Linear(4, 8), nn.LeakyReLU(0.2), nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 1)
)
real, fake = torch.randn(6, 4), torch.randn(6, 4)
mix = torch.rand(6, 1)
between = (mix * real + (1 - mix) * fake).requires_grad_()
score = critic(between)
(slopes,) = torch.autograd.grad(
    score, between, grad_outputs=torch.ones_like(score), create_graph=True
)
penalty = ((slopes.norm(2, dim=1) - 1) ** 2).mean()
loss = critic(fake).mean() - critic(real).mean() + 10 * penalty
loss.backward()
