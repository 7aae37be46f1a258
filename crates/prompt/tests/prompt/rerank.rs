//! The classifier's answers, put in another order where they are unsure.

use vulnlens::report::GeneratedStatus;
use vulnlens::{Input, Options, Task};
use vulnlens_prompt::Way;

use crate::server::{Reply, Server};
use crate::world::{SQL, answers, client, cwes, prompter, settings};

#[test]
fn only_what_the_classifier_is_unsure_of_is_asked() {
    let unsure = "Improper handling of input in a web application may disclose data.";
    let options = Options::default().tasks(Task::Cwe);
    let classifier = vulnlens::embedded();
    let own = |text| classifier.predict(Input::text(text), &options);
    let every = options.top_k(1).threshold(0.0);
    let best = |text| classifier.predict(Input::text(text), &every).cwe.unwrap().labels[0].score;
    let between = f32::midpoint(best(SQL), best(unsure));
    assert!(best(SQL) > best(unsure));
    let server = Server::start(|_, seen| Reply::labels(&seen.ids()[1..2]));
    let mut settings = settings();
    settings.unsure_below = Some(between);
    let way = Way { client: Some(client(&server, None)), cache: None };
    let prompter = prompter(settings, way);
    let (answered, summary) = answers(&prompter, &[SQL, unsure], 1).unwrap();
    assert_eq!((summary.not_asked, summary.answered, summary.changed), (1, 1, 1));
    assert_eq!(answered[0].answer.prediction, own(SQL));
    let seen = server.seen();
    assert_eq!((seen.len(), cwes(&answered[1])[0].as_str()), (1, seen[0].ids()[1]));
    let generated = answered[1].answer.generated.as_ref().unwrap();
    assert_eq!((generated.status, generated.changed), (GeneratedStatus::Answered, Some(true)));
    assert_eq!(prompter.run().model, "fast+tiny");
    // A failure leaves the classifier's answer as it is.
    let server = Server::start(|_, _| Reply::content("no idea"));
    let mut settings = crate::world::settings();
    settings.unsure_below = Some(between);
    let way = Way { client: Some(client(&server, None)), cache: None };
    let (answered, summary) = answers(&crate::world::prompter(settings, way), &[unsure], 1).unwrap();
    assert_eq!((summary.failed, summary.changed), (1, 0));
    assert_eq!(answered[0].answer.prediction, own(unsure));
}
