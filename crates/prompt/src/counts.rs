//! Counts of what happened on the way to answers.

use serde::Serialize;

/// Counts of what happened on the way to answers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Counts {
    /// Requests that were sent.
    pub requests: u64,
    /// Requests that were sent again after a failure.
    pub retries: u64,
    /// Replies that came from the cache.
    pub cache_hits: u64,
    /// Entries of the cache that are damaged, and were asked for anew.
    pub damaged_entries: u64,
    /// Tokens of the prompts that were sent, as the endpoint counts them.
    pub prompt_tokens: u64,
    /// Tokens of the replies that came over the network.
    pub completion_tokens: u64,
    /// Replies that could not be used.
    pub malformed_replies: u64,
    /// Ids of replies that no entry of the task's catalogue has.
    pub refused_unknown_ids: u64,
    /// Ids of replies that entries have which are not candidates.
    pub refused_other_ids: u64,
    /// Examples that the longest prompt had no room for.
    pub left_out_examples: u64,
    /// Texts that the longest prompt had no room for as a whole.
    pub cut_texts: u64,
}

impl Counts {
    /// Adds other counts.
    pub(crate) fn add(&mut self, other: &Self) {
        for (count, more) in [
            (&mut self.requests, other.requests),
            (&mut self.retries, other.retries),
            (&mut self.cache_hits, other.cache_hits),
            (&mut self.damaged_entries, other.damaged_entries),
            (&mut self.prompt_tokens, other.prompt_tokens),
            (&mut self.completion_tokens, other.completion_tokens),
            (&mut self.malformed_replies, other.malformed_replies),
            (&mut self.refused_unknown_ids, other.refused_unknown_ids),
            (&mut self.refused_other_ids, other.refused_other_ids),
            (&mut self.left_out_examples, other.left_out_examples),
            (&mut self.cut_texts, other.cut_texts),
        ] {
            *count = count.saturating_add(more);
        }
    }
}
