//! Chat templates of known families, for a file that brings none: told by the special tokens of its vocabulary.

use crate::tokenizer::codec::Tokenizer;

/// A family whose turns look the same in all its models.
pub(super) struct Family {
    /// Its name for people.
    pub(super) name: &'static str,
    /// Special tokens that all must be there.
    marks: &'static [&'static str],
    pub(super) template: &'static str,
}

/// The families; the first whose marks are all there counts.
const FAMILIES: [Family; 6] = [
    Family {
        name: "ChatML",
        marks: &["<|im_start|>", "<|im_end|>"],
        template: "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}\
                   {% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}",
    },
    Family {
        name: "Llama 3",
        marks: &["<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"],
        template: "{{ bos_token }}{% for m in messages %}<|start_header_id|>{{ m.role }}<|end_header_id|>\n\n\
                   {{ m.content | trim }}<|eot_id|>{% endfor %}\
                   {% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %}",
    },
    Family {
        name: "Gemma",
        marks: &["<start_of_turn>", "<end_of_turn>"],
        template: "{{ bos_token }}{% for m in messages %}\
                   {% if m.role == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}\
                   <start_of_turn>{{ 'model' if m.role == 'assistant' else m.role }}\n\
                   {{ m.content | trim }}<end_of_turn>\n{% endfor %}\
                   {% if add_generation_prompt %}<start_of_turn>model\n{% endif %}",
    },
    Family {
        name: "Phi-3",
        marks: &["<|user|>", "<|assistant|>", "<|end|>"],
        template: "{% for m in messages %}<|{{ m.role }}|>\n{{ m.content }}<|end|>\n{% endfor %}\
                   {% if add_generation_prompt %}<|assistant|>\n{% endif %}",
    },
    Family {
        name: "Granite",
        marks: &["<|start_of_role|>", "<|end_of_role|>", "<|end_of_text|>"],
        template: "{% for m in messages %}<|start_of_role|>{{ m.role }}<|end_of_role|>{{ m.content }}\
                   <|end_of_text|>\n{% endfor %}\
                   {% if add_generation_prompt %}<|start_of_role|>assistant<|end_of_role|>{% endif %}",
    },
    Family {
        name: "Mistral",
        marks: &["[INST]", "[/INST]"],
        template: "{{ bos_token }}{% for m in messages %}\
                   {% if m.role == 'system' %}{{ raise_exception('System role not supported') }}\
                   {% elif m.role == 'user' %}[INST] {{ m.content }}[/INST]\
                   {% else %} {{ m.content }}{{ eos_token }}{% endif %}{% endfor %}",
    },
];

/// The family of a vocabulary.
pub(super) fn of(tokenizer: &Tokenizer) -> Option<&'static Family> {
    let names: Vec<&str> =
        tokenizer.specials().ids().iter().filter_map(|id| tokenizer.token_text(*id)).collect();
    FAMILIES.iter().find(|family| family.marks.iter().all(|mark| names.contains(mark)))
}
