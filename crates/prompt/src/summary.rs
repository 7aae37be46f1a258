//! Counts of a run.

use std::fmt;

use serde::Serialize;
use vulnlens_report::GeneratedStatus;

use crate::counts::Counts;
use crate::prompter::Prompted;

/// Counts of all records of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Summary {
    /// Records with an answer.
    pub records: u64,
    /// Records that the model answered.
    pub answered: u64,
    /// Records that it did not answer, or with a reply that cannot be used.
    pub failed: u64,
    /// Records that it was not asked about.
    pub not_asked: u64,
    /// Records whose first label changed; of `--rerank` alone.
    pub changed: u64,
    /// Everything that happened on the way.
    #[serde(flatten)]
    pub counts: Counts,
}

impl Summary {
    /// Adds an answer.
    pub fn add<P>(&mut self, prompted: &Prompted<P>) {
        let add = |count: &mut u64, more: u64| *count = count.saturating_add(more);
        add(&mut self.records, 1);
        match prompted.answer.generated.as_ref().map(|generated| generated.status) {
            Some(GeneratedStatus::Answered) => add(&mut self.answered, 1),
            Some(GeneratedStatus::Failed) => add(&mut self.failed, 1),
            _ => add(&mut self.not_asked, 1),
        }
        let is_changed = prompted.answer.generated.as_ref().and_then(|generated| generated.changed);
        add(&mut self.changed, u64::from(is_changed == Some(true)));
        self.counts.add(&prompted.counts);
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { records, answered, failed, not_asked, changed, counts } = self;
        write!(f, "records: {records} ({answered} answered, {failed} failed, {not_asked} not asked")?;
        if *changed > 0 {
            write!(f, ", {changed} changed")?;
        }
        let Counts { requests, retries, cache_hits, prompt_tokens, completion_tokens, .. } = counts;
        write!(f, "); requests: {requests} ({retries} retries); replies from the cache: {cache_hits}")?;
        write!(f, "; tokens: {prompt_tokens} in prompts, {completion_tokens} in replies")?;
        for (count, what) in [
            (counts.malformed_replies, "malformed replies"),
            (counts.refused_other_ids, "refused ids of other entries"),
            (counts.refused_unknown_ids, "refused ids of no entry"),
            (counts.damaged_entries, "damaged entries of the cache"),
            (counts.left_out_examples, "examples left out"),
            (counts.cut_texts, "texts cut"),
        ] {
            if count > 0 {
                write!(f, "; {what}: {count}")?;
            }
        }
        Ok(())
    }
}
