"""What each difference between `compact` and the ODAH paper's network is worth, at an equal small budget.

    python tests/benchmarks/ablations.py frames DATASET --out FOLDER [--steps 600] [--only NAME ...]
    python tests/benchmarks/ablations.py time DATASET --run RUN --out FOLDER [--only NAME ...]

frames: each variant's first stage, so many steps from scratch. time: each variant's second stage, on the
frame network and the features of a finished run. Each line takes one thing back; errors are of the test
split. What is finished is not done again. Prints a Markdown table.
"""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from odah.dataset.reader import open_dataset
from odah.estimator.checkpoint import load_checkpoint
from odah.estimator.config import AugmentationConfig, TrainConfig
from odah.estimator.config_file import load_train_config, write_train_config
from odah.estimator.evaluation.evaluate import evaluate
from odah.estimator.evaluation.scores import Row
from odah.estimator.training.loop import Limits
from odah.estimator.training.train import TrainOptions, train

FRAMES: dict[str, dict[str, Any]] = {
    "as it is": {},
    "pixels rounded down": {"data": {"pixels": "rounded"}},
    "axes of ground": {"data": {"reference": "ground"}},
    "points in the order they were drawn in": {
        "network": {"encoder": {"kind": "flatten", "point_widths": [64, 64, 16], "frame_widths": [128, 128]}}
    },
    "no loss on which points vote": {"loss": {"votes": 0.0}},
    "no augmentation": {"augmentation": AugmentationConfig(any_pair=True).model_dump()},
    "views never withheld": {"augmentation": {"view_dropout": 0.0}},
}
"""By what is taken back, the changes."""

TIME: dict[str, dict[str, Any]] = {
    "as it is": {},
    "scales weighed by fixed weights": {"network": {"temporal": {"scales": "chunk"}}},
    "no loss of velocities": {"loss": {"velocity": 0.0}},
    "features drawn once": {"temporal": {"feature_draws": 1}},
}

_OF_A_KIND = "encoder"
"""The section that a change replaces whole, for other kinds have other keys."""


def changed(config: TrainConfig, changes: Mapping[str, Any]) -> TrainConfig:
    """The config with some keys of others' sections."""
    return TrainConfig.model_validate(_merged(config.model_dump(mode="json"), changes))


def _merged(old: dict[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(old)
    for name, value in changes.items():
        is_section = isinstance(value, dict) and name != _OF_A_KIND
        merged[name] = _merged(old[name], value) if is_section else value
    return merged


def begun(run: Path, folder: Path, config: TrainConfig) -> None:
    """A run whose first stage is that of another, with a config of its own from there on."""
    if folder.exists():
        return
    shutil.copytree(run / "frame", folder / "frame")
    (folder / "temporal").mkdir()
    for file in (run / "temporal").glob("features_*.pt"):
        (folder / "temporal" / file.name).hardlink_to(file)
    shutil.copyfile(run / "run.json", folder / "run.json")
    write_train_config(folder / "config.yaml", config)


def line(name: str, row: Row) -> str:
    return (
        f"| {name} | {row.angle_error_deg:.2f} | {row.pa_mpjpe_mm:.1f} | {row.velocity_error_mm_s:.0f} "
        f"| {row.scale_error_percent:.1f} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("stage", choices=("frames", "time"))
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--config", type=Path, default=Path("configs/train/compact.yaml"))
    parser.add_argument("--run", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--views", default="view0,view3")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--only", nargs="*")
    options = parser.parse_args()
    if options.stage == "time" and options.run is None:
        parser.error("--run is needed")
    config = load_train_config(options.config if options.run is None else options.run / "config.yaml")
    dataset = open_dataset(options.dataset)
    variants = FRAMES if options.stage == "frames" else TIME
    rows = ["| taken back | MAE, deg | PA-MPJPE, mm | velocity, mm/s | scales, % |", "|---|---|---|---|---|"]
    for name, changes in variants.items():
        if options.only and name not in options.only:
            continue
        variant = changed(config, changes)
        folder = options.out / name.replace(" ", "_")
        limits = Limits()
        if options.stage == "frames":
            variant = changed(variant, {"network": {"temporal": None}})
            limits = Limits(max_steps=options.steps)
        else:
            assert options.run is not None
            begun(options.run, folder, variant)
        model = train(
            variant, [options.dataset], folder, TrainOptions(threads=options.threads, limits=limits)
        )
        table = evaluate(load_checkpoint(model), dataset, views=options.views.split(","))
        rows.append(line(name, table.rows[0]))
        print(rows[-1], flush=True)
    print("\n".join(["", *rows]))


if __name__ == "__main__":
    main()
