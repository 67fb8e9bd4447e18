"""Three rules of one's own: one of them is wrong."""

import torch
from torch import nn

torch.set_default_dtype(torch.float64)
torch.manual_seed(12)


class Swish(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * torch.sigmoid(x)

    @staticmethod
    def backward(ctx, grad_output):
        (x,) = ctx.saved_tensors
        s = torch.sigmoid(x)
        return grad_output * s * (1 + x * (1 - s))


class RootMeanSquare(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        size = torch.sqrt((x**2).mean(-1, keepdim=True) + 1e-6)
        ctx.save_for_backward(x, size)
        return x / size

    @staticmethod
    def backward(ctx, grad_output):
        x, size = ctx.saved_tensors
        return grad_output / size  # the mean depends on x, too


class Scale(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, weight):
        ctx.save_for_backward(x, weight)
        return x * weight

    @staticmethod
    def backward(ctx, grad_output):
        x, weight = ctx.saved_tensors
        return grad_output * weight, (grad_output * x).sum(0)


swish = Swish.apply


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(5, 6)
        self.fc2 = nn.Linear(6, 2)
        self.gain = nn.Parameter(torch.ones(6))

    def forward(self, x):
        h = swish(self.fc1(x))
        h = RootMeanSquare.apply(h)
        h = Scale.apply(h, self.gain)
        return self.fc2(h)


model = Model()
loss = model(torch.randn(4, 5)).pow(2).mean()
loss.backward()
