"""Whose a dataset is: the licences of motion, body and textures, summed up from its index."""

from __future__ import annotations

import re
from collections.abc import Iterable

import pyarrow as pa

from odah.wording import clips_told

LICENCE_COLUMNS = ("motion_licence", "body_licence", "texture_licence")
OPEN_BODY = "open"
UNKNOWN = "unknown"

_HUB_NAMES = {
    name: name.lower()
    for name in ("Apache-2.0", "CC0-1.0", "MIT", "BSD-3-Clause", "CC-BY-4.0", "CC-BY-SA-4.0", "CC-BY-NC-4.0",
                 "CC-BY-NC-SA-4.0", "ODC-By")
}  # fmt: skip
"""Licences by their SPDX name that the Hugging Face hub has a name for."""
_NON_COMMERCIAL = re.compile(r"non.?commercial|\bNC\b|research only", re.IGNORECASE)
_OWN = "user's own"


def licences(index: pa.Table) -> list[str]:
    """All licences of the clips, in the words of their records."""
    return sorted({text for name in LICENCE_COLUMNS for text in index[name].unique().to_pylist()})


def spdx_names(texts: Iterable[str]) -> list[str] | None:
    """The SPDX names of licences; None where one of them is no licence of that list."""
    names = {text.removesuffix(", procedural") for text in texts}
    return sorted(names) if names and names <= _HUB_NAMES.keys() else None


def hub_licence(texts: Iterable[str]) -> str | list[str]:
    """What the front matter of a card says: names of the Hugging Face hub, or "other"."""
    names = [_HUB_NAMES[name] for name in spdx_names(texts) or ()]
    return (names[0] if len(names) == 1 else names) or "other"


def terms_to_mind(index: pa.Table) -> list[str]:
    """Sentences about what keeps a dataset from being used and passed on freely; none for an open one."""
    said = []
    own_bodies = [kind for kind in index["body_kind"].to_pylist() if kind != OPEN_BODY]
    if own_bodies:
        said.append(
            f"NOT FOR COMMERCIAL USE: the body in {clips_told(len(own_bodies))} is SMPL-X "
            f"({', '.join(sorted(set(own_bodies)))}), whose licence allows non-commercial research only and "
            "covers what is made with it. Read it, and ask its owners before you pass these clips on."
        )
    motions = index["motion_licence"].to_pylist()
    restricted = [text for text in motions if _NON_COMMERCIAL.search(text)]
    if restricted:
        told = "; ".join(sorted(set(restricted)))
        said.append(
            f"NOT FOR COMMERCIAL USE: so says the licence of the motion of "
            f"{clips_told(len(restricted))}: {told}"
        )
    unknown = sum(text == UNKNOWN for text in motions)
    if unknown:
        said.append(
            f"The licence of the motion of {clips_told(unknown)} is unknown: find out before you pass them "
            "on (`licence` of a recording in the config states it)."
        )
    own = sum(_OWN in text for text in index["texture_licence"].to_pylist())
    if own:
        said.append(
            f"{clips_told(own)} with garments or pictures of the maker's own, named in `texture_licence`: "
            "what may be done with them is not known to odah."
        )
    return said
