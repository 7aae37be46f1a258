//! Classifiers of vulnerability text over HTTP, and a page for people.
//!
//! A [`Server`] answers with the models that it was given, in the forms that programs of this field speak already:
//!
//! | routes | who speaks so |
//! |---|---|
//! | `/v1/…` | our own: records in, record output out (`docs/serving.md`) |
//! | `/predict`, `/info`, `/health`, `/metrics` | clients of text-embeddings-inference |
//! | `POST /` | clients of Hugging Face's inference API |
//! | `/classify/attack-techniques`, `/classify/cwe` | clients of CIRCL's ML-Gateway |
//! | `GET /` | people |
//!
//! Answers are those of the command line: the same records, options, numbers and names. The library neither
//! prints nor reads the environment; it tells of requests through `tracing`.

#![expect(unused_qualifications, reason = "the code that describes routes names all paths in full")]

mod answering;
mod app;
mod error;
mod forms;
mod guard;
mod host;
mod json;
mod metrics;
mod model;
mod options;
mod routes;
mod serve;
mod settings;

pub use model::Model;
pub use serve::{BindError, Server};
pub use settings::{ApiKey, CveText, CveTexts, Settings};
