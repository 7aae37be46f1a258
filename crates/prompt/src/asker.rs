//! Questions and replies: from the cache or the endpoint, and a second time where a reply cannot be used.

use crate::cache::{Cache, Cached, key};
use crate::candidates::Candidates;
use crate::client::{AskError, Client, Completion, Sent};
use crate::counts::Counts;
use crate::error::PromptError;
use crate::pending::Pending;
use crate::reply::{self, Stated};
use crate::request::{Message, RequestSettings};

/// The longest part of a malformed reply that the model is shown again, in characters.
const LONGEST_ECHO: usize = 2_000;

/// The way to replies: an endpoint, a cache, or both.
#[derive(Debug, Default)]
pub struct Way {
    /// The endpoint; `None` where the cache alone answers.
    pub client: Option<Client>,
    /// The cache.
    pub cache: Option<Cache>,
}

/// Asks questions.
pub(crate) struct Asker {
    pub(crate) request: RequestSettings,
    pub(crate) way: Way,
    pub(crate) pending: Pending,
}

/// The reason why a question has no usable reply.
#[derive(Debug)]
pub(crate) enum NoReply {
    /// The run ends.
    Fatal(PromptError),
    /// The endpoint gave none, in words.
    Silent(String),
    /// It cannot be used, in words.
    Malformed(String),
}

impl NoReply {
    /// The reason in words.
    pub(crate) fn reason(self) -> String {
        match self {
            Self::Fatal(error) => error.to_string(),
            Self::Silent(reason) | Self::Malformed(reason) => reason,
        }
    }
}

impl From<PromptError> for NoReply {
    fn from(error: PromptError) -> Self {
        Self::Fatal(error)
    }
}

impl Asker {
    /// The labels that the model states, asked a second time with a hint where its reply cannot be used.
    pub(crate) fn ask(
        &self,
        prompt: &str,
        candidates: &Candidates,
        counts: &mut Counts,
    ) -> Result<Vec<Stated>, NoReply> {
        let question = Message { role: "user", content: prompt };
        let (reply, problem) = match self.once(std::slice::from_ref(&question), candidates, counts)? {
            (_, Ok(stated)) => return Ok(stated),
            (reply, Err(problem)) => (reply, problem),
        };
        let echo: String = reply.content.chars().take(LONGEST_ECHO).collect();
        let hint = hint(&problem, self.request.max_labels);
        let messages = [
            question,
            Message { role: "assistant", content: &echo },
            Message { role: "user", content: &hint },
        ];
        let (_, stated) = self.once(&messages, candidates, counts)?;
        stated.map_err(NoReply::Malformed)
    }

    /// A completion, and the labels that it states.
    fn once(
        &self,
        messages: &[Message<'_>],
        candidates: &Candidates,
        counts: &mut Counts,
    ) -> Result<(Completion, Result<Vec<Stated>, String>), NoReply> {
        let body = self.request.body(messages, candidates);
        let completion = self.completion(&body, counts)?;
        let stated = reply::read(&completion, self.request.max_labels);
        counts.malformed_replies = counts.malformed_replies.saturating_add(u64::from(stated.is_err()));
        Ok((completion, stated))
    }

    /// The completion of a request, which is kept as soon as it is there.
    fn completion(&self, body: &[u8], counts: &mut Counts) -> Result<Completion, NoReply> {
        let key = key(&self.request.model, body);
        let _under_way = self.way.cache.as_ref().map(|_| self.pending.begin(&key));
        match self.way.cache.as_ref().map(|cache| cache.find(&key)) {
            Some(Cached::Found(completion)) => {
                counts.cache_hits = counts.cache_hits.saturating_add(1);
                return Ok(completion);
            }
            Some(Cached::Damaged) => counts.damaged_entries = counts.damaged_entries.saturating_add(1),
            Some(Cached::Missing) | None => {}
        }
        let Some(client) = &self.way.client else {
            let reason = "the cache has no reply, and --offline asks nobody".to_owned();
            return Err(NoReply::Malformed(reason));
        };
        let mut sent = Sent::default();
        let asked = client.ask(body, &mut sent);
        counts.requests = counts.requests.saturating_add(sent.requests);
        counts.retries = counts.retries.saturating_add(sent.retries);
        let completion = asked.map_err(|error| match error {
            AskError::Fatal(error) => NoReply::Fatal(error),
            AskError::Record(reason) => NoReply::Silent(reason),
        })?;
        let tokens = |of: Option<u64>| of.unwrap_or_default();
        counts.prompt_tokens = counts.prompt_tokens.saturating_add(tokens(completion.prompt_tokens));
        counts.completion_tokens =
            counts.completion_tokens.saturating_add(tokens(completion.completion_tokens));
        if let Some(cache) = &self.way.cache {
            cache.keep(&key, &completion).map_err(PromptError::from)?;
        }
        Ok(completion)
    }
}

/// The words that a model is asked with a second time.
fn hint(problem: &str, max_labels: usize) -> String {
    format!(
        "This cannot be used: {problem}. Answer again with one JSON object and nothing else, in this form: \
         {{\"labels\": [{{\"id\": \"the id of an entry\"}}]}}. It has at most {max_labels} labels, with ids as they stand in \
         the list."
    )
}
