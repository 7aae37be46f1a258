//! Reviews: each verdict on the embedded knowledge base, the order in which they are tried, and the outputs.

use serde_json::Value;
use vulnlens_model::{Family, LabelMode, LabelSource, Labels, Prediction, Said, ScoredLabel};
use vulnlens_report::{Answer, MappedCwe, Objection, RecordKey, Review, ReviewFormat, ReviewReport, Verdict};
use vulnlens_taxonomy::CweId;

use crate::sample;

/// An answer that lists weaknesses, of which the model asserts the first so many.
fn answer(listed: &[u32], asserted: usize, said: Said) -> Answer {
    let label = |(place, id): (usize, &u32)| {
        ScoredLabel::new(CweId(*id), 0.9 - place as f32 / 10.0, place < asserted)
    };
    let mut prediction = Prediction::default();
    prediction.cwe = Some(Labels::new(listed.iter().enumerate().map(label).collect(), 0.05));
    prediction.said = Some(said);
    Answer::new(RecordKey::of_id("CVE-2024-1"), prediction)
}

/// The review of ids, each assigned by somebody.
fn review_by(mapped: &[(u32, &str)], answer: Answer) -> Review {
    let mapped = mapped.iter().map(|(id, by)| MappedCwe::new(CweId(*id), *by)).collect();
    Review::of(answer, mapped, &sample::knowledge_base()).unwrap()
}

fn review(mapped: &[u32], listed: &[u32], asserted: usize) -> Review {
    let mapped: Vec<_> = mapped.iter().map(|id| (*id, "nvd")).collect();
    review_by(&mapped, answer(listed, asserted, Said::Weaknesses))
}

#[test]
fn each_verdict_has_its_case_and_the_first_that_applies_is_given() {
    use Verdict::{Agree, Differs, Discouraged, LessSpecific, MoreSpecific, Sibling, Unsure};
    for (mapped, listed, asserted, verdict, reason) in [
        (&[79][..], &[79][..], 1, Agree, "CWE-79 is mapped and suggested."),
        (&[89], &[79, 89], 2, Agree, "CWE-89"),
        // The best suggestion agrees, be it asserted or not; a later one only if it is.
        (&[79], &[79, 89], 0, Agree, "CWE-79"),
        (&[89], &[79, 89], 1, Differs, "The text tells CWE-79."),
        (&[89], &[79], 0, Unsure, "The model asserts no weakness."),
        (&[89], &[], 0, Unsure, "asserts no weakness"),
        (&[77], &[78], 1, MoreSpecific, "CWE-78 is below the mapped CWE-77."),
        (&[78], &[77], 1, LessSpecific, "CWE-77 is above the mapped CWE-78."),
        // 787 and 125 share the parent 119, 22 and 59 the class 706.
        (&[125], &[787], 1, Sibling, "CWE-787 and the mapped CWE-125 are both below CWE-119."),
        (&[79], &[416], 1, Differs, "The text tells CWE-416."),
        // One of several is enough, and closer ones come first.
        (&[416, 77], &[787, 78], 2, MoreSpecific, "CWE-78 is below"),
        (&[20], &[79], 1, Discouraged, "CWE-20 (discouraged): CWE-20 is commonly misused"),
        (&[264], &[79], 1, Discouraged, "CWE-264 (category): This entry is a Category."),
        (&[1000], &[79], 1, Discouraged, "CWE-1000 (view): "),
        (&[999_999], &[79], 1, Discouraged, "CWE-999999 (unknown): The knowledge base does not know the id."),
        (&[79, 20], &[79], 1, Discouraged, "CWE-20 (discouraged)"),
        (&[20], &[], 0, Discouraged, "CWE-20"),
    ] {
        let review = review(mapped, listed, asserted);
        assert_eq!(review.verdict, verdict, "{mapped:?} {listed:?}: {}", review.rationale);
        assert!(review.rationale.contains(reason), "{}", review.rationale);
    }
}

#[test]
fn weaknesses_of_one_class_are_siblings_without_a_common_parent() {
    let kb = sample::knowledge_base();
    // Of the same class by a parent between, in the catalogue as it is.
    let (one, other) = (CweId(121), CweId(125));
    assert!(kb.parents(one).iter().all(|parent| !kb.parents(other).contains(parent)));
    assert!(kb.classes_of(one).iter().any(|class| kb.classes_of(other).contains(class)));
    let review = review(&[125], &[121], 1);
    assert_eq!(review.verdict, Verdict::Sibling, "{}", review.rationale);
    assert!(kb.classes_of(CweId(664)).is_empty() && kb.classes_of(CweId(999_999)).is_empty());
}

