//! XML files that records do not stand in, known by their root, and what to give instead.

/// Roots of XML files, the kind of file, and what to give instead.
const ROOTS: [(&str, &str); 12] = [
    ("analysis", "a report of dependency-check in XML; write it as JSON, SARIF or CSV"),
    ("weakness_catalog", "CWE's catalogue; `vulnlens kb build --cwe` reads it"),
    ("attack_pattern_catalog", "CAPEC's catalogue; `vulnlens kb build --capec` reads it"),
    ("nessusclientdata_v2", "a report of Nessus; export it as CSV"),
    ("report", "a report in XML, as OpenVAS writes it; export it as CSV"),
    ("get_reports_response", "a report of OpenVAS; export it as CSV"),
    ("cvrfdoc", "a CVRF advisory; give its successor in CSAF"),
    ("bom", "CycloneDX in XML; write it as JSON"),
    ("nmaprun", "a report of nmap, which has no descriptions"),
    ("oval_definitions", "OVAL definitions; give the advisories in CSAF or OSV"),
    ("nvd", "NVD's old feed in XML; give the feed in JSON"),
    ("rss", "a feed of news; give the advisories that it links"),
];

/// The kind of XML that a text is, with what to do; none for a text that is not XML, and for XHTML.
pub(super) fn kind(text: &str) -> Option<String> {
    let root = root(text)?;
    let local = root.rsplit(':').next().unwrap_or(root).to_ascii_lowercase();
    if local == "html" {
        return None;
    }
    let known = ROOTS.iter().find(|(root, _)| *root == local).map(|(_, kind)| *kind);
    let other = || format!("XML with the root {root:?}; give text, JSON, CSV or Parquet");
    Some(format!("is {}", known.map_or_else(other, str::to_owned)))
}

/// The name of the root of XML that begins with its declaration.
fn root(text: &str) -> Option<&str> {
    let text = text.trim_start_matches('\u{feff}').trim_start();
    let Some(declared) = text.strip_prefix("<?xml") else {
        // Without a declaration a text may begin with a tag that it is about.
        let name = text.strip_prefix('<')?;
        let name = name.get(..name.find(|c: char| c.is_whitespace() || c == '>' || c == '/')?)?;
        let is_known = ROOTS.iter().any(|(root, _)| root.eq_ignore_ascii_case(name));
        let is_closed = text.trim_end().strip_suffix('>')?.ends_with(&format!("</{name}"));
        return Some(name).filter(|_| is_known && text.contains("</") || is_closed);
    };
    let mut rest = declared.split_once("?>")?.1;
    loop {
        rest = rest.trim_start().strip_prefix('<')?;
        let (end, is_element) = match rest.as_bytes().first()? {
            b'!' if rest.starts_with("!--") => ("-->", false),
            b'!' => (">", false),
            b'?' => ("?>", false),
            _ => (">", true),
        };
        if is_element {
            let end = rest.find(|c: char| c.is_whitespace() || c == '>' || c == '/').unwrap_or(rest.len());
            return rest.get(..end);
        }
        rest = rest.split_once(end)?.1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn xml_is_told_by_its_root() {
        for (text, want) in [
            (
                "<?xml version=\"1.0\"?><!-- x --><analysis xmlns=\"a\"><b/></analysis>",
                Some("dependency-check"),
            ),
            ("<?xml version=\"1.0\"?>\n<!DOCTYPE x>\n<cvrf:cvrfdoc>", Some("CVRF")),
            ("<?xml version=\"1.0\"?><other a=\"1\"/>", Some("\"other\"")),
            ("<?xml version=\"1.0\"?><html>", None),
            ("<html>", None),
            ("<report>\n<a>x</a>\n", Some("report in XML")),
            ("<scan><a>x</a></scan>\n", Some("\"scan\"")),
            ("<script> tags in the field q allow XSS", None),
            ("<report> is not escaped", None),
            ("plain", None),
            ("<?xml", None),
        ] {
            let kind = kind(text);
            assert_eq!(kind.is_some(), want.is_some(), "{text}");
            assert!(want.is_none_or(|want| kind.unwrap().contains(want)), "{text}");
        }
    }
}
