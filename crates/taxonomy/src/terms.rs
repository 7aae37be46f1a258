//! The controlled vocabularies of the catalogues: abstraction, status, mapping usage, nature, domain.
//!
//! Every vocabulary that a catalogue may leave out, or extend in a later release, has the term
//! `Unstated`, so that one new word never costs a whole entry.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Declares an enum of terms together with the words that the official files write for them.
macro_rules! vocabulary {
    ($(#[$doc:meta])* $name:ident { $($(#[$term_doc:meta])* $term:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $name { $($(#[$term_doc])* $term),+ }

        impl $name {
            /// The term that the official files write as `word`, if there is one.
            #[must_use]
            pub fn from_word(word: &str) -> Option<Self> {
                match word {
                    $($word => Some(Self::$term),)+
                    _ => None,
                }
            }

            /// The word that the official files write.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$term => $word),+ }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }
    };
}

vocabulary! {
    /// How abstract a weakness is, from pillar (most) to variant (least).
    Abstraction {
        /// The most abstract: a theme of weaknesses.
        Pillar = "Pillar",
        /// Abstract, independent of any language or technology.
        Class = "Class",
        /// Concrete enough to derive detection and prevention from.
        Base = "Base",
        /// Tied to a product, language or technology.
        Variant = "Variant",
        /// Several weaknesses together: a chain or a composite.
        Compound = "Compound",
        /// Not given, or by a word that this version does not know.
        Unstated = "Unstated",
    }
}

vocabulary! {
    /// How abstract an attack pattern is, from meta (most) to detailed (least).
    PatternAbstraction {
        /// A decidedly abstract method of attack.
        Meta = "Meta",
        /// One methodology or technique of attack.
        Standard = "Standard",
        /// One technique against one technology, in full.
        Detailed = "Detailed",
        /// Not given, or by a word that this version does not know.
        Unstated = "Unstated",
    }
}

vocabulary! {
    /// How mature an entry of CWE or CAPEC is.
    Status {
        /// Withdrawn; kept for its id.
        Deprecated = "Deprecated",
        /// Important parts are filled, not yet reviewed.
        Draft = "Draft",
        /// Important parts are missing.
        Incomplete = "Incomplete",
        /// Still valid, but no longer relevant.
        Obsolete = "Obsolete",
        /// Reviewed and unlikely to change.
        Stable = "Stable",
        /// Reviewed by hand, minor parts may be missing.
        Usable = "Usable",
        /// Not given, or by a word that this version does not know.
        Unstated = "Unstated",
    }
}

vocabulary! {
    /// Whether CWE lets a vulnerability be mapped to a weakness (`Mapping_Notes/Usage`).
    Usage {
        /// May be used.
        Allowed = "Allowed",
        /// May be used after a look for a more precise one.
        AllowedWithReview = "Allowed-with-Review",
        /// Should not be used: too abstract, or commonly misused.
        Discouraged = "Discouraged",
        /// Must not be used: deprecated, or no weakness at all.
        Prohibited = "Prohibited",
        /// Not given: catalogues before 4.12 have no mapping notes.
        Unstated = "Unstated",
    }
}

impl Usage {
    /// True when a mapping to the weakness is acceptable; a catalogue that states no usage forbids
    /// nothing.
    #[must_use]
    pub fn permits_mapping(self) -> bool {
        matches!(self, Self::Allowed | Self::AllowedWithReview | Self::Unstated)
    }
}

vocabulary! {
    /// What one weakness is to another (`Related_Weakness/@Nature`).
    Nature {
        /// The target is more abstract.
        ChildOf = "ChildOf",
        /// The target is less abstract.
        ParentOf = "ParentOf",
        /// A chain begins with the target.
        StartsWith = "StartsWith",
        /// The target can come before.
        CanFollow = "CanFollow",
        /// The target can come after.
        CanPrecede = "CanPrecede",
        /// The target, a composite, needs this weakness.
        RequiredBy = "RequiredBy",
        /// This weakness, a composite, needs the target.
        Requires = "Requires",
        /// In some circumstances it is the target as well.
        CanAlsoBe = "CanAlsoBe",
        /// Similar, in none of the other ways.
        PeerOf = "PeerOf",
    }
}

vocabulary! {
    /// A matrix of ATT&CK, by the name that `x_mitre_domains` gives it.
    Domain {
        /// Enterprise.
        Enterprise = "enterprise-attack",
        /// Mobile.
        Mobile = "mobile-attack",
        /// Industrial control systems.
        Ics = "ics-attack",
    }
}

vocabulary! {
    /// What a countermeasure of D3FEND is for, by the names of its tactics.
    DefensiveTactic {
        /// To know the systems that are defended.
        Model = "Model",
        /// To make attacks costlier, before a system is in use.
        Harden = "Harden",
        /// To notice attacks.
        Detect = "Detect",
        /// To keep attacks from spreading.
        Isolate = "Isolate",
        /// To lure attackers into places that are watched.
        Deceive = "Deceive",
        /// To drive attackers out.
        Evict = "Evict",
        /// To bring systems back to a good state.
        Restore = "Restore",
        /// Not given, or by a word that this version does not know.
        Unstated = "Unstated",
    }
}
