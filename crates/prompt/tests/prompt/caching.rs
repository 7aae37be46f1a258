//! Replies that are kept: a run again asks nobody.

use vulnlens_prompt::{Parts, PromptError, Prompter, Way};

use crate::server::{Reply, Server};
use crate::world::{FREE, SQL, answers, cache, client, cwes, prompter, settings};

/// The files of the cache in a folder.
fn entries(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let shards = folder.read_dir().unwrap().map(|shard| shard.unwrap().path());
    shards
        .flat_map(|shard| shard.read_dir().unwrap().map(|entry| entry.unwrap().path()).collect::<Vec<_>>())
        .collect()
}

#[test]
fn what_was_answered_is_not_asked_again() {
    let folder = tempfile::tempdir().unwrap();
    // The endpoint breaks down behind the second reply.
    let server = Server::start(|number, _| match number {
        0 => Reply::labels(&["CWE-89"]),
        1 => Reply::content("no idea"),
        _ => Reply::status(401),
    });
    let way = || Way { client: Some(client(&server, None)), cache: cache(folder.path()) };
    assert!(answers(&prompter(settings(), way()), &[SQL, FREE], 1).is_err());
    assert_eq!(entries(folder.path()).len(), 2);
    // The rest is asked for when it is there again, and a malformed reply is one, too.
    let again = Server::start(|_, _| Reply::labels(&["CWE-416"]));
    let way = Way { client: Some(client(&again, None)), cache: cache(folder.path()) };
    let (answered, summary) = answers(&prompter(settings(), way), &[SQL, FREE], 1).unwrap();
    assert_eq!(answered.iter().map(cwes).collect::<Vec<_>>(), [["CWE-89"], ["CWE-416"]]);
    assert_eq!((summary.counts.cache_hits, summary.counts.requests, again.seen().len()), (2, 1, 1));
    assert_eq!(again.seen()[0].messages().len(), 3);
    // Offline, the cache alone answers.
    let offline = || Way { client: None, cache: cache(folder.path()) };
    let (answered, summary) =
        answers(&prompter(settings(), offline()), &[SQL, FREE, "XSS in a.php"], 1).unwrap();
    assert_eq!(answered[..2].iter().map(cwes).collect::<Vec<_>>(), [["CWE-89"], ["CWE-416"]]);
    assert_eq!((summary.counts.cache_hits, summary.counts.requests, summary.failed), (3, 0, 1));
    assert!(answered[2].failure().unwrap().contains("--offline"));
    // Another setting is another question.
    let mut other = settings();
    other.seed = 2;
    assert_eq!(answers(&prompter(other, offline()), &[SQL], 1).unwrap().1.failed, 1);
}

#[test]
fn equal_texts_are_asked_about_once_whatever_the_number_of_threads() {
    for threads in [1, 8] {
        let folder = tempfile::tempdir().unwrap();
        let server = Server::start(|number, _| {
            let reply = if number == 0 { Reply::labels(&["CWE-89"]) } else { Reply::labels(&["CWE-564"]) };
            reply.after(std::time::Duration::from_millis(30))
        });
        let way = Way { client: Some(client(&server, None)), cache: cache(folder.path()) };
        let (answered, summary) = answers(&prompter(settings(), way), &[SQL; 8], threads).unwrap();
        assert!(answered.iter().all(|prompted| cwes(prompted) == ["CWE-89"]), "{threads} threads");
        assert_eq!((summary.counts.requests, summary.counts.cache_hits), (1, 7), "{threads} threads");
    }
}

#[test]
fn a_damaged_entry_is_counted_and_asked_for_anew() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(|_, _| Reply::labels(&["CWE-89"]));
    let way = || Way { client: Some(client(&server, None)), cache: cache(folder.path()) };
    answers(&prompter(settings(), way()), &[SQL], 1).unwrap();
    let entry = entries(folder.path()).pop().unwrap();
    let whole = std::fs::read_to_string(&entry).unwrap();
    for damage in [whole.replace("CWE-89", "CWE-79"), whole[..40].to_owned(), String::new()] {
        std::fs::write(&entry, damage).unwrap();
        let (answered, summary) = answers(&prompter(settings(), way()), &[SQL], 1).unwrap();
        assert_eq!(cwes(&answered[0]), ["CWE-89"]);
        let counts = summary.counts;
        assert_eq!((counts.damaged_entries, counts.cache_hits, counts.requests), (1, 0, 1));
        assert_eq!(std::fs::read_to_string(&entry).unwrap(), whole, "it is whole again");
    }
}

#[test]
fn without_an_endpoint_there_has_to_be_a_cache() {
    let made = Prompter::new(&vulnlens::embedded(), settings(), Parts::default(), Way::default());
    assert!(matches!(made, Err(PromptError::Setting { setting: "--offline", .. })));
}
