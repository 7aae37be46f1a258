//! The gate of ATLAS: answers are for texts about a component of artificial intelligence alone.
//!
//! The gate opens for
//!
//! 1. one of the [`NAMES`]: products, frameworks and terms that mean nothing else;
//! 2. `AI` or `ML` as a word in capitals, with one of the [`COMPANIONS`];
//! 3. `model`, unless it stands in a compound such as *data model*, with one of the [`MODEL_COMPANIONS`].
//!
//! Words are whole words: `AI` in `MAIN` opens nothing.

/// Words that open the gate by themselves, in lower case.
const NAMES: &[&str] = &[
    "llm",
    "llms",
    "large language model",
    "large language models",
    "language model",
    "language models",
    "prompt injection",
    "prompt injections",
    "machine learning",
    "machine-learning",
    "deep learning",
    "neural network",
    "neural networks",
    "artificial intelligence",
    "generative ai",
    "genai",
    "adversarial example",
    "adversarial examples",
    "model poisoning",
    "model weights",
    "retrieval-augmented generation",
    "retrieval augmented generation",
    "model context protocol",
    "mcp server",
    "mcp servers",
    "trust_remote_code",
    "torch.load",
    "pytorch",
    "torchserve",
    "tensorflow",
    "tensorrt",
    "keras",
    "langchain",
    "langflow",
    "langgraph",
    "llamaindex",
    "llama_index",
    "llama-index",
    "llama.cpp",
    "gguf",
    "safetensors",
    "ollama",
    "vllm",
    "sglang",
    "litellm",
    "anythingllm",
    "anything-llm",
    "lollms",
    "localai",
    "privategpt",
    "hugging face",
    "huggingface",
    "mlflow",
    "kubeflow",
    "clearml",
    "bentoml",
    "onnx",
    "scikit-learn",
    "xgboost",
    "lightgbm",
    "triton inference server",
    "nvidia nemo",
    "megatron-lm",
    "deepspeed",
    "sagemaker",
    "vertex ai",
    "openai",
    "chatgpt",
    "gpt-3",
    "gpt-4",
    "gpt-4o",
    "deepseek",
    "claude code",
    "claude desktop",
    "gemini cli",
    "github copilot",
    "microsoft copilot",
    "365 copilot",
    "semantic kernel",
    "autogpt",
    "crewai",
    "gradio",
    "comfyui",
    "stable diffusion",
    "stable-diffusion-webui",
    "text-generation-webui",
    "open webui",
    "open-webui",
    "dify",
    "flowise",
    "ragflow",
    "milvus",
    "weaviate",
    "qdrant",
];

/// Words in capitals that open the gate with one of the [`COMPANIONS`].
const CAPITALS: &[&str] = &["AI", "ML"];

/// What `AI` or `ML` has to stand with in a text, in lower case.
const COMPANIONS: &[&str] = &[
    "model",
    "models",
    "agent",
    "agents",
    "agentic",
    "assistant",
    "assistants",
    "chat",
    "chatbot",
    "prompt",
    "prompts",
    "inference",
    "training",
    "dataset",
    "datasets",
    "embedding",
    "embeddings",
    "tokenizer",
    "gateway",
    "pipeline",
    "pipelines",
];

/// What `model` has to stand with in a text, in lower case.
const MODEL_COMPANIONS: &[&str] = &[
    "pickle",
    "pickled",
    "unpickling",
    "inference",
    "tokenizer",
    "fine-tuning",
    "fine-tuned",
    "training data",
    "embeddings",
    "hyperparameters",
];

/// Words in front of `model` with which it is something else, in lower case.
const OTHER_MODELS: &[&str] = &[
    "data",
    "threat",
    "object",
    "driver",
    "security",
    "permission",
    "permissions",
    "trust",
    "memory",
    "domain",
    "device",
    "phone",
    "router",
    "3d",
    "information",
    "component",
    "role",
    "access",
    "process",
    "programming",
];

/// Most words that an answer says.
const MOST: usize = 8;

