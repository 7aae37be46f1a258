//! Answers in addition to a model's own, as outputs have them, and the choice of them.

use serde::Serialize;
use vulnlens_taxonomy::Domain;

/// Choice of the answers in addition to the model's own: none, unless it is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
#[non_exhaustive]
pub struct Additions {
    /// True for techniques of ATLAS.
    pub atlas: bool,
    /// True for countermeasures of D3FEND.
    pub d3fend: bool,
    /// True for techniques of ATT&CK for ICS.
    pub ics: bool,
    /// True for techniques of ATT&CK for Mobile.
    pub mobile: bool,
}

impl Additions {
    /// Nothing.
    pub const NOTHING: Self = Self { atlas: false, d3fend: false, ics: false, mobile: false };

    /// With techniques of ATLAS, or without.
    #[must_use]
    pub const fn atlas(self, atlas: bool) -> Self {
        Self { atlas, ..self }
    }

    /// With countermeasures of D3FEND, or without.
    #[must_use]
    pub const fn d3fend(self, d3fend: bool) -> Self {
        Self { d3fend, ..self }
    }

    /// With techniques of a matrix, or without; those of Enterprise are a task of the model's own.
    #[must_use]
    pub const fn domain(self, domain: Domain, asked: bool) -> Self {
        match domain {
            Domain::Ics => Self { ics: asked, ..self },
            Domain::Mobile => Self { mobile: asked, ..self },
            Domain::Enterprise => self,
        }
    }

    /// The matrices that are asked for.
    #[must_use]
    pub fn domains(self) -> Vec<Domain> {
        let asked = [(self.ics, Domain::Ics), (self.mobile, Domain::Mobile)];
        asked.into_iter().filter(|(asked, _)| *asked).map(|(_, domain)| domain).collect()
    }

    /// True when a text has to be compared with descriptions.
    #[must_use]
    pub const fn compares(self) -> bool {
        self.atlas || self.ics || self.mobile
    }
}

/// The matrix's name in options and outputs.
#[must_use]
pub const fn domain_name(domain: Domain) -> &'static str {
    match domain {
        Domain::Enterprise => "enterprise",
        Domain::Ics => "ics",
        Domain::Mobile => "mobile",
    }
}

/// The techniques of ATLAS that a text implies.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
#[non_exhaustive]
pub struct AtlasAnswer {
    /// The words by which the text is about a component of artificial intelligence; without any, nothing is answered.
    pub opened_by: Vec<String>,
    /// The techniques: those that correspond to techniques of ATT&CK that are answered, the most probable first, then
    /// those that the text is most like.
    pub techniques: Vec<AtlasLabel>,
}

/// A technique of ATLAS in an answer.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct AtlasLabel {
    /// Its id.
    pub label: String,
    /// Its name.
    pub name: String,
    /// The names of the tactics that it serves.
    pub tactics: Vec<String>,
    /// `derived`, of a technique of ATT&CK that is answered, or `similarity`.
    pub basis: &'static str,
    /// The probability of that technique.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub score: Option<f64>,
    /// That technique.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub via: Option<String>,
    /// The list that it is answered in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<&'static str>,
    /// The cosine of the text and the description, where it is not small: a rank, no probability.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub similarity: Option<f64>,
}

/// A technique of ATT&CK for ICS or Mobile that a text is like.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct DomainLabel {
    /// Its id.
    pub label: String,
    /// Its name.
    pub name: String,
    /// The names of the tactics that it serves.
    pub tactics: Vec<String>,
    /// The matrix: `ics` or `mobile`.
    pub domain: &'static str,
    /// `similarity`.
    pub basis: &'static str,
    /// The cosine of the text and the description: a rank, no probability.
    pub similarity: f64,
}

/// A countermeasure of D3FEND against weaknesses and techniques that are answered.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct CountermeasureAnswer {
    /// Its id.
    pub label: String,
    /// Its name.
    pub name: String,
    /// The tactic that it serves.
    pub tactic: &'static str,
    /// The sum of the probabilities of all that it is against, each weakness and technique counted once.
    pub weight: f64,
    /// The weaknesses and techniques that it is against, the most probable first; no more than five.
    pub against: Vec<Countered>,
}

/// A weakness or technique that a countermeasure is against, and the way through artifacts.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Countered {
    /// Its id.
    pub label: String,
    /// The list that it is answered in.
    pub taxonomy: &'static str,
    /// `technique`, by what the technique does to an artifact, or `weakness`, by the artifact that it is a weakness of.
    pub route: &'static str,
    /// Its probability.
    pub score: f64,
    /// The relation of the weakness or technique to its artifact, such as `modifies`.
    pub threat_relation: String,
    /// Its artifact.
    pub threat_artifact: String,
    /// The relation of the countermeasure to an artifact.
    pub relation: String,
    /// That artifact: the same, or a more general one.
    pub artifact: String,
    /// Steps up to it.
    pub distance: u8,
}
