//! Facts about a model that its training cannot know.

/// Facts about a model and its data, for its file and card.
#[derive(Debug, Clone)]
pub struct Description {
    /// Name of the model.
    pub name: String,
    /// File name of the data set.
    pub data: String,
    /// SHA-256 of the data set, in hex.
    pub data_sha256: String,
    /// `random`, `temporal` or `all`.
    pub split: String,
    /// Styles of texts that were left out of training, to judge it on them.
    pub held_out_styles: Vec<String>,
    /// Version of the tool.
    pub tool_version: String,
}
