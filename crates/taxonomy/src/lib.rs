//! Typed ids, parsers and the knowledge base of CWE, CAPEC and MITRE ATT&CK.

pub mod ids;

pub use ids::{CapecId, CveId, CweId, ParseIdError, TacticId, TechniqueId};
