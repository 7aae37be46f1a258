//! The kind of a file by its first bytes: the form to read it in, and what to call one of another kind.

use std::io::BufRead;

/// The bytes that are looked at.
const HEAD: usize = 4096;

/// The form of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// It begins as XML or HTML does.
    Xml,
    /// It begins as JSON does.
    Json,
    /// Neither.
    Other,
}

/// The form of the content and a name for its kind, without consuming anything of it.
pub(crate) fn sniff(reader: &mut impl BufRead) -> std::io::Result<(Form, &'static str)> {
    let head = reader.fill_buf()?;
    let head = head.get(..HEAD).unwrap_or(head);
    Ok((form_of(head), kind_of(head)))
}

fn form_of(head: &[u8]) -> Form {
    let text = head.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(head).trim_ascii_start();
    match text.first() {
        Some(b'<') => Form::Xml,
        Some(b'{' | b'[') => Form::Json,
        _ => Form::Other,
    }
}

fn kind_of(head: &[u8]) -> &'static str {
    let text = String::from_utf8_lossy(head).to_ascii_lowercase();
    let has = |word: &str| text.contains(word);
    match form_of(head) {
        Form::Xml if has("<weakness_catalog") => "CWE's catalogue in XML",
        Form::Xml if has("<attack_pattern_catalog") => "CAPEC's catalogue in XML",
        Form::Xml if has("<html") || has("<!doctype html") => "a web page",
        Form::Xml => "XML of another kind",
        // ATT&CK's objects name those of CAPEC, but not the other way round.
        Form::Json if has("\"bundle\"") && (has("mitre-attack") || has("x_mitre") || has("x-mitre")) => {
            "a bundle of ATT&CK in STIX"
        }
        Form::Json if has("\"bundle\"") && has("capec") => "CAPEC's bundle in STIX",
        Form::Json if has("\"bundle\"") => "a STIX bundle",
        Form::Json => "JSON of another kind",
        Form::Other if text.trim().is_empty() => "empty",
        Form::Other => "neither XML nor JSON",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_called_by_their_kind() {
        for (head, form, kind) in [
            ("\u{FEFF} <?xml?><Weakness_Catalog>", Form::Xml, "CWE's catalogue in XML"),
            ("<!DOCTYPE html><html>", Form::Xml, "a web page"),
            ("{\"type\": \"bundle\", \"x_capec_version\": 1", Form::Json, "CAPEC's bundle in STIX"),
            ("{\"type\":\"bundle\",\"x_mitre_version\":\"capec\"", Form::Json, "a bundle of ATT&CK in STIX"),
            ("[]", Form::Json, "JSON of another kind"),
            (" ", Form::Other, "empty"),
            ("VLENS-KB", Form::Other, "neither XML nor JSON"),
        ] {
            let mut reader = head.as_bytes();
            assert_eq!(sniff(&mut reader).unwrap(), (form, kind), "{head}");
            assert_eq!(reader.len(), head.len(), "nothing is consumed");
        }
    }
}
