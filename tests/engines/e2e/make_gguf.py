"""Writes the model of a folder as the GGUF file that llama.cpp reads."""

import json
from pathlib import Path


def write_gguf(folder, file, *, template=None, begins_with=None, controls_only=False):
    """A GGUF file with the weights, the tokenizer and the chat template of a folder.

    Args:
        folder: the model.
        file: where to write.
        template: the chat template, in place of the folder's own.
        begins_with: the token that the engine puts before every text; None for none.
        controls_only: whether all added tokens are control tokens, which llama.cpp does not show, as in many models.
    """
    import gguf
    from safetensors.numpy import load_file

    folder = Path(folder)
    config = json.loads((folder / "config.json").read_text())
    writer = gguf.GGUFWriter(file, config["model_type"])
    writer.add_name("tiny")
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_F16)
    _write_shape(writer, config)
    _write_tokenizer(writer, folder, begins_with, controls_only)
    own = (folder / "chat_template.jinja").read_text(encoding="utf-8")
    writer.add_chat_template(own if template is None else template)
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.QWEN2, config["num_hidden_layers"])
    for name, tensor in load_file(folder / "model.safetensors").items():
        # llama.cpp takes vectors with full precision only.
        written = tensor.astype("float32") if tensor.ndim == 1 else tensor
        writer.add_tensor(names.get_name(name, try_suffixes=(".weight", ".bias")), written)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _write_shape(writer, config):
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(config["num_attention_heads"])
    writer.add_head_count_kv(config["num_key_value_heads"])
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    writer.add_rope_freq_base(config["rope_parameters"]["rope_theta"])


def _write_tokenizer(writer, folder, begins_with, controls_only):
    import gguf

    tokenizer = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
    settings = json.loads((folder / "tokenizer_config.json").read_text())
    ids = {**tokenizer["model"]["vocab"], **{added["content"]: added["id"] for added in tokenizer["added_tokens"]}}
    kinds = dict.fromkeys(ids, gguf.TokenType.NORMAL)
    for added in tokenizer["added_tokens"]:
        hidden = added["special"] or controls_only
        kinds[added["content"]] = gguf.TokenType.CONTROL if hidden else gguf.TokenType.USER_DEFINED
    tokens = sorted(ids, key=ids.get)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("qwen2")
    writer.add_token_list(tokens)
    writer.add_token_types([kinds[token] for token in tokens])
    writer.add_token_merges([" ".join(pair) for pair in tokenizer["model"]["merges"]])
    writer.add_eos_token_id(ids[settings["eos_token"]])
    writer.add_pad_token_id(ids[settings["pad_token"]])
    # Without one, llama.cpp takes the token with the number 11 for it.
    writer.add_bos_token_id(ids[begins_with or settings["pad_token"]])
    writer.add_add_bos_token(begins_with is not None)