/// The words of a text that open the gate, as they are written, in their order and each once; none where it stays shut.
#[must_use]
pub fn ai_words(text: &str) -> Vec<String> {
    let lower = text.to_ascii_lowercase();
    let mut found: Vec<(usize, &str)> = NAMES.iter().flat_map(|name| places(&lower, text, name)).collect();
    let capitals: Vec<(usize, &str)> = CAPITALS.iter().flat_map(|word| places(text, text, word)).collect();
    if !capitals.is_empty() {
        let companions = COMPANIONS.iter().flat_map(|word| places(&lower, text, word));
        let companions: Vec<(usize, &str)> =
            companions.filter(|(at, word)| !is_other_model(&lower, *at, word)).collect();
        if !companions.is_empty() {
            found.extend(capitals);
            found.extend(companions);
        }
    }
    let models = ["model", "models"].into_iter().flat_map(|word| places(&lower, text, word));
    let models: Vec<(usize, &str)> = models.filter(|(at, word)| !is_other_model(&lower, *at, word)).collect();
    let companions: Vec<(usize, &str)> =
        MODEL_COMPANIONS.iter().flat_map(|word| places(&lower, text, word)).collect();
    if !models.is_empty() && !companions.is_empty() {
        found.extend(models);
        found.extend(companions);
    }
    found.sort_unstable();
    let mut words: Vec<String> = vec![];
    for (_, word) in found {
        if words.len() < MOST && !words.iter().any(|known| known.eq_ignore_ascii_case(word)) {
            words.push(word.to_owned());
        }
    }
    words
}

/// The places in `text` at which `word` stands in `searched`, which is as long, as a whole word.
fn places<'t>(searched: &str, text: &'t str, word: &str) -> Vec<(usize, &'t str)> {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let whole = |at: usize| {
        let before = searched.get(..at).and_then(|text| text.chars().next_back());
        let after = searched.get(at + word.len()..).and_then(|text| text.chars().next());
        !before.is_some_and(is_part) && !after.is_some_and(is_part)
    };
    let found = searched.match_indices(word).map(|(at, _)| at).filter(|at| whole(*at));
    found.filter_map(|at| Some((at, text.get(at..at + word.len())?))).collect()
}

/// True for `model` in a compound that is something else.
fn is_other_model(lower: &str, at: usize, word: &str) -> bool {
    if !word.to_ascii_lowercase().starts_with("model") {
        return false;
    }
    let before = lower.get(..at).unwrap_or_default().trim_end_matches([' ', '-', '\n']);
    let last = before.rsplit(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
    OTHER_MODELS.contains(&last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_about_ai_open_the_gate_and_say_by_what() {
        for (text, words) in [
            (
                "A prompt injection in LangChain before 0.3 lets attackers run SQL.",
                vec!["prompt injection", "LangChain"],
            ),
            ("vLLM deserializes tensors with torch.load.", vec!["vLLM", "torch.load"]),
            ("The AI assistant of the product obeys pages that it reads.", vec!["AI", "assistant"]),
            ("Loading a crafted model file runs code by pickle.", vec!["model", "pickle"]),
            ("Ollama's server pulls models from any registry; OLLAMA trusts them.", vec!["Ollama"]),
            ("MLflow is prone to path traversal.", vec!["MLflow"]),
        ] {
            assert_eq!(ai_words(text), words, "{text}");
        }
    }

    #[test]
    fn other_texts_leave_it_shut() {
        for text in [
            "SQL injection in login.php via the id parameter.",
            "The data model of the driver is not checked; the threat model excludes this.",
            "A flaw in MAIN allows attackers to send EMAIL; AIX is affected.",
            "The firmware of the transformer substation's relay has hard-coded credentials in its transformers.",
            "The SNMP agent discloses the community string.",
            "A local user at the shell prompt may run commands as root.",
            "An .ai file of Adobe Illustrator overflows a buffer in the AI parser.",
            "A maliciously crafted MODEL file, when parsed by Autodesk AutoCAD, may force an out-of-bounds write.",
            "The GPT header of the disk is trusted.",
            "An AI-series router with a weak data model.",
            "Training materials and datasets of the school are disclosed.",
            "",
        ] {
            assert_eq!(ai_words(text), Vec::<String>::new(), "{text}");
        }
    }

    #[test]
    fn any_text_has_whole_words_only() {
        assert_eq!(ai_words("éllm llmé _llm llm_"), Vec::<String>::new());
        assert_eq!(ai_words("é LLM."), ["LLM"]);
        let many = NAMES.join(", ");
        assert_eq!(ai_words(&many).len(), MOST);
    }
}
