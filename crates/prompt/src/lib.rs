//! Text-generation models asked for weaknesses, attack patterns and ATT&CK techniques.
//!
//! A [`Prompter`] asks any endpoint that speaks OpenAI's chat completions (llama.cpp's server, vLLM, Ollama). The model
//! answers from a closed list: labels of a classifier of ours, with names and definitions. A reply is bound to that list
//! by a JSON Schema where the endpoint can, and read strictly in any case: other ids are refused and counted.
//!
//! - A prompt is a [`Template`] filled once: the text of a record cannot fill another placeholder. [`Shots`] are examples
//!   from a data set, [`Definitions`] the catalogues' own words.
//! - A [`Client`] sends texts and [`Key`] to its [`Endpoint`] and nowhere else; a [`Cache`] keeps every reply as it comes,
//!   so that a run which is killed goes on where it was.
//! - [`run`] asks about several records at once and gives the answers in the order of the input, as record output
//!   version 1 with the key `generated`; a [`Summary`] counts what happened.
//!
//! Scores of generated labels are not probabilities: they are what the model states, and nothing calibrates it. Nothing
//! here prints or reads the environment.

mod answers;
mod asker;
mod cache;
mod candidates;
mod client;
mod counts;
mod endpoint;
mod error;
mod maker;
mod pace;
mod pending;
mod prompter;
mod reply;
mod request;
mod run;
mod settings;
mod shots;
mod summary;
mod template;

pub use asker::Way;
pub use cache::Cache;
pub use candidates::Definitions;
pub use client::{Client, Patience};
pub use counts::Counts;
pub use endpoint::{Endpoint, Key};
pub use error::PromptError;
pub use maker::Parts;
pub use prompter::{Prompted, Prompter};
pub use request::SchemaStyle;
pub use run::{RunError, run};
pub use settings::{Selection, Settings};
pub use shots::{Shot, Shots};
pub use summary::Summary;
pub use template::Template;