#[test]
fn a_withdrawn_weakness_is_objected_to_and_a_withdrawn_category_is_still_one() {
    let kb = sample::knowledge_base();
    let withdrawn = |id: CweId| kb.standing_of_cwe(id) == vulnlens_taxonomy::Standing::Deprecated;
    let weakness = kb.weaknesses().map(|weakness| weakness.id).find(|id| withdrawn(*id)).unwrap();
    let category = kb.groupings().map(|grouping| grouping.id).find(|id| withdrawn(*id)).unwrap();
    assert_eq!(Objection::to(weakness, &kb), Some(Objection::Deprecated), "{weakness}");
    assert_eq!(Objection::to(category, &kb), Some(Objection::Category), "{category}");
    assert_eq!(Objection::to(CweId(79), &kb), None);
}

#[test]
fn a_text_that_does_not_tell_leaves_the_mapping_alone() {
    for (said, verdict) in [
        (Said::NotTold, Verdict::Unsure),
        (Said::NotAVulnerability, Verdict::Unsure),
        (Said::Unsure, Verdict::Agree),
        (Said::Family, Verdict::Agree),
    ] {
        let review = review_by(&[(79, "nvd")], answer(&[79], 0, said));
        assert_eq!(review.verdict, verdict, "{said:?}");
        if verdict == Verdict::Unsure {
            assert_eq!(review.rationale, said.sentence());
        }
    }
}

#[test]
fn each_assigner_has_a_verdict_of_its_own() {
    let review = review_by(&[(20, "cna:x"), (79, "adp"), (80, "adp")], answer(&[79], 1, Said::Weaknesses));
    assert_eq!(review.verdict, Verdict::Discouraged);
    let own: Vec<_> = review.by_assigner.iter().map(|(by, verdict)| (by.as_ref(), *verdict)).collect();
    assert_eq!(own, [("cna:x", Verdict::Discouraged), ("adp", Verdict::Agree)]);
    assert!(review.suggestions.iter().any(|better| better.cwe == "CWE-1284"), "{:?}", review.suggestions);
    assert!(Review::of(answer(&[79], 1, Said::Weaknesses), vec![], &sample::knowledge_base()).is_none());
}

fn report(format: ReviewFormat, reviews: &[Review]) -> String {
    let setup = sample::setup(LabelSource::Spaces(LabelMode::Recommended));
    let (mut report, mut out) = (ReviewReport::new(format, setup), vec![]);
    reviews.iter().for_each(|review| report.add(review, &mut out).unwrap());
    report.add_unmapped();
    out.extend_from_slice(report.finish().as_bytes());
    String::from_utf8(out).unwrap()
}

#[test]
fn the_formats_hold_verdicts_reasons_and_counts() {
    let mut family = review_by(&[(89, "cna:a|b<i>")], answer(&[], 0, Said::Family));
    family.family = Some({
        let of: Family = sample::family().family.unwrap();
        of
    });
    let reviews = [
        review(&[79], &[79], 1),
        review(&[79], &[416], 1),
        review_by(&[(20, "cna:a|b<i>")], answer(&[79], 1, Said::Weaknesses)),
        family,
    ];
    let table = report(ReviewFormat::Table, &reviews);
    for words in ["CVE-2024-1  differs", "(cna:a|b<i>, discouraged)", "rather", "unmapped", "agree"] {
        assert!(table.contains(words), "{table}\nlacks {words}");
    }
    assert_eq!(table.matches("CVE-2024-1").count(), 2, "agreeing and unsure ones are only counted");
    let markdown = report(ReviewFormat::Markdown, &reviews);
    for words in ["| cna:a\\|b&lt;i&gt; | 2 |", "| differs | 1 | 25.0 % |", "4 reviewed", "1 unmapped"] {
        assert!(markdown.contains(words), "{markdown}\nlacks {words}");
    }
    let lines: Vec<Value> = report(ReviewFormat::JsonLines, &reviews)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 4);
    assert_eq!(lines[1]["verdict"], "differs");
    assert_eq!(lines[1]["suggested"][0]["cwe"], "CWE-416");
    assert_eq!(lines[2]["mapped"][0]["objection"], "discouraged");
    assert_eq!(lines[2]["suggestions"][0]["cwe"], "CWE-1284");
    assert_eq!(lines[3]["family"]["cwe"], "CWE-285");
    assert!(report(ReviewFormat::Markdown, &[]).contains("No disagreements."));
}

#[test]
fn names_of_files_ask_for_formats() {
    for (name, format) in [
        ("a.md", Some(ReviewFormat::Markdown)),
        ("a.JSONL.gz", Some(ReviewFormat::JsonLines)),
        ("a.txt", Some(ReviewFormat::Table)),
        ("a", None),
        ("a.parquet", None),
    ] {
        assert_eq!(ReviewFormat::of_file(name.as_ref()), format, "{name}");
    }
}
