"""One step of a DCGAN: the third backward pass is the generator's."""

import torch
from torch import nn

torch.set_default_dtype(torch.float64)
torch.manual_seed(7)


class Generator(nn.Module):
    def __init__(self):
        super().__init__()
        self.main = nn.Sequential(
            nn.ConvTranspose2d(5, 8, 4, 1, 0, bias=False),
            nn.BatchNorm2d(8),
            nn.ReLU(True),
            nn.ConvTranspose2d(8, 3, 4, 2, 1, bias=False),
            nn.Tanh(),
        )

    def forward(self, input):
        return self.main(input)


class Discriminator(nn.Module):
    def __init__(self):
        super().__init__()
        self.main = nn.Sequential(
            nn.Conv2d(3, 4, 4, 2, 1, bias=False),
            nn.LeakyReLU(0.2, inplace=True),
            nn.Conv2d(4, 8, 4, 1, 0, bias=False),
            nn.BatchNorm2d(8),
            nn.LeakyReLU(0.2, inplace=True),
            nn.Conv2d(8, 1, 1, 1, 0, bias=False),
            nn.Sigmoid(),
        )

    def forward(self, input):
        return self.main(input).view(-1, 1).squeeze(1)


netG, netD = Generator(), Discriminator()
criterion = nn.BCELoss()
optimizerD = torch.optim.Adam(netD.parameters(), lr=0.002, betas=(0.5, 0.999))
optimizerG = torch.optim.Adam(netG.parameters(), lr=0.002, betas=(0.5, 0.999))
real = torch.randn(4, 3, 8, 8)

netD.zero_grad()
label = torch.full((4,), 1.0)
output = netD(real)
errD_real = criterion(output, label)
errD_real.backward()
noise = torch.randn(4, 5, 1, 1)
fake = netG(noise)
label.fill_(0.0)
output = netD(fake.detach())
errD_fake = criterion(output, label)
errD_fake.backward()
optimizerD.step()

netG.zero_grad()
label.fill_(1.0)
output = netD(fake)
errG = criterion(output, label)
errG.backward()
optimizerG.step()
