"""A step of a diffusion model: noise levels, time embeddings, group norm, SiLU."""

import math

import torch
import torch.nn.functional as F
from torch import nn

torch.set_default_dtype(torch.float64)
torch.manual_seed(11)


class TimeEmbedding(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.channels = channels
        self.lin1 = nn.Linear(channels // 2, channels)
        self.act = nn.SiLU()
        self.lin2 = nn.Linear(channels, channels)

    def forward(self, t):
        half = self.channels // 4
        emb = math.log(10_000) / (half - 1)
        emb = torch.exp(torch.arange(half) * -emb)
        emb = t[:, None] * emb[None, :]
        emb = torch.cat((emb.sin(), emb.cos()), dim=1)
        return self.lin2(self.act(self.lin1(emb)))


class ResidualBlock(nn.Module):
    def __init__(self, inside, outside, time):
        super().__init__()
        self.norm1 = nn.GroupNorm(2, inside)
        self.conv1 = nn.Conv2d(inside, outside, 3, padding=1)
        self.norm2 = nn.GroupNorm(2, outside)
        self.conv2 = nn.Conv2d(outside, outside, 3, padding=1)
        self.time_emb = nn.Linear(time, outside)
        self.shortcut = nn.Conv2d(inside, outside, 1)
        self.dropout = nn.Dropout(0.1)

    def forward(self, x, t):
        h = self.conv1(F.silu(self.norm1(x)))
        h += self.time_emb(F.silu(t))[:, :, None, None]
        h = self.conv2(self.dropout(F.silu(self.norm2(h))))
        return h + self.shortcut(x)


class Denoiser(nn.Module):
    def __init__(self):
        super().__init__()
        self.time_emb = TimeEmbedding(16)
        self.image_proj = nn.Conv2d(1, 4, 3, padding=1)
        self.block = ResidualBlock(4, 8, 16)
        self.down = nn.Conv2d(8, 8, 3, 2, 1)
        self.up = nn.Upsample(scale_factor=2, mode="nearest")
        self.final = nn.Conv2d(8, 1, 3, padding=1)

    def forward(self, x, t):
        t = self.time_emb(t)
        x = self.block(self.image_proj(x), t)
        x = self.up(self.down(x))
        return self.final(x)


betas = torch.linspace(0.0001, 0.02, 50)
alpha_bar = torch.cumprod(1.0 - betas, dim=0)


def gather(consts, t):
    return consts.gather(-1, t).reshape(-1, 1, 1, 1)


model = Denoiser()
x0 = torch.randn(2, 1, 6, 6)
t = torch.randint(0, 50, (2,))
noise = torch.randn_like(x0)
xt = gather(alpha_bar, t) ** 0.5 * x0 + (1 - gather(alpha_bar, t)) ** 0.5 * noise
eps_theta = model(xt, t)
loss = F.mse_loss(noise, eps_theta)
loss.backward()
