//! The n-gram model from fit to file, on a made-up corpus.

mod fit;
mod made_up;
mod model_file;
