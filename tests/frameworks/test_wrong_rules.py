"""A wrong rule of somebody's own, in each of ten places: it is named, and only it."""

import re
from pathlib import Path

import pytest
from recording import snippet

import gradstep

pytest.importorskip("torch")

CODE = """
class Base(torch.autograd.Function):
    @staticmethod
    def backward(ctx, g):
        x, y = ctx.saved_tensors
        return g * (1 - y * y) * ctx.factor

%s

layers = nn.ModuleList(nn.Linear(6, 6) for _ in range(10)).double()
h = torch.randn(4, 6, dtype=torch.float64)
h = RULES[0].apply(layers[0](h))
for layer, rule in zip(layers[1:], RULES[1:]):
    h = h + rule.apply(layer(h))
loss = (h ** 2).mean()
loss.backward()
"""
RULE = """
class Rule{k}(Base):
    @staticmethod
    def forward(ctx, x):
        y = torch.tanh(x)
        ctx.save_for_backward(x, y)
        ctx.factor = {factor}
        return y
"""


@pytest.mark.parametrize("wrong", range(10))
def test_the_wrong_rule_is_named_and_only_it(wrong: int, tmp_path: Path) -> None:
    rules = [RULE.format(k=k, factor=1.01 if k == wrong else 1) for k in range(10)]
    names = ", ".join(f"Rule{k}" for k in range(10))
    snippet(CODE % ("".join(rules) + f"RULES = [{names}]"), tmp_path)
    bug = gradstep.Debugger(gradstep.load(str(tmp_path / "run.gradstep")))
    said = str(bug.execute("rules"))
    assert re.findall(r"Rule\d", said) == [f"Rule{wrong}"], said
    assert "1 rule wrong" in said
