//! Patterns of what says nothing of a weakness. The first group of each is what is taken out.

use std::sync::{LazyLock, OnceLock};

use aho_corasick::{AhoCorasick, AhoCorasickKind};
use regex::{Regex, RegexBuilder};

/// The beginning of a sentence: of the text, of a line, or after the end of another.
macro_rules! begin {
    () => {
        r"(?:^|\n|[.!?;]\s|\s{2})\s*(?:[-*•]\s*)?"
    };
}

/// The rest of a sentence: to a full stop before white space, to a line break, or to the end.
macro_rules! rest {
    () => {
        r"(?:\b[A-Z]\.\s|[^.\n]|\.[^\s])*\.?"
    };
}

/// A vector of CVSS without its head, of any version.
macro_rules! vector {
    () => {
        r"A[CV]:[A-Z]{1,2}(?:/[A-Za-z]{1,3}:[A-Za-z]{1,2})+/?"
    };
}

/// A pattern, and groups of texts: of each group one occurs wherever the pattern does.
struct Pattern {
    /// In lower case; none for a pattern that [`has_sum`] answers for. At most eight groups.
    triggers: &'static [&'static [&'static str]],
    source: &'static str,
}

/// Texts of which one occurs in every date: its month, or a number before a mark.
const MONTHS_OR_NUMBERS: &[&str] = &[
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
    "0-",
    "1-",
    "2-",
    "3-",
    "4-",
    "5-",
    "6-",
    "7-",
    "8-",
    "9-",
    "0/",
    "1/",
    "2/",
    "3/",
    "4/",
    "5/",
    "6/",
    "7/",
    "8/",
    "9/",
];

const SOURCES: [Pattern; 17] = [
    // Links, with the words that lead to them.
    Pattern {
        triggers: &[&["://", "www."]],
        source: r"((?:\b(?:see(?: also)?|references?|more (?:info|information|details)|advisory|further reading|source|link|url|details|available|published)\b:?\s*(?:at|on|in)?:?\s*)?[(<\[]?(?:\[\d{1,2}\]:?\s*)?\b(?:(?:https?|ftp)://|www\.)[^\s<>\x22]+(?:(?:\s*(?:,|;|and|or))?\s+(?:\[\d{1,2}\]:?\s*)?(?:(?:https?|ftp)://|www\.)[^\s<>\x22]+)*(?:\s+(?:for|with) (?:more |further )?(?:details|information)\.?)?)",
    },
    // Identifiers of records and advisories, with what is said of their assignment.
    Pattern {
        triggers: &[&[
            "cve-", "ghsa-", "pysec-", "rustsec-", "rhsa-", "zdi-", "dsa", "usn", "dla", "vde", "icsa",
            "icsma", "edb-id", "bid", "jvn", "vu#", "sve-", "bdu", "cnvd", "cnnvd", "euvd", "go-20", "go-19",
        ]],
        source: r"(\b(?:CVE-\d{4}-\d{4,}|GHSA(?:-[0-9a-z]{4}){3}|PYSEC-\d{4}-\d+|RUSTSEC-\d{4}-\d+|RHSA-\d{4}:\d+|(?:ZDI-CAN|DSA|USN|DLA|VDE|ICSA|ICSMA|EDB-ID|BID|JVNDB|JVN|VU|SVE|BDU|CNVD|CNNVD|EUVD)[-#: ]?\d[\d-]*|ZDI-\d+-\d+|GO-\d{4}-\d+)\b(?:\s+(?:has|have) been assigned to (?:this|these) (?:vulnerabilit(?:y|ies)|issues?)\.?)?)",
    },
    // Sentences and parts of sentences about scores.
    Pattern {
        triggers: &[&["cvss"]],
        source: concat!(
            r"((?:\(\s*)?(?:\b(?:an?|the|with an?|its)\s+)?(?:\bvector(?: string)?\s*[:=]?\s*)?\bCVSS(?:[\s:]?v?\s*\d(?:\.\d+)?)?(?:[^.\n]|\.[^\s])*?(?:",
            vector!(),
            r"\)?\.?|\.(?:\s|$)|\n|$))"
        ),
    },
    Pattern {
        triggers: &[&["cvss"]],
        source: concat!(r"(\(?\bCVSS(?:v?\d(?:\.\d)?|:\d\.\d/)[^\s)]*(?:\s*\(?", vector!(), r"\)?)?\)?)"),
    },
    Pattern {
        triggers: &[&["ac:", "av:"]],
        source: concat!(r"((?:\bvector(?: string)?\s*[:=]?\s*)?\(?\b", vector!(), r"\)?)"),
    },
    Pattern {
        triggers: &[&["score", "severity", "priority", "risk", "exploitability", "epss"]],
        source: concat!(
            begin!(),
            r"(\(?(?:(?:base |overall |cvss )?(?:score|severity|priority|risk)(?: rating| level| score)?|exploitability|EPSS(?: score)?)\s*[:=]\s*(?:\d[\d.]*%?|critical|high|medium|moderate|low|important|none)\b(?:[\s/,(]*(?:\d[\d./]*|critical|high|medium|moderate|low)\b[)]?)*\)?\.?)"
        ),
    },
    Pattern { triggers: &[&["ssvc"]], source: concat!(r"(\bSSVC(?:v\d)?\b[:/]", rest!(), ")") },
    // Platforms.
    Pattern {
        triggers: &[&["cpe:"]],
        source: r"((?:\b(?:affected |vulnerable )?(?:configurations?|platforms?|products?|CPEs?)(?: names?)?:?\s+)?\bcpe:(?:/|2\.3:)[^\s,;)\]]+)",
    },
    // Sums and revisions: twelve hexadecimal digits at least, some of them decimal.
    Pattern {
        triggers: &[],
        source: r"(\b(?:[0-9a-f]{40}|[0-9a-f]{64}|[0-9a-f]{32}|[0-9a-f]{128}|[a-f]+[0-9][0-9a-f]{10,}|[0-9]+[a-f][0-9a-f]{10,})\b)",
    },
    // Dates, with the words for what happened on them.
    Pattern {
        triggers: &[
            &[
                "january",
                "february",
                "march",
                "april",
                "may ",
                "may,",
                "june",
                "july",
                "august",
                "september",
                "october",
                "november",
                "december",
                "199",
                "200",
                "201",
                "202",
                "203",
            ],
            &["19", "20"],
            MONTHS_OR_NUMBERS,
        ],
        source: r"((?:\b(?:published|modified|updated|reported|disclosed|released|patched|fixed|discovered|date)\b:?\s*(?:on|at)?:?\s*)?\b(?:(?:19|20)\d\d[-/](?:0[1-9]|1[0-2])[-/](?:0[1-9]|[12]\d|3[01])(?:[T ]\d\d:\d\d[\d:.]*(?:Z|[+-]\d\d:?\d\d)?)?|(?:January|February|March|April|May|June|July|August|September|October|November|December)\s+\d{1,2}(?:st|nd|rd|th)?,?\s+(?:19|20)\d\d|\d{1,2}\s+(?:January|February|March|April|May|June|July|August|September|October|November|December)\s+(?:19|20)\d\d)\b\.?)",
    },
    // Credits.
    Pattern {
        triggers: &[&[
            "credit",
            "acknowledg",
            "thank",
            "reported by",
            "discovered by",
            "found by",
            "identified by",
            "disclosed by",
            "ed this ",
            "ed these ",
            "this issue was",
            "the issue was",
            "this vulnerability was",
            "the vulnerability was",
            "this bug was",
            "the bug was",
            "this flaw was",
            "the flaw was",
            "this problem was",
            "the problem was",
        ]],
        source: concat!(
            begin!(),
            r"((?:credits?\b(?:\s*:|\s+(?:to|for|goes)\b)|(?:originally |first |responsibly |independently )?(?:reported|discovered|found|identified|disclosed) by\b|acknowledge?ments?\s*:|(?:special |many )?thanks (?:to|go)\b|(?:we|the [a-z ]{2,40}) (?:would like to |wants? to |wish(?:es)? to )?(?:thank|acknowledge|credit)s?\b|[^.\n]{1,120} (?:reported|disclosed|discovered) (?:this|these) (?:vulnerabilit(?:y|ies)|issues?|bugs?|flaws?|findings?)\b|th(?:is|e) (?:issue|vulnerability|bug|flaw|problem) was (?:originally |first |responsibly |independently |also )?(?:reported|discovered|found|identified|disclosed)(?: to [^.\n]{1,60})? by\b)",
            rest!(),
            ")"
        ),
    },
    Pattern {
        triggers: &[&["credit", "acknowledg", "by:"]],
        source: concat!(
            r"(\b(?:credits?|acknowledge?ments?|(?:reported|discovered|found) by)\s*:",
            rest!(),
            ")"
        ),
    },
    // Advice to upgrade, and where a fix is.
    Pattern {
        triggers: &[&[
            "fixed",
            "patched",
            "resolved",
            "addressed",
            "corrected",
            "remediated",
            "upgrad",
            "updat",
        ]],
        source: concat!(
            begin!(),
            r"((?:th(?:is|e|ese) (?:(?:issue|vulnerability|problem|bug|flaw|defect|vulnerabilities|issues)s? )?(?:is|are|was|were|has been|have been) (?:now )?(?:fixed|patched|resolved|addressed|corrected|remediated)(?: by [^.\n]{1,60})? (?:in|as of|since)\b|(?:it|they) (?:is|are|was|were|has been|have been) (?:fixed|patched|resolved|addressed) in\b|(?:fixed|patched|resolved|addressed) (?:in|as of|since)\b|(?:(?:all )?(?:users|customers|administrators|operators) (?:of [^.\n]{1,60} )?(?:are|should|must|can)(?: be)?(?: strongly| highly)? ?(?:recommended|advised|encouraged|urged|requested)? ?(?:to )?|we (?:strongly )?(?:recommend|advise|encourage|urge)(?: (?:all )?(?:users|customers))?(?: that you)?(?: to)? |please |(?:it is|we) recommend(?:ed)? (?:to )?)(?:upgrade|upgrading|update|updating)\b|(?:upgrade|update|upgrading|updating)\s+(?:[^.\n]{1,40}\s)?(?:to|your)\b)",
            rest!(),
            ")"
        ),
    },
    Pattern {
        triggers: &[
            &[
                "a fix",
                "the fix",
                "fixes ",
                "no fix",
                "patch",
                "workaround",
                "solution",
                "fixed version",
                "fix is",
                "addresses ",
                "includes ",
                "contains ",
            ],
            &[
                "available",
                "released",
                "included",
                "planned",
                "expected",
                "published",
                "known ",
                "version",
                "release",
                "commit",
            ],
        ],
        source: concat!(
            begin!(),
            r"((?:(?:a|the) (?:fix|patch|patched version|fixed version|solution|workaround)(?: for this (?:issue|vulnerability|problem))? (?:is|was|has been|will be) (?:available|released|made available|included|planned|expected|published)\b|(?:there (?:is|are|exist)|no) (?:currently )?(?:no )?known (?:workarounds?|fix(?:es)?|patch(?:es)?)\b|(?:version|release|commit)s? [^.\n]{1,60} (?:contains?|fix(?:es)?|patch(?:es)?|address(?:es)?|include(?:s)?)(?: an?| the)? ?(?:fix|patch|this (?:issue|vulnerability|problem)|the (?:issue|vulnerability|problem))?\b)",
            rest!(),
            ")"
        ),
    },
    // Headings of advisories, alone on a line or behind marks.
    Pattern {
        triggers: &[&["\n"]],
        source: r"(?:^|\n|[.!?]\s)(\s*(?:#{1,6}\s*|\*\*\s*)?(?:impact|summary|details|overview|background|description|poc|proof of concept|patch(?:es)?|workarounds?|mitigations?|recommendations?|solutions?|remediation|resolution|references?|affected (?:versions?|products?|packages?|components?)|for more information|credits?|acknowledge?ments?|thanks|severity|cvss|cvss scores?|metrics|affected configurations?|timeline|technical details|vulnerability (?:details|description|type)|product|vendor|advisory|weaknesses|attribution|steps to reproduce|attack scenario)\s*(?:\*\*)?:?\s*(?:\*\*)?[ \t]*)(?:\n|$)",
    },
    // Marks of headings, emphasis and code.
    Pattern { triggers: &[&["#", "**", "`"]], source: r"((?m:^#{1,6}[ \t])|\*\*|`+|^#{1,6}[ \t])" },
    // Tags that format; others may be what an attacker injects.
    Pattern {
        triggers: &[&["<"]],
        source: r"(</?(?:p|br|div|span|ul|ol|li|b|i|em|strong|code|pre|h[1-6]|table|tbody|thead|tr|td|th|hr|blockquote|tt|sup|sub|a|font|dl|dt|dd)\b(?:\s+(?:href|class|style|id|target|rel|title)\s*=\s*(?:\x22[^\x22<>]*\x22|'[^'<>]*'|[^\s<>]+))*\s*/?>)",
    },
];

/// Room for what the search engine works out on the way: with less it would work out the same again and again.
const DFA_BYTES: usize = 16 << 20;

/// The patterns that were built so far: each is when a text first needs it, as to build all takes longer than to answer.
static BUILT: [OnceLock<Option<Regex>>; SOURCES.len()] = [const { OnceLock::new() }; SOURCES.len()];

/// The pattern of this number.
pub(crate) fn pattern(number: usize) -> Option<&'static Regex> {
    let (built, source) = BUILT.get(number).zip(SOURCES.get(number))?;
    if built.get().is_none() {
        // Built outside of the lock: a process that is forked meanwhile does not wait for it. Another thread may have
        // been quicker.
        let _ = built.set(build(source));
    }
    built.get()?.as_ref()
}

