"""A vision transformer: patches by unfold-like reshapes, a class token, einsum."""

import torch
from torch import nn

torch.set_default_dtype(torch.float64)
torch.manual_seed(3)


class Attention(nn.Module):
    def __init__(self, dim, heads):
        super().__init__()
        self.heads, self.scale = heads, (dim // heads) ** -0.5
        self.norm = nn.LayerNorm(dim)
        self.to_qkv = nn.Linear(dim, dim * 3, bias=False)
        self.to_out = nn.Sequential(nn.Linear(dim, dim), nn.Dropout(0.0))

    def forward(self, x):
        b, n, d = x.shape
        x = self.norm(x)
        q, k, v = (
            t.reshape(b, n, self.heads, -1).permute(0, 2, 1, 3)
            for t in self.to_qkv(x).chunk(3, dim=-1)
        )
        dots = torch.einsum("b h i d, b h j d -> b h i j", q, k) * self.scale
        attn = dots.softmax(dim=-1)
        out = torch.matmul(attn, v)
        out = out.permute(0, 2, 1, 3).flatten(2)
        return self.to_out(out)


class ViT(nn.Module):
    def __init__(self, size=8, patch=4, dim=12, depth=2, heads=3, classes=5):
        super().__init__()
        self.patch = patch
        patches = (size // patch) ** 2
        self.to_patch = nn.Sequential(
            nn.LayerNorm(3 * patch**2), nn.Linear(3 * patch**2, dim), nn.LayerNorm(dim)
        )
        self.pos_embedding = nn.Parameter(torch.randn(1, patches + 1, dim))
        self.cls_token = nn.Parameter(torch.randn(1, 1, dim))
        self.layers = nn.ModuleList(
            nn.ModuleList(
                [
                    Attention(dim, heads),
                    nn.Sequential(
                        nn.LayerNorm(dim),
                        nn.Linear(dim, 2 * dim),
                        nn.GELU(),
                        nn.Linear(2 * dim, dim),
                    ),
                ]
            )
            for _ in range(depth)
        )
        self.head = nn.Linear(dim, classes)

    def forward(self, img):
        b, c, h, w = img.shape
        p = self.patch
        x = img.view(b, c, h // p, p, w // p, p).permute(0, 2, 4, 3, 5, 1)
        x = self.to_patch(x.reshape(b, -1, p * p * c))
        cls = self.cls_token.expand(b, -1, -1)
        x = torch.cat((cls, x), dim=1)
        x += self.pos_embedding[:, : x.shape[1]]
        for attn, ff in self.layers:
            x = attn(x) + x
            x = ff(x) + x
        x = x[:, 0]
        return self.head(x)


model = ViT()
images, labels = torch.randn(2, 3, 8, 8), torch.tensor([1, 4])
criterion = nn.CrossEntropyLoss(label_smoothing=0.1)
loss = criterion(model(images), labels)
loss.backward()
