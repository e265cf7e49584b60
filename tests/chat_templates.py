"""Chat templates of real models, written anew after what the published ones render, and where each was looked up.

What tools and documents add is left out: EdgeKit sends none.
"""

from __future__ import annotations

from typing import NamedTuple


class Shape(NamedTuple):
    """A template, and the special tokens that it may name."""

    text: str
    bos: str = "<s>"
    eos: str = "</s>"


def _turns(user: str, assistant: str, opening: str = "", start: str = "", system: str = "") -> str:
    """A loop over messages: ``user``, ``assistant`` and ``system`` are Jinja expressions of ``m``."""
    end = "{% if add_generation_prompt %}{{ " + opening + " }}{% endif %}" if opening else ""
    branch = "{% elif m.role == 'system' %}{{ " + system + " }}" if system else ""
    return (
        start + "{% for m in messages %}{% if m.role == 'user' %}{{ " + user + " }}" + branch + "{% elif m.role == "
        "'assistant' %}{{ " + assistant + " }}{% endif %}{% endfor %}" + end
    )


def _system_first(given: str, otherwise: str) -> str:
    """What stands at the start with a system message, and without; ``messages`` go on without it."""
    return (
        "{% if messages[0].role == 'system' %}{% set system = messages[0].content %}{% set messages = messages[1:] %}"
        + given
        + "{% else %}"
        + otherwise
        + "{% endif %}"
    )


_ALTERNATE = (
    "{% if (m.role == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('roles must alternate') }}{% endif %}"
)
_DEFAULT_SYSTEM = "{% if messages[0].role != 'system' %}{{ '<|im_start|>system\n@<|im_end|>\n' }}{% endif %}"
_CHATML_LOOP = (
    "{% for m in messages %}{{ '<|im_start|>' + m.role + '\n' + m.content + '<|im_end|>' + '\n' }}{% endfor %}"
)
_CHATML_OPENING = "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
_PARTS = "{% for part in m.content %}{% if part.type == 'text' %}{{ part.text }}{% else %}@{% endif %}{% endfor %}"


def _images_first(before: str, image: str, user: str, assistant: str, after: str, opening: str) -> str:
    """A LLaVA processor's: pictures, then texts, which ``user`` and ``assistant`` are expressions for."""
    return (
        "{% for m in messages %}" + before + "{% for part in m.content | selectattr('type', 'equalto',"
        " 'image') %}{{ '" + image + "' }}{% endfor %}{% for part in m.content | selectattr('type', 'equalto',"
        " 'text') %}{% if m.role != 'assistant' %}{{ "
        + user
        + " }}{% else %}{% generation %}{{ "
        + assistant
        + " }}{% endgeneration %}{% endif %}{% endfor %}"
        + after
        + "{% endfor %}"
        "{% if add_generation_prompt %}{{ '" + opening + "' }}{% endif %}"
    )


LLAMA3_HEADER = "'<|start_header_id|>' + m.role + '<|end_header_id|>\n\n'"

