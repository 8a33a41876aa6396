"""The demo's second half: a network trained for a minute, judged, and one at work on two videos."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from odah.assets import asset_path
from odah.dataset.clip import Clip
from odah.dataset.reader import Dataset
from odah.dataset.report.chapters import Chapter
from odah.dataset.report.pictures import Picture, picture
from odah.estimator.checkpoint import load_checkpoint
from odah.estimator.config_file import load_train_config
from odah.estimator.evaluation.evaluate import evaluate
from odah.estimator.evaluation.scores import HEAD, cells
from odah.estimator.predict.options import PredictOptions
from odah.estimator.predict.run import OVERLAY_FILE, Predicted, predict
from odah.estimator.training.train import train
from odah.progress import steps
from odah.render.video import read_frames
from odah.scene.calibration import save_cameras

_SHIPPED = "compact"
_NUM_PICTURES = 3
_WIDTH = 460
"""px, of a picture of both views."""
_TEXT = (
    "A small network was trained for a minute on the first person's two clips: enough to see every part at "
    f"work, and too little to be of use. {_SHIPPED} is the network that comes with odah. Errors are those "
    f"about the other person, whom neither has seen. Below, {_SHIPPED} follows that person: its skeleton, "
    "drawn over both videos."
)


def learn_from(dataset: Dataset, out: Path) -> Chapter:
    """Train on the first person, judge on the other, and follow that one in two videos; files go to `out`."""
    own = train(load_train_config(asset_path("configs/train/demo.yaml")), [dataset.paths.root], out / "run")
    predicted = follow(next(iter(dataset.split("test"))), out)
    return Chapter(
        anchor="estimator",
        title="What a network learns",
        text=_TEXT,
        table=_table(dataset, {"trained here": str(own), _SHIPPED: _SHIPPED}),
        pictures=_pictures(predicted.out / OVERLAY_FILE),
    )


def follow(clip: Clip, out: Path) -> Predicted:
    """`odah predict` on a clip's first two videos, with its masks, and its cameras as a calibration file."""
    views, calibration = clip.views[:2], out / "cameras.json"
    save_cameras(calibration, [clip.cameras[view] for view in views])
    options = PredictOptions(views=views, masks=tuple(clip.picture(view, "mask") for view in views))
    with steps("predicting") as tell:
        return predict(
            _SHIPPED, [clip.video(view) for view in views], [calibration], out / "prediction", options, tell
        )


def _table(dataset: Dataset, networks: dict[str, str]) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = [("", *HEAD)]
    for name, network in networks.items():
        with steps(f"judging {name}") as tell:
            table = evaluate(load_checkpoint(network), dataset, "test", tell=tell)
        told = {row.name: cells(row) for row in table.rows}
        if len(rows) == 1:
            rows.append(("the mean pose", *told["mean pose"]))
        if "frame only" in told:
            rows += [
                (f"{name}, frame by frame", *told["frame only"]),
                (f"{name}, over time", *told["network"]),
            ]
        else:  # a network without a temporal part
            rows.append((f"{name}, frame by frame", *told["network"]))
    return rows


def _pictures(overlay: Path) -> list[Picture]:
    """Frames spread over the video."""
    frames = list(read_frames(overlay))
    chosen = [len(frames) * (2 * k + 1) // (2 * _NUM_PICTURES) for k in range(_NUM_PICTURES)]
    nothing = np.zeros((0, 2))
    return [picture(frames[k], nothing, (), _WIDTH, f"frame {k + 1} of {len(frames)}") for k in chosen]
