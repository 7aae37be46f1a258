//! Notices of withdrawal, which stand in the place of a description.

/// Tests for the notice that the feeds put in the place of a withdrawn or reserved record's text.
#[must_use]
pub fn is_withdrawal_notice(text: &str) -> bool {
    const NOTICES: [&str; 9] = [
        "reject",
        "rejected",
        "rejected reason",
        "reserved",
        "this candidate has been reserved",
        "this cve id has been rejected",
        "this cve id was rejected",
        "this cve has been rejected",
        "this candidate was withdrawn",
    ];
    let text = text.trim_start();
    let starred = text.starts_with("**");
    let text = text.trim_start_matches(['*', ' ']);
    NOTICES.iter().any(|notice| {
        let Some(head) = text.get(..notice.len()).filter(|head| head.eq_ignore_ascii_case(notice)) else {
            return false;
        };
        let rest = text.get(head.len()..).unwrap_or_default().trim_start();
        // A single word begins many a description; stars or a colon make it the notice.
        match notice.contains(' ') {
            true => *notice != "rejected reason" || rest.starts_with(':'),
            false => starred && rest.starts_with("**"),
        }
    })
}
