"""The estimator's network as one writes it down at first: the same answers from the same weights.

Everything in torch's default layout and from torch's own layers, heads and links on whole feature maps, joint
after joint through the skeleton. Parameters bear the same names as in `odah.estimator`; where that has a
linear layer, here is often a 1x1 convolution.
"""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import weight_norm

from odah.estimator.batch import Pictures, Prediction
from odah.estimator.config import DataConfig, NetworkConfig
from odah.estimator.network.outputs import NUM_ANGLES, NUM_SCALES
from odah.estimator.network.two_view import TwoViewNetwork
from odah.estimator.skeleton import ANGLES, PELVIS, Skeleton
from odah.names import OPENSIM_COORDINATES
from odah.osim.coupling import CouplerStage
from odah.osim.full_body import full_body_model
from odah.osim.function_bank import FunctionBank
from odah.osim.model import GROUND
from odah.osim.scale import scales_with_parent
from odah.osim.tree import coupler_stages, tree_levels


class PlainNetwork(nn.Module):
    """`PlainNetwork(network)` has the weights of a `TwoViewNetwork`."""

    def __init__(self, network: TwoViewNetwork, data: DataConfig) -> None:
        super().__init__()
        config = network.config
        self.config, self.data = config, data
        self.hourglass = Hourglasses(config)
        self.point_features = nn.ModuleDict({"heads": nn.ModuleList(
            nn.Conv2d(config.hourglass.channels, config.hourglass.head_channels, 1)
            for _ in range(config.hourglass.stacks)
        )})  # fmt: skip
        is_flatten = config.encoder.kind == "flatten"
        self.encoder = Flatten(network) if is_flatten else copy.deepcopy(network.encoder)
        self.temporal = Unet(config) if config.temporal else None
        self.scales = copy.deepcopy(network.scales)
        theirs, own = network.state_dict(), self.state_dict()
        self.load_state_dict({name: theirs.pop(name).reshape(own[name].shape) for name in own})
        assert not theirs

    def forward(self, pictures: Pictures) -> Prediction:
        """Frames only; `sequence` for the temporal part."""
        return self.prediction(*self.features(pictures))

    def features(self, pictures: Pictures) -> tuple[Tensor, Tensor | None]:
        batch, views, frames = pictures.images.shape[:3]
        maps = self.hourglass(pictures.images.flatten(0, 2))
        maps = [head(answer) for head, answer in zip(self.point_features["heads"], maps, strict=True)]
        grid = self.grid(pictures.pixels.flatten(0, 2), maps[0].shape[-1])[:, None]
        sampled = [F.grid_sample(m, grid, align_corners=True)[:, :, 0].swapaxes(1, 2) for m in maps]
        per_view = torch.cat(sampled, dim=-1).unflatten(0, (batch, views, frames))
        per_view = per_view * pictures.is_view[:, :, None, None, None]
        features = torch.cat([per_view[:, view] for view in range(views)], dim=-1)
        encoded = self.encoder(features, pictures.points, pictures.is_view)
        return encoded.vectors if hasattr(encoded, "vectors") else encoded, getattr(encoded, "located", None)

    def grid(self, pixels: Tensor, side: int) -> Tensor:
        if self.data.pixels == "rounded":
            return pixels.clamp(0, self.data.size - 1).floor() / self.data.size * 2 - 1
        cells = (pixels / self.config.hourglass.stem_stride).clamp(0, side - 1)
        return cells / (side - 1) * 2 - 1

    def prediction(
        self, vectors: Tensor, located: Tensor | None, numbers: Tensor | None = None
    ) -> Prediction:
        end = NUM_ANGLES + NUM_SCALES
        numbers = vectors[..., NUM_ANGLES:end] if numbers is None else numbers
        scales = (numbers / 8 + 1).abs().reshape(*numbers.shape[:-1], -1, 3)
        pelvis = vectors[..., end : end + 3] if self.config.tells_pelvis else None
        errors = vectors[..., -NUM_ANGLES:].exp() if self.config.tells_errors else None
        return Prediction(vectors[..., :NUM_ANGLES], scales, pelvis, errors, located)

    def sequence(self, vectors: Tensor, located: Tensor | None = None) -> Prediction:
        vectors = self.temporal(vectors)
        numbers = vectors[..., NUM_ANGLES : NUM_ANGLES + NUM_SCALES]
        is_frame = torch.ones(vectors.shape[:2], dtype=torch.bool, device=vectors.device)
        return self.prediction(vectors, located, self.scales(vectors, numbers, is_frame))


