"""`odah demo`: the whole chain on what ships with the package, ending in one HTML page."""

from __future__ import annotations

from pathlib import Path

from odah.assets import asset_path
from odah.config import ClipConfig, GenerateConfig, VideoConfig, load_config
from odah.dataset.audit import AuditOptions, DatasetAudit, audit_dataset
from odah.dataset.reader import open_dataset
from odah.dataset.report import write_report
from odah.demo_estimator import learn_from
from odah.errors import InputError, OdahError
from odah.pipeline.generate import generate_dataset
from odah.progress import say, steps


def demo_config(full: bool, engine: str) -> GenerateConfig:
    """The shipped demo config; `full` gives it the paper's picture size, rate and clip length.

    Raises:
        InputError: no such engine.
    """
    config = load_config(asset_path("configs/generate/demo.yaml"))
    engines = ("auto", "eevee", "cycles", "workbench")
    if engine not in engines:
        raise InputError("--engine", repr(engine), f"one of {', '.join(engines)}")
    update: dict = {"render": config.render.model_copy(update={"engine": engine})}
    if full:
        update |= {"clip": ClipConfig(), "video": VideoConfig()}
    return config.model_copy(update=update)


def run_demo(out: Path, full: bool, engine: str) -> tuple[Path, DatasetAudit]:
    """Generate, audit, learn and show; returns the page and the audit.

    Raises:
        OdahError: a clip could not be made.
    """
    config = demo_config(full, engine)
    _, failures = generate_dataset(config, asset_path("configs/generate"), out)
    if failures:
        raise OdahError(f"{len(failures)} clips of the demo could not be made: {', '.join(failures)}")
    dataset = open_dataset(out)
    with steps("validating") as tell:
        audit = audit_dataset(dataset, AuditOptions(is_deep=True), tell)
    note = "" if full else (
        "These are short clips at a reduced size, to be quick; "
        "`odah demo --full` makes 10 s at 1080×720 and 60 fps."
    )  # fmt: skip
    chapter = learn_from(dataset, out / "estimator")
    page = write_report(dataset, audit.clips, note, chapters=[chapter])
    say(f"{audit.num_valid} of {audit.num_clips} clips are valid")
    return Path(page), audit