SHAPES: dict[str, Shape] = {
    # llava-hf/llava-1.5-7b-hf, chat_template.json; openvinotoolkit/openvino.genai, its list of fallbacks.
    "LLaVA-1.5 (Hugging Face): pictures first, `USER: … ASSISTANT:`": Shape(
        _images_first(
            "{{ m.role.upper() + ': ' }}",
            "<image>\n",
            "part.text + ' '",
            "part.text + ' '",
            "",
            "ASSISTANT:",
        )
    ),
    # llava-hf/llava-v1.6-mistral-7b-hf, chat_template.json.
    "LLaVA-1.6 Mistral (Hugging Face): parts in `[INST] … [/INST]`": Shape(
        "{% for m in messages %}{% if m.role == 'user' %}{{ '[INST] ' }}{% for part in m.content |"
        " selectattr('type', 'equalto', 'image') %}{{ '<image>\n' }}{% endfor %}{% for part in m.content |"
        " selectattr('type', 'equalto', 'text') %}{{ part.text }}{% endfor %}{{ ' [/INST]' }}"
        "{% elif m.role == 'assistant' %}{{ ' ' + m.content[0].text + '</s> ' }}{% endif %}{% endfor %}"
    ),
    # llava-hf/llava-onevision-qwen2-0.5b-ov-hf, chat_template.json.
    "LLaVA-OneVision (Hugging Face): ChatML with `<image>` before the line break": Shape(
        _images_first(
            "{{ '<|im_start|>' + m.role + ' ' }}",
            "<image>",
            "'\n' + part.text",
            "'\n' + part.text",
            "{{ '<|im_end|>' }}",
            "<|im_start|>assistant\n",
        ),
        "<|endoftext|>",
        "<|im_end|>",
    ),
    # transformers, src/transformers/models/llava_onevision/convert_llava_onevision_weights_to_hf.py.
    "LLaVA-OneVision as converted: ChatML with `<image>` and a line break": Shape(
        _images_first(
            "{{ '<|im_start|>' + m.role + '\n' }}",
            "<image>\n",
            "part.text",
            "part.text",
            "{{ '<|im_end|>' + '\n' }}",
            "<|im_start|>assistant\n",
        ),
        "<|endoftext|>",
        "<|im_end|>",
    ),
    # llava-hf/llama3-llava-next-8b-hf, chat_template.json.
    "LLaVA-NeXT Llama 3 (Hugging Face): line break before every text": Shape(
        _images_first(
            "{{ " + LLAMA3_HEADER + " }}",
            "<image>",
            "'\n' + part.text + '<|eot_id|>'",
            "'\n' + part.text + '<|eot_id|>'",
            "",
            "<|start_header_id|>assistant<|end_header_id|>\n\n",
        ),
        "<|begin_of_text|>",
        "<|eot_id|>",
    ),
    # HuggingFaceTB/SmolVLM-Instruct, chat_template.json: the picture's blank depends on what comes first.
    "SmolVLM: a colon that depends on whether a picture comes first": Shape(
        "<|im_start|>{% for m in messages %}{{ m.role | capitalize }}"
        "{% if m.content[0]['type'] == 'image' %}{{ ':' }}{% else %}{{ ': ' }}{% endif %}"
        + _PARTS.replace("@", "{{ '<image>' }}")
        + "<end_of_utterance>\n{% endfor %}"
        "{% if add_generation_prompt %}{{ 'Assistant:' }}{% endif %}",
        "<|im_start|>",
        "<end_of_utterance>",
    ),
    # tests/test-chat-template.cpp of ggml-org/llama.cpp, for teknium/OpenHermes-2.5-Mistral-7B.
    "ChatML": Shape(_CHATML_LOOP + _CHATML_OPENING, "<s>", "<|im_end|>"),
    # Qwen/Qwen2-0.5B-Instruct, tokenizer_config.json.
    "ChatML with a default system text (Qwen2)": Shape(
        _DEFAULT_SYSTEM.replace("@", "You are a helpful assistant.") + _CHATML_LOOP + _CHATML_OPENING,
        "<|endoftext|>",
        "<|im_end|>",
    ),
    # HuggingFaceTB/SmolLM2-135M-Instruct, tokenizer_config.json.
    "ChatML with a default system text (SmolLM2)": Shape(
        "{% for m in messages %}{% if loop.first and messages[0]['role'] != 'system' %}{{ '<|im_start|>system\n"
        "You are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\n' }}{% endif %}"
        "{{ '<|im_start|>' + m.role + '\n' + m.content + '<|im_end|>' + '\n' }}{% endfor %}" + _CHATML_OPENING,
        "<|im_start|>",
        "<|im_end|>",
    ),
    # internlm/internlm2-chat-7b, tokenizer_config.json.
    "ChatML behind the start token (InternLM2)": Shape(
        "{{ bos_token }}" + _CHATML_LOOP + _CHATML_OPENING, "<s>", "</s>"
    ),
    # stabilityai/stablelm-2-zephyr-1_6b, tokenizer_config.json.
    "StableLM 2 Zephyr": Shape(
        "{% for m in messages %}{{ '<|' + m.role + '|>\n' + m.content + eos_token + '\n' }}"
        "{% if loop.last and add_generation_prompt %}{{ '<|assistant|>\n' }}{% endif %}{% endfor %}",
        "<|endoftext|>",
        "<|endoftext|>",
    ),
    # HuggingFaceH4/zephyr-7b-beta, tokenizer_config.json.
    "Zephyr: line breaks of the template's own": Shape(
        "{% for m in messages %}\n{% if m.role == 'user' %}\n{{ '<|user|>\n' + m.content + "
        "eos_token }}\n{% elif m.role == 'system' %}\n{{ '<|system|>\n' + m.content + eos_token }}"
        "\n{% elif m.role == 'assistant' %}\n{{ '<|assistant|>\n' + m.content + eos_token }}"
        "\n{% endif %}\n{% if loop.last and add_generation_prompt %}\n{{ '<|assistant|>' }}\n{% endif %}\n{% endfor %}"
    ),
    # TinyLlama/TinyLlama-1.1B-Chat-v1.0, tokenizer_config.json.
    "TinyLlama chat": Shape(
        "{% for m in messages %}\n{% if m.role == 'user' %}\n{{ '<|user|>\n' + m.content + "
        "eos_token }}\n{% elif m.role == 'system' %}\n{{ '<|system|>\n' + m.content + eos_token }}\n"
        "{% elif m.role == 'assistant' %}\n{{ '<|assistant|>\n' + m.content + eos_token }}\n{% endif %}"
        "\n{% if loop.last and add_generation_prompt %}\n{{ '<|assistant|>' }}\n{% endif %}\n{% endfor %}"
    ),
    # meta-llama/Llama-2-7b-chat-hf, tokenizer_config.json; llama.cpp, test-chat-template.cpp.
    "Llama 2: the start token before every turn, texts trimmed": Shape(
        _system_first("", "{% set system = false %}")
        + "{% for m in messages %}"
        + _ALTERNATE
        + "{% if loop.index0 == 0 and system != false %}{% set content = '<<SYS>>\\n' + system + '\\n<</SYS>>\\n\\n' + "
        "m.content %}{% else %}{% set content = m.content %}{% endif %}{% if m.role == 'user' %}{{ bos_token + "
        "'[INST] ' + content.strip() + ' [/INST]' }}{% else %}{{ ' ' + content.strip() + ' ' + eos_token }}"
        "{% endif %}{% endfor %}"
    ),
    # bofenghuang/vigogne-2-70b-chat, in llama.cpp's test-chat-template.cpp.
    "Llama 2 with a default system text, unless a question holds `<<SYS>>`": Shape(
        "{{ bos_token }}{% set system = 'Vous êtes Vigogne.' if '<<SYS>>' not in messages[0]['content'] else false %}"
        "{% for m in messages %}" + _ALTERNATE + "{% if loop.index0 == 0 and system != false %}{% set content = "
        "'<<SYS>>\\n' + system + '\\n<</SYS>>\\n\\n' + m.content %}{% else %}{% set content = m.content %}"
        "{% endif %}{% if m.role == 'user' %}{{ '[INST] ' + content.strip() + ' [/INST]' }}{% else %}"
        "{{ ' ' + content.strip() + ' ' + eos_token }}{% endif %}{% endfor %}"
    ),
    # mistralai/Mistral-7B-Instruct-v0.1, tokenizer_config.json.
    "Mistral v0.1: a blank behind the end token": Shape(
        _turns(
            "'[INST] ' + m.content + ' [/INST]'",
            "m.content + eos_token + ' '",
            start="{{ bos_token }}",
            system="raise_exception('Only user and assistant roles are supported!')",
        )
    ),
    # mistralai/Mistral-7B-Instruct-v0.2, tokenizer_config.json.
    "Mistral v0.2: nothing before an answer": Shape(
        _turns(
            "'[INST] ' + m.content + ' [/INST]'",
            "m.content + eos_token",
            start="{{ bos_token }}",
            system="raise_exception('Only user and assistant roles are supported!')",
        )
    ),
    # mistralai/Mistral-7B-Instruct-v0.2 as of 2024-09, in llama.cpp's test-chat-template.cpp.
    "Mistral v0.2, newer: a blank before `[INST]`": Shape(
        _system_first("", "{% set system = false %}")
        + "{{- bos_token }}{% for m in messages %}{% if m.role == 'user' %}{% if loop.first and system is "
        "string %}{{ ' [INST] ' + system + '\n\n' + m.content + ' [/INST]' }}{% else %}{{ ' [INST] ' + m.content + "
        "' [/INST]' }}{% endif %}{% else %}{{ ' ' + m.content + eos_token }}{% endif %}{% endfor %}"
    ),
    # mistralai/Mistral-7B-Instruct-v0.3, tokenizer_config.json; Mistral-Large-Instruct-2407 in llama.cpp's tests.
    "Mistral v0.3: no blank before `[/INST]`, answers trimmed": Shape(
        _system_first("", "{% set system = false %}")
        + "{{ bos_token }}{% for m in messages %}{% if m.role == 'user' %}{% if loop.last and system is "
        "string %}{{ '[INST] ' + system + '\n\n' + m.content + '[/INST]' }}{% else %}{{ '[INST] ' + m.content + "
        "'[/INST]' }}{% endif %}{% else %}{{ ' ' + m.content | trim + eos_token }}{% endif %}{% endfor %}"
    ),
    # mistralai/Mistral-Nemo-Instruct-2407, in llama.cpp's test-chat-template.cpp.
    "Mistral Nemo: no blanks at all": Shape(
        _system_first("", "{% set system = false %}")
        + "{{ bos_token }}{% for m in messages %}{% if m.role == 'user' %}{% if loop.last and system is "
        "string %}{{ '[INST]' + system + '\n\n' + m.content + '[/INST]' }}{% else %}{{ '[INST]' + m.content + "
        "'[/INST]' }}{% endif %}{% else %}{{ m.content + eos_token }}{% endif %}{% endfor %}"
    ),
    # meta-llama/Meta-Llama-3-8B-Instruct, tokenizer_config.json; llama.cpp, test-chat-template.cpp.
    "Llama 3: texts trimmed": Shape(
        "{% for m in messages %}{% set content = " + LLAMA3_HEADER + " + m.content | trim + '<|eot_id|>' %}"
        "{% if loop.index0 == 0 %}{% set content = bos_token + content %}{% endif %}{{ content }}{% endfor %}"
        "{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %}",
        "<|begin_of_text|>",
        "<|eot_id|>",
    ),
    # meta-llama/Llama-3.2-1B-Instruct, tokenizer_config.json.
    "Llama 3.2: a default system turn with a date": Shape(
        "{{- bos_token }}{%- if not date_string is defined %}{%- if strftime_now is defined %}{%- set date_string = "
        "strftime_now('%d %b %Y') %}{%- else %}{%- set date_string = '26 Jul 2024' %}{%- endif %}{%- endif %}"
        + _system_first("{% set system = system | trim %}", "{% set system = '' %}")
        + "{{- '<|start_header_id|>system<|end_header_id|>\n\nCutting Knowledge Date: December 2023\nToday Date: ' + "
        "date_string + '\n\n' + system + '<|eot_id|>' }}{%- for m in messages %}{{- "
        + LLAMA3_HEADER
        + " + m.content | "
        "trim + '<|eot_id|>' }}{%- endfor %}{%- if add_generation_prompt %}{{- '<|start_header_id|>assistant"
        "<|end_header_id|>\n\n' }}{%- endif %}",
        "<|begin_of_text|>",
        "<|eot_id|>",
    ),
    # microsoft/Phi-3-mini-4k-instruct, in llama.cpp's test-chat-template.cpp.
    "Phi-3 mini: an end mark of its own, the opening in the user's turn": Shape(
        _turns(
            "'<|user|>' + '\n' + m.content + '<|end|>' + '\n' + '<|assistant|>' + '\n'",
            "m.content + '<|end|>' + '\n'",
            start="{{ bos_token }}",
        ),
        "<s>",
        "<|endoftext|>",
    ),
    # microsoft/Phi-3-small-8k-instruct, in llama.cpp's test-chat-template.cpp.
    "Phi-3 small: the end token behind a closed conversation": Shape(
        "{{ bos_token }}{% for m in messages %}{{ '<|' + m.role + '|>' + '\n' + m.content + '<|end|>\n' }}{% endfor %}"
        "{% if add_generation_prompt %}{{ '<|assistant|>\n' }}{% else %}{{ eos_token }}{% endif %}",
        "<|endoftext|>",
        "<|endoftext|>",
    ),
    # microsoft/Phi-4-mini-instruct, models/templates/llama-cpp-microsoft-Phi-4-mini-instruct.jinja of llama.cpp.
    "Phi-4 mini: no line breaks": Shape(
        "{% for m in messages %}{{ '<|' + m['role'] + '|>' + m['content'] + '<|end|>' }}{% endfor %}"
        "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% else %}{{ eos_token }}{% endif %}",
        "<|endoftext|>",
        "<|endoftext|>",
    ),
    # google/gemma-7b-it, in llama.cpp's test-chat-template.cpp.
    "Gemma: texts trimmed, the assistant called model": Shape(
        "{{ bos_token }}{% if messages[0].role == 'system' %}{{ raise_exception('System role not supported') }}"
        "{% endif %}{% for m in messages %}" + _ALTERNATE + "{% set role = 'model' if m.role == "
        "'assistant' else m.role %}{{ '<start_of_turn>' + role + '\n' + m.content | trim + '<end_of_turn>\n' }}"
        "{% endfor %}{% if add_generation_prompt %}{{ '<start_of_turn>model\n' }}{% endif %}",
        "<bos>",
        "<eos>",
    ),
    # google/gemma-3-4b-it, chat_template.json.
    "Gemma 3: a picture as `<start_of_image>`": Shape(
        "{{ bos_token }}{% for m in messages %}{{ '<start_of_turn>' + m.role + '\n' }}{% if m.content is "
        "string %}{{ m.content | trim }}{% else %}"
        + _PARTS.replace("@", "{{ '<start_of_image>' }}")
        + "{% endif %}{{ '<end_of_turn>\n' }}{% endfor %}"
        "{% if add_generation_prompt %}{{ '<start_of_turn>model\n' }}{% endif %}",
        "<bos>",
        "<eos>",
    ),
    # eachadea/vicuna-13b-1.1, in llama.cpp's test-chat-template.cpp.
    "Vicuna 1.1 with line breaks": Shape(
        _turns(
            "'USER: ' + m.content + '\n'",
            "'ASSISTANT: ' + m.content + '</s>\n'",
            "'ASSISTANT:'",
            system="m.content + '\n'",
        )
    ),
    # unslothai/unsloth, unsloth/chat_templates.py, "alpaca".
    "Alpaca: a default text, then `### Instruction:`": Shape(
        _turns(
            "'### Instruction:\n' + m.content + '\n\n'",
            "'### Response:\n' + m.content + eos_token + '\n\n'",
            "'### Response:\n'",
            _system_first(
                "{{ bos_token + system }}",
                "{{ bos_token + 'Below are some instructions that describe some tasks. Write responses that "
                "appropriately complete each request.\n\n' }}",
            ),
        )
    ),
    # deepseek-ai/deepseek-coder-33b-instruct, in llama.cpp's test-chat-template.cpp.
    "DeepSeek Coder: an opening without the line break that answers have": Shape(
        _turns(
            "'### Instruction:\n' + m.content + '\n'",
            "'### Response:\n' + m.content + '\n<|EOT|>\n'",
            "'### Response:'",
            "{{ bos_token }}{% if messages[0].role != 'system' %}{{ 'You are an AI programming assistant.\n' }}"
            "{% endif %}",
            "m.content + '\n'",
        ),
        "<｜begin▁of▁sentence｜>",
        "<|EOT|>",
    ),
    # deepseek-ai/DeepSeek-V2, in llama.cpp's test-chat-template.cpp.
    "DeepSeek V2: `User: … Assistant:`": Shape(
        _turns(
            "'User: ' + m.content + '\n\n'",
            "'Assistant: ' + m.content + eos_token",
            "'Assistant:'",
            "{{ bos_token }}",
            "m.content + '\n\n'",
        ),
        "<｜begin▁of▁sentence｜>",
        "<｜end▁of▁sentence｜>",
    ),
    # deepseek-ai/DeepSeek-R1-Distill-Qwen-32B, models/templates of llama.cpp.
    "DeepSeek R1: what an answer thought is left out afterwards": Shape(
        "{{ bos_token }}{% for m in messages %}{% if m.role == 'user' %}{{ '<｜User｜>' + m.content }}"
        "{% else %}{% set content = m.content %}{% if '</think>' in content %}{% set content = "
        "content.split('</think>')[-1] %}{% endif %}{{ '<｜Assistant｜>' + content + '<｜end▁of▁sentence｜>' }}"
        "{% endif %}{% endfor %}{% if add_generation_prompt %}{{ '<｜Assistant｜><think>\\n' }}{% endif %}",
        "<｜begin▁of▁sentence｜>",
        "<｜end▁of▁sentence｜>",
    ),
    # ibm-granite/granite-3.0-8b-instruct, in llama.cpp's test-chat-template.cpp.
    "Granite 3": Shape(
        "{%- for m in messages %}\n    {%- if m.role == 'user' %}\n    {{- '<|start_of_role|>user"
        "<|end_of_role|>' + m.content + '<|end_of_text|>\n' }}\n    {%- elif m.role == 'system' %}\n    {{- "
        "'<|start_of_role|>system<|end_of_role|>' + m.content + '<|end_of_text|>\n' }}\n"
        "    {%- elif m.role == 'assistant' %}\n"
        "    {{- '<|start_of_role|>assistant<|end_of_role|>' + m.content + '<|end_of_text|>\n' }}\n    {%- endif %}"
        "\n    {%- if loop.last and add_generation_prompt %}\n    {{- '<|start_of_role|>assistant<|end_of_role|>' }}\n"
        "    {%- endif %}\n{%- endfor %}",
        "<|end_of_text|>",
        "<|end_of_text|>",
    ),
    # CohereForAI/c4ai-command-r-plus, in llama.cpp's test-chat-template.cpp.
    "Command R: texts trimmed": Shape(
        _turns(
            "'<|START_OF_TURN_TOKEN|><|USER_TOKEN|>' + m.content.strip() + '<|END_OF_TURN_TOKEN|>'",
            "'<|START_OF_TURN_TOKEN|><|CHATBOT_TOKEN|>' + m.content.strip() + '<|END_OF_TURN_TOKEN|>'",
            "'<|START_OF_TURN_TOKEN|><|CHATBOT_TOKEN|>'",
            "{{ bos_token }}",
            "'<|START_OF_TURN_TOKEN|><|SYSTEM_TOKEN|>' + m.content + '<|END_OF_TURN_TOKEN|>'",
        ),
        "<BOS_TOKEN>",
        "<|END_OF_TURN_TOKEN|>",
    ),
    # openchat/openchat-3.5-0106, in llama.cpp's test-chat-template.cpp.
    "OpenChat: `GPT4 Correct User:`": Shape(
        "{{ bos_token }}{% for m in messages %}{{ 'GPT4 Correct ' + m.role.title() + ': ' + m.content + "
        "'<|end_of_turn|>' }}{% endfor %}{% if add_generation_prompt %}{{ 'GPT4 Correct Assistant:' }}{% endif %}",
        "<s>",
        "<|end_of_turn|>",
    ),
    # OrionStarAI/Orion-14B-Chat, in llama.cpp's test-chat-template.cpp.
    "Orion: an end token in front of the answer": Shape(
        "{% for m in messages %}{% if loop.first %}{{ bos_token }}{% endif %}{% if m.role == 'user' %}"
        "{{ 'Human: ' + m.content + '\n\nAssistant: ' + eos_token }}{% else %}{{ m.content + eos_token }}"
        "{% endif %}{% endfor %}"
    ),
    # mlabonne/AlphaMonarch-7B, in llama.cpp's test-chat-template.cpp.
    "AlphaMonarch: the start token before every message": Shape(
        "{% for m in messages %}{{ bos_token + m.role + '\n' + m.content + eos_token + '\n' }}{% endfor %}"
        "{% if add_generation_prompt %}{{ bos_token + 'assistant\n' }}{% endif %}"
    ),
    # TheBloke/FusionNet_34Bx2_MoE-AWQ, in llama.cpp's test-chat-template.cpp.
    "FusionNet: the first question bare, later ones in `[INST]`": Shape(
        "{%- for idx in range(0, messages|length) -%}{%- set m = messages[idx] -%}"
        "{%- if m.role == 'user' -%}{%- if idx > 1 -%}"
        "{{- bos_token + '[INST] ' + m.content + ' [/INST]' -}}{%- else -%}{{- m.content + "
        "' [/INST]' -}}{%- endif -%}{%- else -%}{{- ' ' + m.content + ' ' + eos_token -}}{%- endif -%}"
        "{%- endfor -%}"
    ),
    # openbmb/MiniCPM-2B-dpo, in llama.cpp's test-chat-template.cpp.
    "MiniCPM: texts trimmed, marks outside ASCII": Shape(
        "{% for m in messages %}{% if m.role == 'user' %}{{ '<用户>' + m.content.strip() + '<AI>' }}{% else %}"
        "{{ m.content.strip() }}{% endif %}{% endfor %}"
    ),
    # zai-org/glm-edge-1.5b-chat, in llama.cpp's test-chat-template.cpp.
    "GLM-Edge: always ready for an answer": Shape(
        "{% for item in messages %}{% if item.role == 'user' %}<|user|>\n{{ item.content }}{% else %}<|assistant|>\n"
        "{{ item.content }}{% endif %}{% endfor %}<|assistant|>",
        "<|endoftext|>",
        "<|endoftext|>",
    ),
    # Qwen/Qwen3-0.6B, tokenizer_config.json.
    "Qwen3: what an answer thought is left out afterwards": Shape(
        "{%- for m in messages %}{%- if m.role == 'user' %}{{- '<|im_start|>user\n' + m.content + "
        "'<|im_end|>\n' }}{%- else %}{%- set content = m.content %}{%- if '</think>' in content %}{%- set content = "
        "content.split('</think>')[-1].lstrip('\n') %}{%- endif %}{{- '<|im_start|>assistant\n' + content + "
        "'<|im_end|>\n' }}{%- endif %}{%- endfor %}"
        "{%- if add_generation_prompt %}{{- '<|im_start|>assistant\n' }}{%- endif %}",
        "<|endoftext|>",
        "<|im_end|>",
    ),
}
