"""Fitted models as readable files: JSON with version, options, parameters, and hashes of the data and of the file."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

import kamlab
from kamlab.clv.posterior import Posterior
from kamlab.errors import ModelError
from kamlab.resources import replacing

if TYPE_CHECKING:
    from kamlab.clv.base import FittedModel

FORMAT = "kamlab model"
FORMAT_VERSION = 1
"""Rises when a file can no longer be read by an older kamlab."""


def data_hash(*columns: np.ndarray) -> str:
    """Return the SHA-256 of arrays of numbers, in their order."""
    digest = hashlib.sha256()
    for column in columns:
        values = np.ascontiguousarray(column, dtype="<f8")
        digest.update(repr(values.shape).encode() + values.tobytes())
    return digest.hexdigest()


def save(model: FittedModel, path: Path) -> None:
    """Write a fitted model as JSON; the file appears whole or not at all."""
    drawn = model.log_draws()
    fitted = {name: value for name, value in vars(model).items() if name.endswith("_")}
    fitted["posterior_"] = None if drawn is None else drawn.tolist()
    fitted["covariance_"] = fitted["covariance_"].to_numpy().tolist()
    document = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "kamlab_version": kamlab.__version__,
        "model": type(model).__name__,
        "options": model.get_params(deep=False),
        "fitted": dict(sorted(fitted.items())),
    }
    document["sha256"] = _checksum(document)
    with replacing(path) as temporary:
        temporary.write_text(_text(document, indent=1) + "\n", encoding="utf-8")


def load(path: Path, classes: Mapping[str, type[FittedModel]]) -> FittedModel:
    """Read a model that `save` has written; `classes` are those that may stand in the file, by name.

    Raises
    ------
    ModelError
        If there is no such file, or it is no saved model, was changed since, or comes from a newer kamlab.
    """
    document = _read(path)
    written = document.pop("sha256", None)
    if document.get("format_version") != FORMAT_VERSION or document.get("model") not in classes:
        raise ModelError(
            f"{path} was written by kamlab {document.get('kamlab_version')}; this is {kamlab.__version__}, "
            "which cannot read it. Update kamlab, or fit the model again."
        )
    if written != _checksum(document):
        raise ModelError(
            f"{path} was changed or damaged since kamlab wrote it: its contents do not match its checksum. "
            "Fetch the original file, or fit the model again."
        )
    options = {name: tuple(value) if isinstance(value, list) else value for name, value in document["options"].items()}
    model = classes[document["model"]](**options)
    fitted = document["fitted"]
    names = list(fitted["params_"])
    fitted["covariance_"] = pd.DataFrame(fitted["covariance_"], index=names, columns=names)
    if fitted.get("posterior_") is not None:
        fitted["posterior_"] = Posterior.of(np.array(fitted["posterior_"]))
    fitted["notes_"] = tuple(fitted["notes_"])
    model.__dict__.update(fitted)
    return model


def _read(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ModelError(f"The model {path} cannot be read: {error.strerror}. Check the path.") from error
    except ValueError:
        document = None
    if not (isinstance(document, dict) and document.get("format") == FORMAT):
        raise ModelError(f"{path} is no model that kamlab saved. Give a file that the model's `save` has written.")
    return document


def _checksum(document: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a document without its own checksum, however it is indented; the order of keys counts."""
    return hashlib.sha256(_text(document).encode()).hexdigest()


def _text(document: Mapping[str, Any], indent: int | None = None) -> str:
    """Return a document as JSON; options may be numbers of numpy."""
    return json.dumps(document, indent=indent, allow_nan=False, default=lambda value: value.tolist())
