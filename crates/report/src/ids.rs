//! Ids and whole numbers written into a buffer of bytes, without a string for each.

use vulnlens_model::Via;
use vulnlens_taxonomy::{CapecId, CweId};

/// Appends a number in decimal.
pub(crate) fn push_number(out: &mut Vec<u8>, mut number: u64) {
    // The greatest has 20 digits.
    let mut digits = [b'0'; 20];
    let mut used: usize = 0;
    for digit in digits.iter_mut().rev() {
        *digit = b'0'.wrapping_add((number % 10) as u8);
        number /= 10;
        used = used.saturating_add(1);
        if number == 0 {
            break;
        }
    }
    out.extend_from_slice(digits.get(digits.len().saturating_sub(used)..).unwrap_or_default());
}

/// Appends `CWE-79`.
pub(crate) fn push_cwe(out: &mut Vec<u8>, id: CweId) {
    out.extend_from_slice(b"CWE-");
    push_number(out, u64::from(id.0));
}

/// Appends the [entries](Via::entries) of a way with `between` between them.
pub(crate) fn push_entries(out: &mut Vec<u8>, via: Via, between: &[u8]) {
    push_cwe(out, via.weakness);
    if via.ancestor != via.weakness {
        out.extend_from_slice(between);
        push_cwe(out, via.ancestor);
    }
    if let Some(CapecId(number)) = via.pattern {
        out.extend_from_slice(between);
        out.extend_from_slice(b"CAPEC-");
        push_number(out, u64::from(number));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(push: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        push(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn numbers_are_written_as_they_are_displayed() {
        for number in [0, 7, 10, 89, 1390, 4_294_967_295, u64::MAX] {
            assert_eq!(text(|out| push_number(out, number)), number.to_string());
        }
        assert_eq!(text(|out| push_cwe(out, CweId(89))), CweId(89).to_string());
    }

    #[test]
    fn a_way_is_written_as_its_entries() {
        for (ancestor, pattern) in [(89, None), (943, None), (89, Some(66)), (943, Some(66))] {
            let (weakness, ancestor) = (CweId(89), CweId(ancestor));
            let via = Via { weakness, ancestor, pattern: pattern.map(CapecId), distance: 0 };
            let want = via.entries().collect::<Vec<_>>().join(" > ");
            assert_eq!(text(|out| push_entries(out, via, b" > ")), want);
        }
    }
}
