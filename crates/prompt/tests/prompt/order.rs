//! Several requests at once, and errors between records.

use std::convert::Infallible;
use std::time::Duration;

use vulnlens::TextRecord;
use vulnlens_prompt::{RunError, run};

use crate::server::{Reply, Server};
use crate::world::{FREE, SQL, answers, asking, cwes, records};

#[test]
fn answers_come_in_the_order_of_the_input_whatever_the_number_of_threads() {
    // The first take the longest.
    let server = Server::start(|number, seen| {
        let id = if seen.messages()[0].ends_with(SQL) { "CWE-89" } else { "CWE-416" };
        Reply::labels(&[id]).after(Duration::from_millis(60_u64.saturating_sub(number as u64 * 5)))
    });
    let texts = [SQL, FREE, FREE, SQL, FREE, SQL, SQL, FREE, SQL];
    let prompter = asking(&server);
    let found: Vec<_> = [1, 4, 16].map(|threads| answers(&prompter, &texts, threads).unwrap()).into();
    let expected: Vec<_> =
        texts.iter().map(|text| if *text == SQL { ["CWE-89"] } else { ["CWE-416"] }).collect();
    for (answered, summary) in &found {
        assert_eq!(answered.iter().map(cwes).collect::<Vec<_>>(), expected);
        let ids = answered.iter().map(|prompted| prompted.answer.record.id.clone().unwrap());
        assert!(ids.is_sorted());
        assert_eq!(summary, &found[0].1);
    }
}

#[test]
fn an_error_stands_in_the_place_of_its_record_and_a_closed_output_ends_all() {
    let server = Server::start(|_, _| Reply::labels(&["CWE-89"]));
    let prompter = asking(&server);
    let mut items: Vec<Result<TextRecord, &str>> = records(&[SQL, SQL]).into_iter().map(Ok).collect();
    items.insert(1, Err("damaged"));
    let mut order = vec![];
    let write = |item: Result<vulnlens_prompt::Prompted<()>, &'static str>| {
        order.push(item.err());
        Ok::<_, Infallible>(())
    };
    assert!(run(&prompter, items.clone().into_iter(), 3, write).is_ok());
    assert_eq!(order, [None, Some("damaged"), None]);
    let endless = std::iter::repeat_with(move || items[0].clone());
    assert!(matches!(run(&prompter, endless, 3, |_| Err("closed")), Err(RunError::Write("closed"))));
}
