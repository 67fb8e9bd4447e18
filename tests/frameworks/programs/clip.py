"""The contrastive loss of pictures and texts, with a learned temperature."""

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

torch.set_default_dtype(torch.float64)
torch.manual_seed(10)


class CLIP(nn.Module):
    def __init__(self):
        super().__init__()
        self.visual = nn.Linear(10, 6)
        self.text = nn.Linear(7, 6)
        self.logit_scale = nn.Parameter(torch.ones([]) * np.log(1 / 0.07))

    def forward(self, image, text):
        image_features = F.normalize(self.visual(image), dim=-1)
        text_features = self.text(text)
        text_features = text_features / text_features.norm(dim=-1, keepdim=True)
        return image_features, text_features, self.logit_scale.exp()


model = CLIP()
image, text = torch.randn(5, 10), torch.randn(5, 7)
image_features, text_features, scale = model(image, text)
logits_per_image = scale * image_features @ text_features.T
logits_per_text = logits_per_image.t()
labels = torch.arange(5)
total_loss = (
    F.cross_entropy(logits_per_image, labels) + F.cross_entropy(logits_per_text, labels)
) / 2
total_loss.backward()
