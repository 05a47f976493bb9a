"""Inferences of a Hugging Face model from disk. Only measuring processes import this module."""

from collections.abc import Callable
from typing import Any, Final

import torch
import transformers

from carbon_node.errors import TrackerError
from carbon_node.tracking.failures import FailureName
from carbon_node.tracking.models import HuggingFaceModel

TEXT_TOKENS: Final = 128
"""Length of a text input; shorter where the model allows less."""

AUDIO_SAMPLES: Final = 16_000
"""Length of a waveform input: one second at the usual rate."""


def inference_of(model: HuggingFaceModel) -> Callable[[], object]:
    """Return a function that runs one forward pass over one sample, after it has run once.

    Nothing is downloaded, no code of the model is run, and only weights in safetensors are read,
    since other formats can carry code.

    Args:
        model: its folder.

    Raises:
        TrackerError: the model cannot be loaded or run.
    """
    try:
        network = _load(model)
        inputs = _inputs(network)
        run: Callable[[], object] = torch.inference_mode()(lambda: network(**inputs))
        run()
    except (OSError, ValueError, RuntimeError, KeyError, AttributeError, TypeError) as error:
        raise TrackerError(
            FailureName.MODEL_FAILED, f"transformers: {str(error).partition(chr(10))[0][:300]}"
        ) from error
    return run


def _load(model: HuggingFaceModel) -> Any:  # noqa: ANN401 - transformers chooses the class
    on_disk: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
    config = transformers.AutoConfig.from_pretrained(model.folder, **on_disk)
    network = _loader(config).from_pretrained(
        model.folder, config=config, use_safetensors=True, **on_disk
    )
    return network.eval().to("cuda" if torch.cuda.is_available() else "cpu")


def _loader(config: Any) -> Any:  # noqa: ANN401 - see _load
    # The model's own class with its head, if that is one of the library's; else its body alone.
    named = getattr(transformers, next(iter(config.architectures or ()), ""), None)
    is_model = isinstance(named, type) and issubclass(named, transformers.PreTrainedModel)
    return named if is_model else transformers.AutoModel


def _inputs(network: Any) -> dict[str, torch.Tensor]:  # noqa: ANN401 - see _load
    config = network.config
    match network.main_input_name:
        case "input_ids":
            tokens = min(TEXT_TOKENS, getattr(config, "max_position_embeddings", TEXT_TOKENS))
            inputs = {"input_ids": torch.ones((1, tokens), dtype=torch.int64)}
            if config.is_encoder_decoder:
                inputs["decoder_input_ids"] = torch.ones((1, 1), dtype=torch.int64)
        case "pixel_values":
            side = config.image_size
            inputs = {"pixel_values": torch.ones((1, config.num_channels, side, side))}
        case "input_values":
            inputs = {"input_values": torch.ones((1, AUDIO_SAMPLES))}
        case other:
            raise TrackerError(
                FailureName.MODEL_UNSUPPORTED, f"no inputs can be made for {other!r}"
            )
    return {name: values.to(network.device) for name, values in inputs.items()}
