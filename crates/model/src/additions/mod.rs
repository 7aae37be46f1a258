//! Answers in addition to the model's own: techniques of ATLAS, of ATT&CK's matrices for ICS and Mobile, and countermeasures of
//! D3FEND. They follow from what is answered, or from how similar the text is to a description; nobody taught them to a
//! model, and each says where it is from.

mod answer;
mod countermeasures;
mod decoder;
mod gate;
mod similar;

pub use answer::{
    Additions, AtlasAnswer, AtlasLabel, Countered, CountermeasureAnswer, DomainLabel, domain_name,
};
pub(crate) use decoder::AdditionDecoder;
pub use gate::ai_words;
