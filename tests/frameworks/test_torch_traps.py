"""Where a recording can go wrong without a word: each trap is tried."""

from pathlib import Path

import pytest
from recording import apart, names, snippet

pytest.importorskip("torch")
pytestmark = pytest.mark.filterwarnings("default")

# Code whose last line is a backward pass, and some of the names that it makes.
RIGHT = {
    "activations and sums in place": (
        """
x = torch.randn(3, 4, dtype=torch.float64, requires_grad=True)
h = x * 2
h += 1
F.relu(h, inplace=True)
h = h * 2
h.mul_(3).tanh_()
loss = h.sum()
loss.backward()
""",
        ["h", "h@2", "loss"],
    ),
    "an argument out": (
        """
x = torch.randn(3, dtype=torch.float64, requires_grad=True)
with torch.no_grad():
    kept = torch.empty(3, dtype=torch.float64)
    torch.mul(x, 2, out=kept)
loss = (x * kept).sum()
loss.backward()
""",
        ["loss"],
    ),
    "assigned slices and masks": (
        """
x = torch.randn(4, 5, dtype=torch.float64, requires_grad=True)
h = x * 2
h[1:3, 0] = 7.0
h[:, 2] = x[:, 1] * x[:, 2]
h[h > 1] = 0.5
h[torch.tensor([0, 3])] += 1
loss = (h ** 2).mean()
loss.backward()
""",
        ["h", "h@2", "loss"],
    ),
    "a write through a view goes into its base": (
        """
x = torch.randn(4, 5, dtype=torch.float64, requires_grad=True)
h = x * 2
v = h[1]
w = h.t()
v.mul_(3)
y = h.sum(0) + v
w[2].add_(1.0)
loss = (h * h).sum() + (v * v).sum() + (w ** 3).sum() + y.sum()
loss.backward()
""",
        ["v", "y", "loss"],
    ),
    "a view is written after its base was used": (
        """
x = torch.randn(6, dtype=torch.float64, requires_grad=True)
h = x + 0
before = h.sum()
v = h.view(2, 3)
v[0] = 0.0
after = h.prod() + h.sum()
loss = before + after
loss.backward()
""",
        ["before", "after", "loss"],
    ),
    "tied weights": (
        """
emb = nn.Embedding(5, 4, dtype=torch.float64)
out = nn.Linear(4, 5, bias=False, dtype=torch.float64)
out.weight = emb.weight
loss = F.cross_entropy(out(emb(torch.tensor([1, 2, 3]))), torch.tensor([2, 3, 4]))
loss.backward()
""",
        ["loss"],
    ),
    "no_grad and detach": (
        """
x = torch.randn(3, dtype=torch.float64, requires_grad=True)
w = torch.randn(3, dtype=torch.float64, requires_grad=True)
with torch.no_grad():
    target = w * x
frozen = (w * 2).detach()
loss = ((w * x - target + 1) * frozen).sum()
loss.backward()
""",
        ["target", "frozen", "loss"],
    ),
    "numbers that went through NumPy": (
        """
x = torch.randn(3, dtype=torch.float64, requires_grad=True)
scale = torch.from_numpy(x.detach().numpy() * 2)
loss = (x * scale).sum() * x[0].item()
loss.backward()
""",
        ["loss"],
    ),
    "gradients that are accumulated": (
        """
x = torch.randn(3, dtype=torch.float64, requires_grad=True)
x.grad = torch.ones(3, dtype=torch.float64)
loss = (x ** 2).sum()
loss.backward()
""",
        ["loss"],
    ),
    "a checkpoint": (
        """
from torch.utils.checkpoint import checkpoint
block = nn.Sequential(nn.Linear(3, 3), nn.Tanh()).double()
x = torch.randn(2, 3, dtype=torch.float64, requires_grad=True)
h = checkpoint(block, x, use_reentrant=False)
loss = (h ** 2).sum()
loss.backward()
""",
        ["loss"],
    ),
    "dropout inside attention": (
        """
q = torch.randn(2, 3, 4, 5, dtype=torch.float64, requires_grad=True)
y = F.scaled_dot_product_attention(q, q, q, dropout_p=0.4, is_causal=True)
loss = (y ** 2).sum()
loss.backward()
""",
        ["y", "loss"],
    ),
    "weights that are normalised": (
        """
from torch.nn.utils.parametrizations import weight_norm
layer = weight_norm(nn.Linear(4, 3)).double()
loss = (layer(torch.ones(2, 4, dtype=torch.float64)) ** 2).sum()
loss.backward()
""",
        ["loss"],
    ),
    "ten thousand tensors that are gone": (
        """
x = torch.randn(3, dtype=torch.float64, requires_grad=True)
total = x * 0
for k in range(2000):
    junk = [torch.randn(3) * 2 for _ in range(5)]
    if k % 400 == 0:
        total = total + x * k
loss = total.sum()
loss.backward()
""",
        ["total@2", "loss"],
    ),
    "names that are operations, and others": (
        """
sum = torch.randn(3, dtype=torch.float64, requires_grad=True)
max = sum * 2; größe = max + sum
def generator(x):
    for k in range(2):
        yield x * k
last = [y + 1 for y in generator(größe)]
f = lambda x: x * 3
λ = f(last[0]) + f(last[1])
(walrus := λ * 2)
print_ = (
    walrus
    + λ
)
loss = torch.sum(print_ ** 2)
loss.backward()
""",
        ["max", "größe", "walrus", "print_", "loss"],
    ),
    "a mask that depends on what it masks": (
        """
x = torch.randn(8, dtype=torch.float64, requires_grad=True)
positive = x[x > 0]
loss = positive.exp().sum() + x.clamp(min=0.1).log().mean()
loss.backward()
""",
        ["positive", "loss"],
    ),
    "a chain of views, cut and joined": (
        """
x = torch.randn(2, 6, dtype=torch.float64, requires_grad=True)
a, b = x.chunk(2, dim=1)
c, d, e = torch.split(x, [1, 2, 3], dim=1)
s = torch.stack([a, b]).permute(1, 0, 2).flatten(1).roll(1, 1)
t = torch.cat([c, d, e], -1).unsqueeze(0).repeat(2, 1, 2).squeeze()
r = F.pad(t[0], (1, 2)).tril().cumsum(-1)
v, k = x.sort(dim=1)
m, _ = x.max(dim=1)
loss = s.norm() + t.std() + r.var() + (v * torch.arange(6.0)).sum() + m.logsumexp(0)
loss.backward()
""",
        ["a", "d", "s", "t", "loss"],
    ),
    "float32, with layers": (
        """
torch.set_default_dtype(torch.float32)
layers = [(nn.Linear(16, 16), nn.LayerNorm(16), nn.GELU()) for _ in range(6)]
net = nn.Sequential(*[one for three in layers for one in three])
loss = net(torch.randn(8, 16)).pow(2).mean()
loss.backward()
""",
        ["net.0", "loss"],
    ),
}


@pytest.mark.parametrize("name", RIGHT)
def test_what_is_recorded_is_what_ran(name: str, tmp_path: Path) -> None:
    code, expected = RIGHT[name]
    capture = snippet(code, tmp_path)
    _, worst, wrong = apart(capture)
    assert wrong == [] or (capture.subject.dtype == "float32" and worst < 1e-4)
    assert capture.about.notes == ()
    assert {*expected} <= {*names(capture), *capture.subject.graph.aliases}
