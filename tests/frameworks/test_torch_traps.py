"""Where a recording can go wrong without a word: each trap is tried."""

from pathlib import Path

import numpy as np
import pytest
from recording import apart, names, snippet

import gradstep
from gradstep.core.account.account import account
from gradstep.core.base.errors import InputError
from gradstep.core.capture.record import Wanted
from gradstep.core.frontends.running import Watch

torch = pytest.importorskip("torch")
nn = torch.nn
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
    "a function of a part of its line": (
        """
def doubled(z):
    out = z * 2
    return out

x = torch.randn(3, dtype=torch.float64, requires_grad=True)
h = x + 1
h = doubled(h ** 2)
loss = h.sum()
loss.backward()
""",
        ["h", "h@2._1", "h@2", "doubled.out", "loss"],
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
    "options of convolutions and of pooling": (
        """
x = torch.randn(2, 4, 7, 8, dtype=torch.float64, requires_grad=True)
w = torch.randn(4, 2, 2, 3, dtype=torch.float64, requires_grad=True)
v = torch.randn(3, 4, 4, dtype=torch.float64, requires_grad=True)
same = F.conv2d(x, w, padding="same", dilation=(1, 2), groups=2)
alone = F.conv2d(x[0], w, torch.ones(4, dtype=torch.float64), 2, groups=2)
line = F.conv1d(x[:, :, 0], v, padding="same", dilation=3)
thin = F.conv1d(x[0, :, 0], v, padding="valid", stride=2)
mean = F.avg_pool2d(same, 3, 2, 1, ceil_mode=True, count_include_pad=False)
flat = F.avg_pool1d(line, 3, 2, padding=1, count_include_pad=False)
loss = (mean ** 2).sum() + (alone ** 2).sum() + (flat ** 2).sum() + thin.sum()
loss.backward()
""",
        ["same", "alone", "line", "thin", "mean", "flat", "loss"],
    ),
    "pooling with places, and padding that mirrors": (
        """
x = torch.randn(2, 3, 6, 6, dtype=torch.float64, requires_grad=True)
most, at = F.max_pool2d(x, 2, return_indices=True)
deep, _ = F.max_pool3d(x, 2, return_indices=True)
wide = F.adaptive_max_pool2d(F.pad(x, (1, 2, 0, 1), mode="reflect"), (3, None))
loss = (most ** 2).sum() + (deep ** 3).sum() + (wide ** 2).mean()
loss.backward()
""",
        ["most", "deep", "wide", "loss"],
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
    "pictures made larger and smaller, distances, divergences": (
        """
x = torch.randn(2, 3, 7, 9, dtype=torch.float64, requires_grad=True)
a = F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
b = F.interpolate(x, size=(5, 4), mode="bilinear", align_corners=True)
c = F.adaptive_avg_pool2d(x, (3, 4))
d = F.max_pool2d(x, 3, 2, ceil_mode=True)
e = F.interpolate(x, scale_factor=2)
larger = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True)
u = larger(x) + F.interpolate(x, scale_factor=2.0, mode="bilinear")
w = torch.full((3,), 0.25, dtype=torch.float64, requires_grad=True)
p = F.prelu(x, w)
g = F.pairwise_distance(x, x * 2).sum() + torch.diagonal(x[0, 0]).sum()
k = F.kl_div(F.log_softmax(x, 1), F.softmax(x * 2, 1), reduction="sum")
loss = sum((t**3).mean() for t in (a, b, c, d, e, p, u)) + g + k + x.floor().sum()
loss.backward()
""",
        ["a", "b", "c", "d", "e", "p", "k", "u", "loss"],
    ),
    "a function that asks for itself": (
        """
x = torch.randn(3, dtype=torch.float64, requires_grad=True)
a, b = torch.meshgrid(x.detach(), x.detach(), indexing="ij")
loss = (x * a.sum() + b[0, 0]).sum()
loss.backward()
""",
        ["loss"],
    ),
    "tensors that are laid out anew, or let go of, in place": (
        """
x = torch.randn(3, 3, dtype=torch.float64, requires_grad=True)
h = x * 2
before = h.sum(0)
h.t_()
after = (h * torch.arange(3.0)).sum(0)
k = x ** 2
held = k.detach_() * x
loss = (before * after).sum() + held.sum()
loss.backward()
""",
        ["before", "after", "k", "held", "loss"],
    ),
    "a step of gradient descent that is differentiated": (
        """
layer = nn.Linear(3, 1, dtype=torch.float64)
x = torch.randn(5, 3, dtype=torch.float64)
y = torch.tensor([1, 0, 1, 0, 1], dtype=torch.float64)
inner = F.binary_cross_entropy_with_logits(layer(x)[:, 0], y)
gw, gb = torch.autograd.grad(inner, list(layer.parameters()), create_graph=True)
out = F.linear(x, layer.weight - 0.1 * gw, layer.bias - 0.1 * gb)
loss = F.cross_entropy(torch.cat([out, -out], 1), y.long())
loss.backward()
""",
        ["out", "loss"],
    ),
    "a Jacobian, whose lines are PyTorch's own": (
        """
x = torch.randn(3, dtype=torch.float64, requires_grad=True)
j = torch.autograd.functional.jacobian(lambda v: v**3, x, create_graph=True)
loss = j.sum()
loss.backward()
""",
        ["loss"],
    ),
    "a method that is called as a function is, with other arguments": (
        """
x = torch.randn(3, dtype=torch.float64, requires_grad=True)
y = x.where(x > 0, x * 0.1)
loss = y.sum()
loss.backward()
""",
        ["y", "loss"],
    ),
    "an index of one number": (
        """
x = torch.randn(3, 4, dtype=torch.float64, requires_grad=True)
y = x.index_select(0, torch.tensor(1))
loss = (y ** 2).sum()
loss.backward()
""",
        ["y", "loss"],
    ),
    "float32, where no gradient flows": (
        """
layer = nn.Linear(64, 32)
x = torch.randn(16, 64)
with torch.no_grad():
    target = layer(x)
loss = F.mse_loss(layer(x * 2), target)
loss.backward()
""",
        ["target", "loss"],
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


def own(capture, name: str) -> np.ndarray:
    return np.asarray(capture.own[capture.subject.graph.names[name]])


def value(capture, name: str) -> np.ndarray:
    node = capture.subject.graph.names[name]
    leaves = capture.subject.leaves
    return np.asarray(leaves[node] if node in leaves else capture.values[node])


TWICE = """
x = torch.full((3,), 2.0, dtype=torch.float64, requires_grad=True)
trunk = x ** 2
first = (trunk * 3).sum()
second = (trunk * 5).sum()
first.backward(retain_graph=True)
second.backward()
"""


@pytest.mark.parametrize(("step", "factor"), [(1, 3), (2, 5)])
def test_each_backward_pass_has_its_own_gradients(
    step: int, factor: float, tmp_path: Path
) -> None:
    capture = snippet(TWICE, tmp_path, step=step)
    assert own(capture, "trunk").tolist() == [factor] * 3
    assert own(capture, "x").tolist() == [4 * factor] * 3
    assert apart(capture)[2] == []


def test_a_hook_that_changes_a_gradient_is_told_as_one(tmp_path: Path) -> None:
    code = """
x = torch.ones(3, dtype=torch.float64, requires_grad=True)
h = x * 2
h.register_hook(lambda g: g * 10)
k = h * 1
k.register_hook(lambda g: None)
loss = k.sum()
loss.backward()
"""
    capture = snippet(code, tmp_path)
    graph = capture.subject.graph
    assert capture.hooked == {graph.names["h"]: "snippet.py:4"}
    assert own(capture, "h").tolist() == [1, 1, 1]  # as it came
    assert own(capture, "x").tolist() == [20, 20, 20]  # as it went on


STRANGE = {
    "another thread": """
import threading
made = []
x = torch.ones(3, requires_grad=True)
thread = threading.Thread(target=lambda: made.append(x * 2))
thread.start()
thread.join()
h = made[0]
loss = h.sum()
loss.backward()
""",
    "a function of torch.func": """
x = torch.ones(3, requires_grad=True)
h = torch.vmap(lambda v: v * 2)(x)
loss = h.sum()
loss.backward()
""",
    "a scripted module": """
import io, warnings
warnings.simplefilter("ignore")
layer = torch.jit.trace(nn.Linear(3, 2), torch.ones(1, 3))
h = layer(torch.ones(4, 3))
loss = h.sum()
loss.backward()
""",
}


@pytest.mark.parametrize("name", STRANGE)
def test_a_history_that_nobody_recorded_is_named_and_refused(
    name: str, tmp_path: Path
) -> None:
    line = 1 + STRANGE[name].splitlines().index("loss = h.sum()")
    with pytest.raises(InputError, match=rf"^h \(snippet.py:{line}\) has a history"):
        snippet(STRANGE[name], tmp_path)
    capture = snippet(STRANGE[name], tmp_path, takes_strange=True)
    assert names(capture) == ["loss"]


def test_a_reentrant_checkpoint_is_refused_with_the_way_out(tmp_path: Path) -> None:
    code = """
from torch.utils.checkpoint import checkpoint
x = torch.ones(3, dtype=torch.float64, requires_grad=True)
h = checkpoint(lambda y: y.exp() * 2, x, use_reentrant=True)
loss = (h ** 2).sum()
loss.backward()
"""
    with pytest.raises(InputError, match=r"^h \(snippet.py:5\) .*use_reentrant=False"):
        snippet(code, tmp_path)
    capture = snippet(code, tmp_path, takes_strange=True)
    assert names(capture) == ["loss._1", "loss"]


def test_a_pass_that_begins_at_several_tensors_differentiates_their_sum(
    tmp_path: Path,
) -> None:
    code = """
x = torch.randn(3, dtype=torch.float64, requires_grad=True)
a = (x ** 2).sum()
b = x.exp()
seed = torch.tensor([1.0, 2.0, -1.0], dtype=torch.float64)
torch.autograd.backward([a, b], [None, seed])
"""
    capture = snippet(code, tmp_path)
    assert apart(capture)[2] == []
    graph = capture.subject.graph
    assert {"a", "b"} <= set(names(capture))
    x = np.asarray(capture.subject.leaves[graph.names["x"]])
    right = 2 * x + np.exp(x) * [1, 2, -1]
    assert np.allclose(capture.own[graph.names["x"]], right, rtol=1e-14)
    gradient = capture.subject.run().gradient(graph.names["x"])
    assert gradient is not None
    assert np.allclose(gradient, right)


def test_the_sum_that_a_pass_differentiates_has_no_name_of_a_gradient(
    tmp_path: Path,
) -> None:
    code = """
x = torch.randn(3, dtype=torch.float64, requires_grad=True)
a = (x ** 2).sum()
b = x.exp().sum()
gx, = torch.autograd.grad([a, b], [x])
"""
    capture = snippet(code, tmp_path)
    assert {"a", "b", "total"} <= set(names(capture))
    assert "gx" not in capture.subject.graph.names
    assert apart(capture)[2] == []


def test_passes_before_the_one_that_is_wanted_are_forgotten(tmp_path: Path) -> None:
    code = """
model = nn.Sequential(nn.Linear(4, 500), nn.Tanh(), nn.Linear(500, 2)).double()
opt = torch.optim.SGD(model.parameters(), lr=0.1)
h = torch.zeros(8, 2, dtype=torch.float64)
for k in range(40):
    x = torch.randn(8, 4, dtype=torch.float64)
    y = model(x)
    h = (h * 0.5 + y).detach()
    loss = ((y - h) ** 2).mean()
    opt.zero_grad()
    loss.backward()
    opt.step()
"""
    most = 8 * 60_000  # one pass has 8 × 12,000 bytes of numbers and parameters
    capture = snippet(code, tmp_path, step=40, most=most)
    assert apart(capture)[2] == []
    assert names(capture).count("model.1") == 1
    assert not any("@" in name for name in names(capture))


def test_views_that_are_written_into_are_forgotten_after_their_pass(
    tmp_path: Path,
) -> None:
    watch = Watch(tmp_path / "run.gradstep", Wanted(step=1000))
    watch.start()
    tape, layer, held = watch._recordings[0]._tape, nn.Linear(4, 4), []
    try:
        for _ in range(30):
            h = layer(torch.ones(4, 4))
            h[1:3].mul_(2)
            h.view(2, 8)[0].add_(1)
            h.sum().backward()
            layer.weight.data.mul_(0.5)
            held.append(len(tape._hooks))
    finally:
        watch.stop()
    assert held[-1] < 3 * held[1]


def test_a_trunk_that_two_passes_share_is_not_forgotten(tmp_path: Path) -> None:
    code = """
x = torch.randn(3, dtype=torch.float64, requires_grad=True)
h = x + 1
a = (h * 2).sum()
b = (h * 3).sum()
h = None
a.backward()
b.backward()
"""
    capture = snippet(code, tmp_path, step=2)
    assert names(capture) == ["h", "b._1", "b"]
    assert apart(capture)[2] == []


OUTSIDE = {
    "all of it": "return torch.from_numpy(np.exp(x.detach().numpy())) * 2",
    "a part of it": "return (torch.tensor(np.exp(x.numpy())) + x) * 1",
    "with a name": "y = torch.from_numpy(np.exp(x.numpy())); return y * x",
}


@pytest.mark.parametrize("name", OUTSIDE)
def test_a_rule_that_goes_through_numpy_is_not_judged(
    name: str, tmp_path: Path
) -> None:
    code = f"""
import numpy as np
class Exp(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        {OUTSIDE[name]}
    @staticmethod
    def backward(ctx, g):
        return g * 3
x = torch.randn(3, dtype=torch.float64, requires_grad=True)
h = Exp.apply(x * 2)
loss = (h ** 2).sum()
loss.backward()
"""
    capture = snippet(code, tmp_path)
    graph = capture.subject.graph
    assert [op.name for op in graph.ops if op.recorded] == ["Exp"]
    assert graph.names["x"] in capture.own
    subject = capture.opened().subject
    assert subject.claims is not None
    held = account(subject.run(), subject.claims)
    assert held.ok
    assert held.unknown >= 1


def test_a_constant_that_was_an_array_once_leaves_a_rule_to_be_judged(
    tmp_path: Path,
) -> None:
    code = """
import numpy as np
scale = torch.from_numpy(np.array([1.0, 2.0, 3.0]))
class Scaled(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x * scale
    @staticmethod
    def backward(ctx, g):
        return g * 3
x = torch.randn(3, dtype=torch.float64, requires_grad=True)
loss = (Scaled.apply(x * 2) ** 2).sum()
loss.backward()
"""
    subject = snippet(code, tmp_path).opened().subject
    assert subject.claims is not None
    held = account(subject.run(), subject.claims)
    assert [one.verdict for one in held.findings] == ["differs"]


def test_an_operation_without_a_rule_is_opaque_and_named(tmp_path: Path) -> None:
    code = """
x = torch.full((3,), 0.5, dtype=torch.float64, requires_grad=True)
h = torch.special.i0(x)
loss = h.sum()
loss.backward()
"""
    capture = snippet(code, tmp_path)
    (note,) = capture.about.notes
    assert "i0 (snippet.py:3) has no rule here" in note
    assert own(capture, "h").tolist() == [1, 1, 1]
    with pytest.raises(InputError, match=r"i0 \(snippet.py:3\) has no rule here"):
        snippet(code, tmp_path, is_strict=True)


def test_too_many_bytes_are_refused_with_their_number(tmp_path: Path) -> None:
    code = """
x = torch.ones(1000, dtype=torch.float64, requires_grad=True)
loss = (x * 2 + 1).sum()
loss.backward()
"""
    with pytest.raises(InputError, match=r"take more than .* bytes; --max-bytes"):
        snippet(code, tmp_path, most=10_000)


BOTH = """
torch.manual_seed(3)
net = nn.Sequential(
    nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(inplace=True), nn.Dropout2d(0.3),
    nn.Flatten(), nn.Linear(4 * 36, 8), nn.Dropout(0.5), nn.LayerNorm(8), nn.GELU(),
)
lstm = nn.LSTM(8, 4, num_layers=2, dropout=0.2)
attention = nn.MultiheadAttention(4, 2, dropout=0.1)
x = torch.randn(5, 1, 8, 8)
y, _ = lstm(net(x)[None])
z, _ = attention(y, y, y, need_weights=False)
q = F.scaled_dot_product_attention(z, z, z, dropout_p=0.2, is_causal=True)
loss = (q.double() ** 2).sum() + F.cross_entropy(z[0], torch.tensor([0, 1, 2, 3, 0]))
loss.backward()
parts = [net, lstm, attention]
found = [loss.detach(), torch.get_rng_state(), z.detach()]
found += [p.grad for part in parts for p in part.parameters()]
found += [b for b in net.buffers()]
"""


def test_looking_changes_nothing(tmp_path: Path) -> None:
    known = {"torch": torch, "nn": torch.nn, "F": torch.nn.functional}
    plain, watched = dict(known), dict(known)
    exec(BOTH, plain)
    watch = Watch(tmp_path / "run.gradstep", Wanted())
    watch.start()
    exec(BOTH, watched)
    watch.stop()
    assert watch.capture is not None, watch.problem
    pairs = zip(plain["found"], watched["found"], strict=True)
    assert [torch.equal(a, b) for a, b in pairs] == [True] * len(plain["found"])


def test_numbers_of_sixteen_bits_are_widened_and_told(tmp_path: Path) -> None:
    code = """
layer = nn.Linear(8, 8)
x = torch.randn(4, 8)
with torch.autocast("cpu", dtype=torch.bfloat16):
    h = layer(x)
loss = F.gelu(h.float()).sum()
loss.backward()
"""
    capture = snippet(code, tmp_path)
    assert capture.about.notes == ("bfloat16 is widened to float32",)
    assert apart(capture)[1] < 0.05  # bfloat16 has three digits


def test_numbers_of_float16_are_held_to_its_precision(tmp_path: Path) -> None:
    code = """
x = torch.randn(40, dtype=torch.float16, requires_grad=True)
y = x * x / 3
loss = y.float().sum()
loss.backward()
"""
    capture = snippet(code, tmp_path)
    assert capture.about.notes == ("float16 is widened to float32",)
    subject = capture.opened().subject
    assert subject.claims is not None
    assert account(subject.run(), subject.claims).ok


def test_of_several_numbers_put_at_one_place_only_the_last_has_a_gradient(
    tmp_path: Path,
) -> None:
    code = """
x = torch.zeros(3, dtype=torch.float64)
y = torch.tensor([5.0, 6.0, 7.0], dtype=torch.float64, requires_grad=True)
h = x.scatter(0, torch.tensor([1, 1, 2]), y)
loss = h.sum()
loss.backward()
"""
    capture = snippet(code, tmp_path)
    subject = capture.opened().subject
    gradient = subject.run().gradient(subject.graph.names["y"])
    assert gradient is not None
    assert gradient.tolist() == [0, 1, 1]
    assert subject.claims is not None
    (finding,) = account(subject.run(), subject.claims).findings
    assert (finding.verdict, finding.theirs, finding.right) == ("differs", 1, 0)


def test_an_input_that_a_rule_returns_as_it_is_keeps_the_rule(tmp_path: Path) -> None:
    code = """
class Reverse(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x

    @staticmethod
    def backward(ctx, g):
        return -g

class Exp(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        y = torch.from_numpy(np.exp(x.detach().numpy()))
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx, g):
        return g * ctx.saved_tensors[0]

x = torch.ones(3, dtype=torch.float64, requires_grad=True)
h = Reverse.apply(x * 2)
e = Exp.apply(h)
loss = e.sum()
loss.backward()
"""
    capture = snippet("import numpy as np\n" + code, tmp_path)
    assert "Reverse.backward (snippet.py:9)" in capture.custom.values()
    assert any("Exp" in note for note in capture.about.notes)


def test_the_capture_manager_writes_what_its_block_did(tmp_path: Path) -> None:
    path = tmp_path / "run.gradstep"
    x = torch.ones(3, requires_grad=True)
    with gradstep.capture(path) as run:
        loss = (x * 2).sum()
        loss.backward()
        x.data.zero_()
    assert run.capture is not None
    assert gradstep.load(str(path)).subject.graph.names["loss"] >= 0
    with (
        pytest.raises(InputError, match="backward was never called"),
        gradstep.capture(tmp_path / "none.gradstep"),
    ):
        (x * 2).sum()
    assert not (tmp_path / "none.gradstep").exists()
