//! Files that are not texts, known by their first bytes, and what to do with them.

/// The bytes that a kind of file begins with, the kind, and what to do.
const KINDS: [(&[u8], &str); 14] = [
    (b"%PDF-", "is a PDF document; take its text out with a tool such as pdftotext"),
    (b"\x7FELF", "is a program; give text, JSON Lines, CSV or Parquet"),
    (b"\x89PNG", "is a picture; give its text"),
    (b"\xFF\xD8\xFF", "is a picture; give its text"),
    (b"GIF8", "is a picture; give its text"),
    (b"SQLite format 3\0", "is an SQLite database; export its table as CSV"),
    (b"BZh", "is packed by bzip2; unpack it, or pack it as gzip, xz or zst"),
    (b"7z\xBC\xAF\x27\x1C", "is a 7z archive; unpack it and give the folder"),
    (b"Rar!\x1A\x07", "is a RAR archive; unpack it and give the folder"),
    (b"\xD0\xCF\x11\xE0", "is a document of an old Office or an Outlook mail; save it as text or CSV"),
    (b"{\\rtf", "is RTF; save it as plain text"),
    (b"FEA1", "is Feather of the first version; write it as Arrow IPC or Parquet"),
    (b"Obj\x01", "is Avro; write it as Parquet or JSON Lines"),
    (b"ORC", "is ORC; write it as Parquet"),
];

/// The first bytes of an Arrow IPC file.
pub(crate) const ARROW_FILE: &[u8] = b"ARROW1";

/// Tests for the first bytes of an Arrow IPC file, or of a stream: the mark of a message, and a schema's length, which is
/// moderate.
pub(crate) fn is_arrow(head: &[u8]) -> bool {
    let is_length = |rest: &[u8; 4]| (8..=1 << 20).contains(&i32::from_le_bytes(*rest));
    let length = head.strip_prefix(&[0xFF; 4]).and_then(|rest| rest.first_chunk::<4>());
    head.starts_with(ARROW_FILE) || length.is_some_and(is_length)
}

/// Where the magic number of a tar archive stands.
const TAR_AT: usize = 257;
/// Bytes that are looked at.
const LOOKED_AT: usize = 4 << 10;

/// The kind of a file that begins with `head` and is not a text, and what to do with it.
pub(crate) fn kind(head: &[u8]) -> Option<&'static str> {
    // A text may begin with the letters of a magic number.
    let is_text = std::str::from_utf8(head.get(..64).unwrap_or(head)).is_ok_and(|head| !head.contains('\0'));
    let may_be_words = |magic: &[u8]| magic.len() <= 4 && magic.iter().all(u8::is_ascii_alphanumeric);
    let known = KINDS.iter().find(|(magic, _)| head.starts_with(magic) && !(is_text && may_be_words(magic)));
    if let Some((_, kind)) = known {
        return Some(kind);
    }
    if head.get(TAR_AT..).is_some_and(|rest| rest.starts_with(b"ustar")) {
        return Some("is a tar archive; unpack it and give the folder");
    }
    is_binary(head).then_some("is binary, no UTF-8 text; give text, JSON Lines, CSV or Parquet")
}

/// Tests for more than a tenth of NUL and of what is not UTF-8: a few odd bytes are those of a text, and so are single
/// ones among many ASCII letters, as Windows writes them.
fn is_binary(head: &[u8]) -> bool {
    const FEW: usize = 3;
    let head = head.get(..LOOKED_AT).unwrap_or(head);
    let nul = memchr::memchr_iter(0, head).count();
    let invalid = head.utf8_chunks().filter(|chunk| !chunk.invalid().is_empty()).count();
    let odd = nul.saturating_add(invalid);
    (head.starts_with(b"MZ") && nul > 0) || (odd > FEW && odd > head.len() / 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_named_and_texts_are_not_taken_for_them() {
        for (head, known) in [
            (b"%PDF-1.7".as_slice(), Some("PDF")),
            (b"BZh91AY\xFF\x00", Some("bzip2")),
            (b"ORCID login form", None),
            (b"a\0b\0c\0d\0e\0", Some("binary")),
            (b"Beh\xF6rde und \xC4mter", None),
            (b"plain", None),
            (b"", None),
        ] {
            assert_eq!(kind(head).is_some(), known.is_some(), "{head:?}");
            assert!(known.is_none_or(|known| kind(head).unwrap().contains(known)), "{head:?}");
        }
        let mut tar = vec![b'a'; 300];
        tar[257..262].copy_from_slice(b"ustar");
        assert!(kind(&tar).unwrap().contains("tar archive"));
    }
}