class Hourglasses(nn.Module):
    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        c, stride = config.hourglass.channels, config.hourglass.stem_stride
        groups = c // 8
        layers: list[nn.Module] = [nn.Conv2d(3, c // 4, 7, 2, 3), Norm(groups, c // 4)]
        if stride == 4:
            layers += [nn.Conv2d(c // 4, c // 4, 3, 2, 1, bias=False), Norm(groups, c // 4)]
        blocks = [Block(c // 4, c // 2, groups), Block(c // 2, c // 2, groups), Block(c // 2, c, groups)]
        self.stem = nn.Sequential(*layers, *blocks)
        count = config.hourglass.stacks
        self.stacks = nn.ModuleList(Stack(c, groups, config.hourglass.depth) for _ in range(count))
        self.outputs = nn.ModuleList(nn.Conv2d(c, c, 1) for _ in range(count))
        self.output_links = nn.ModuleList(nn.Conv2d(c, c, 1) for _ in range(count - 1))
        self.map_links = nn.ModuleList(nn.Conv2d(c, c, 1) for _ in range(count - 1))

    def forward(self, images: Tensor) -> list[Tensor]:
        x = self.stem(images)
        answers = []
        for k, stack in enumerate(self.stacks):
            features = stack(x)
            answers.append(self.outputs[k](features))
            if k < len(self.stacks) - 1:
                x = x + self.map_links[k](features) + self.output_links[k](answers[-1])
        return answers


class Stack(nn.Module):
    def __init__(self, c: int, groups: int, depth: int) -> None:
        super().__init__()
        self.hourglass = Hourglass(c, groups, depth) if depth else Block(c, c, groups)
        self.block = Block(c, c, groups)
        self.last = nn.Conv2d(c, c, 1)
        self.norm = Norm(groups, c)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(self.last(self.block(self.hourglass(x))))


class Hourglass(nn.Module):
    def __init__(self, c: int, groups: int, depth: int) -> None:
        super().__init__()
        self.beside, self.down, self.up = (Block(c, c, groups) for _ in range(3))
        self.inner = Hourglass(c, groups, depth - 1) if depth > 1 else Block(c, c, groups)

    def forward(self, x: Tensor) -> Tensor:
        low = self.up(self.inner(self.down(F.avg_pool2d(x, 2))))
        return self.beside(x) + F.interpolate(low, scale_factor=2, mode="bicubic", align_corners=True)


class Block(nn.Module):
    def __init__(self, c_in: int, c_out: int, groups: int) -> None:
        super().__init__()
        widths = (c_in, c_out // 2, c_out // 4, c_out // 4)
        self.norms = nn.ModuleList(Norm(groups, width) for width in widths[:3])
        self.convs = nn.ModuleList(nn.Conv2d(widths[k], widths[k + 1], 3, 1, 1, bias=False) for k in range(3))
        self.shortcut = None
        if c_in != c_out:
            self.shortcut = nn.Sequential(Norm(groups, c_in), nn.Conv2d(c_in, c_out, 1, bias=False))

    def forward(self, x: Tensor) -> Tensor:
        first = self.convs[0](self.norms[0](x))
        second = self.convs[1](self.norms[1](first))
        third = self.convs[2](self.norms[2](second))
        return torch.cat([first, second, third], dim=1) + (self.shortcut(x) if self.shortcut else x)


class Norm(nn.GroupNorm):
    def forward(self, input: Tensor) -> Tensor:
        return F.relu(super().forward(input))


class Flatten(nn.Module):
    def __init__(self, network: TwoViewNetwork) -> None:
        super().__init__()
        self.points = nn.Sequential(*(
            weight_norm(nn.Conv1d(m.in_features, m.out_features, 1)) if hasattr(m, "weight") else nn.ReLU()
            for m in network.encoder.points
        ))  # fmt: skip
        self.frame = copy.deepcopy(network.encoder.frame)

    def forward(self, features: Tensor, points: Tensor, is_view: Tensor) -> Tensor:
        x = torch.cat([features, points], dim=-1).flatten(0, 1).swapaxes(1, 2)
        x = self.points(x).swapaxes(1, 2).flatten(1)
        return self.frame(x).unflatten(0, features.shape[:2])


class Unet(nn.Module):
    """For numbers of frames that the factors divide."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        t = config.temporal
        assert t is not None
        levels = range(len(t.channels))
        self.factors = t.factors
        self.embed = nn.Conv2d(1, t.channels[0], 3, 1, 1, bias=False)
        self.ways_down = nn.ModuleList(
            blocks(t.channels[k], t.heads[k], t.blocks[k], t.expansion) for k in levels
        )
        self.downs = nn.ModuleList(nn.Conv2d(c, c, 3, 1, 1, bias=False) for c in t.channels[:-1])
        self.ups = nn.ModuleList(nn.Conv2d(c, c, 3, 1, 1, bias=False) for c in t.channels[1:])
        self.merges = nn.ModuleList(
            nn.Conv2d(2 * c, c, 1) if k else nn.Identity() for k, c in enumerate(t.channels[:-1])
        )
        widths = [c if k else 2 * c for k, c in enumerate(t.channels[:-1])]
        self.ways_up = nn.ModuleList(
            blocks(c, t.heads[k], t.blocks[k], t.expansion) for k, c in enumerate(widths)
        )
        self.fuse = nn.Conv2d([*widths, t.channels[0]][0], 1, 3, 1, 1)

    def forward(self, vectors: Tensor) -> Tensor:
        x = self.embed(vectors.swapaxes(1, 2)[:, None])
        skips = []
        for k, factor in enumerate(self.factors):
            x = self.ways_down[k](x)
            skips.append(x)
            x = self.downs[k](x)
            b, c, d, t = x.shape
            x = x.reshape(b, c, d, t // factor, factor).permute(0, 1, 4, 2, 3)
            x = x.reshape(b, c * factor, d, t // factor)
        x = self.ways_down[-1](x)
        for k, factor in reversed(list(enumerate(self.factors))):
            x = self.ups[k](x)
            b, c, d, t = x.shape
            x = x.reshape(b, c // factor, factor, d, t).permute(0, 1, 3, 4, 2)
            x = x.reshape(b, c // factor, d, t * factor)
            x = self.ways_up[k](self.merges[k](torch.cat([x, skips[k]], dim=1)))
        return self.fuse(x)[:, 0].swapaxes(1, 2)


def blocks(c: int, heads: int, count: int, expansion: float) -> nn.Sequential:
    return nn.Sequential(*(TransformerBlock(c, heads, expansion) for _ in range(count)))


class TransformerBlock(nn.Module):
    def __init__(self, c: int, heads: int, expansion: float) -> None:
        super().__init__()
        self.attention_norm, self.gated_norm = nn.LayerNorm(c), nn.LayerNorm(c)
        self.attention, self.gated = Attention(c, heads), FeedForward(c, int(c * expansion))

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attention(self.attention_norm(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2))
        return x + self.gated(self.gated_norm(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2))


class Attention(nn.Module):
    def __init__(self, c: int, heads: int) -> None:
        super().__init__()
        self.temperature = nn.Parameter(torch.ones(heads, 1, 1))
        self.qkv = nn.Conv2d(c, 3 * c, 1)
        self.spread = nn.Conv2d(3 * c, 3 * c, 3, 1, 1, groups=3 * c)
        self.project = nn.Conv2d(c, c, 1)

    def forward(self, x: Tensor) -> Tensor:
        parts = self.spread(self.qkv(x)).chunk(3, dim=1)
        q, k, v = (part.unflatten(1, (len(self.temperature), -1)).flatten(3) for part in parts)
        attention = F.normalize(q, dim=-1) @ F.normalize(k, dim=-1).swapaxes(-1, -2) * self.temperature
        return self.project((attention.softmax(dim=-1) @ v).reshape(x.shape))


class FeedForward(nn.Module):
    def __init__(self, c: int, hidden: int) -> None:
        super().__init__()
        self.widen = nn.Conv2d(c, 2 * hidden, 1)
        self.spread = nn.Conv2d(2 * hidden, 2 * hidden, 3, 1, 1, groups=2 * hidden)
        self.project = nn.Conv2d(hidden, c, 1)

    def forward(self, x: Tensor) -> Tensor:
        gate, values = self.spread(self.widen(x)).chunk(2, dim=1)
        return self.project(F.gelu(gate) * values)


class PlainSkeleton(Skeleton):
    """Joint after joint, axis after axis."""

    def __init__(self) -> None:
        super().__init__()
        self.model = full_body_model()
        names = self.model.coordinate_names
        stages = coupler_stages(self.model.couplers)
        self.couplers = nn.ModuleList(CouplerStage(self.model, stage, torch.float32) for stage in stages)
        self.functions = nn.ModuleList(
            FunctionBank([(axis.function, axis.coordinates)], names, torch.float32)
            for joint in self.model.joints for axis in joint.rotations + joint.translations
        )  # fmt: skip

    def forward(self, angles: Tensor, scales: Tensor) -> Tensor:
        coordinates = angles.new_zeros(*angles.shape[:-1], len(OPENSIM_COORDINATES))
        for k, name in enumerate(ANGLES):
            coordinates[..., OPENSIM_COORDINATES.index(name)] = angles[..., k]
        scales = scales.expand(*angles.shape[:-1], -1, -1)
        scales = torch.cat([scales, torch.ones_like(scales[..., :1, :])], dim=-2)
        for coupler in self.couplers:
            coordinates = coupler(coordinates, scales)
        number = {name: k for k, name in enumerate((*self.model.body_names, GROUND))}
        eye = torch.eye(3, device=angles.device).expand(*angles.shape[:-1], 3, 3)
        turns, starts, centres = {GROUND: eye}, {GROUND: torch.zeros_like(eye[..., 0])}, {}
        for j in [j for level in tree_levels(self.model.joints) for j in level]:
            joint = self.model.joints[j]
            rotmat, shift = eye, torch.zeros_like(eye[..., 0])
            scale = scales[..., number[joint.parent], :]
            T_parent = eye.new_tensor(joint.T_parent)
            for k, axis in enumerate(joint.rotations):
                amount = self.functions[6 * j + k](coordinates)[..., 0]
                rotmat = rotmat @ axis_rotmat(eye.new_tensor(axis.axis), amount)
            for k, axis in enumerate(joint.translations):
                amount = self.functions[6 * j + 3 + k](coordinates)
                direction = eye.new_tensor(axis.axis)
                if scales_with_parent(axis):
                    amount = amount * (direction * scale).norm(dim=-1, keepdim=True)
                shift = shift + amount * direction
            T_child = eye.new_tensor(joint.T_child)
            rotmat = T_parent[:3, :3] @ rotmat @ T_child[:3, :3].T
            place = T_parent[:3, 3] * scale + (T_parent[:3, :3] @ shift[..., None])[..., 0]
            turn, start = turns[joint.parent], starts[joint.parent]
            centres[j] = start + (turn @ place[..., None])[..., 0]
            turns[joint.child] = turn @ rotmat
            offset = T_child[:3, 3] * scales[..., number[joint.child], :]
            starts[joint.child] = centres[j] - (turns[joint.child] @ offset[..., None])[..., 0]
        points = [centres[j] for j in range(len(self.model.joints))]
        for k, body in enumerate(self.model.bodies):
            com = eye.new_tensor(body.com) * scales[..., k, :]
            points.append(starts[body.name] + (turns[body.name] @ com[..., None])[..., 0])
        return torch.stack(points, dim=-2) - points[PELVIS][..., None, :]


def axis_rotmat(axis: Tensor, angle: Tensor) -> Tensor:
    x, y, z = axis
    zero = torch.zeros_like(x)
    cross = torch.stack([zero, -z, y, z, zero, -x, -y, x, zero]).reshape(3, 3)
    angle = angle[..., None, None]
    return torch.eye(3, device=angle.device) + angle.sin() * cross + (1 - angle.cos()) * cross @ cross