/// Builds a pattern; the patterns are constants, which the tests build.
fn build(pattern: &Pattern) -> Option<Regex> {
    // Boundaries of words in ASCII: those of Unicode would make the search many times slower.
    let source = pattern.source.replace(r"\b", r"(?-u:\b)").replace(r"\d", "[0-9]");
    RegexBuilder::new(&source).case_insensitive(true).dfa_size_limit(DFA_BYTES).build().ok()
}

/// The triggers of all patterns, with the pattern of each and the bit of its group.
struct Triggers {
    automaton: AhoCorasick,
    groups: Vec<(usize, u8)>,
}

static TRIGGERS: LazyLock<Option<Triggers>> = LazyLock::new(|| {
    let all = SOURCES.iter().enumerate().flat_map(|(number, pattern)| {
        let groups = pattern.triggers.iter().zip(0..);
        groups.flat_map(move |(group, bit)| group.iter().map(move |trigger| ((number, 1 << bit), *trigger)))
    });
    let (groups, triggers): (Vec<(usize, u8)>, Vec<&str>) = all.unzip();
    let automaton =
        AhoCorasick::builder().ascii_case_insensitive(true).kind(Some(AhoCorasickKind::DFA)).build(triggers);
    Some(Triggers { automaton: automaton.ok()?, groups })
});

