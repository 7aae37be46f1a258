//! Hugging Face ids to folders, through the user's own hub cache.