/// For each pattern, whether it may occur in a text, by one quick pass over it for all of them: few texts have much of
/// what the patterns look for.
pub(crate) fn may_match(text: &str) -> [bool; SOURCES.len()] {
    let Some(Triggers { automaton, groups }) = &*TRIGGERS else { return [true; SOURCES.len()] };
    let mut found_groups = [0u8; SOURCES.len()];
    for found in automaton.find_overlapping_iter(text) {
        let group = groups.get(found.pattern().as_usize());
        if let Some((found, bit)) =
            group.and_then(|(number, bit)| Some((found_groups.get_mut(*number)?, bit)))
        {
            *found |= bit;
        }
    }
    let has_sum = has_sum(text);
    let mut may = SOURCES.map(|pattern| pattern.triggers.is_empty() && has_sum);
    for ((may, pattern), found) in may.iter_mut().zip(&SOURCES).zip(found_groups) {
        *may |= !pattern.triggers.is_empty() && found.count_ones() as usize == pattern.triggers.len();
    }
    may
}

/// True where a text has a word of twelve hexadecimal digits or more.
fn has_sum(text: &str) -> bool {
    let mut run = 0usize;
    text.bytes().any(|byte| {
        run = if byte.is_ascii_hexdigit() { run.saturating_add(1) } else { 0 };
        run >= 12
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_patterns_are_built_and_have_a_group() {
        assert!(TRIGGERS.is_some());
        let groups = (0..SOURCES.len()).map(|number| pattern(number).map(Regex::captures_len));
        assert!(groups.into_iter().all(|groups| groups == Some(2)));
    }
}
