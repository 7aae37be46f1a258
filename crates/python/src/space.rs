//! A label space: the probability of each of its labels, for any number of texts.

use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyString};
use vulnlens::report::{Answer, RecordKey};
use vulnlens::{Input, Labels, Options, ScoredLabel, Task, TopK};

use crate::answering::Asked;
use crate::parallel::mapped;
use crate::question::failed;
use crate::texts::Text;

/// Texts that a thread answers at once.
const AT_ONCE: usize = 64;
/// A text that is answered in every label space.
const EXAMPLE: &str = "SQL injection in login.php allows remote attackers to execute arbitrary commands.";

/// The labels of one task, with their probabilities for texts.
#[pyclass(frozen, module = "vulnlens._native")]
pub(crate) struct Space {
    asked: Asked,
    task: Task,
    labels: Vec<String>,
    /// The place of each label, by the label.
    sorted: Vec<(String, usize)>,
}

/// A row of probabilities: those of the labels, and that none of them applies.
type Row = (Vec<f32>, f32);

impl Space {
    /// The options under which an answer lists each label of a task.
    pub(crate) fn options(options: Options, task: Task) -> Options {
        options.tasks(task).top_k(TopK::All).threshold(0.0)
    }

    /// The space of a task.
    pub(crate) fn new(asked: Asked, task: Task) -> PyResult<Self> {
        let answer = asked
            .at_work(|| asked.answers(&[Input::text(EXAMPLE)], [RecordKey::default()]))
            .map_err(failed)?;
        let mut labels = Vec::new();
        for answer in &answer {
            each_label(answer, task, &mut |label, _| labels.push(label));
        }
        labels.sort_by_cached_key(|label| order(label));
        let mut sorted: Vec<_> = labels.iter().cloned().zip(0..).collect();
        sorted.sort();
        Ok(Self { asked, task, labels, sorted })
    }

    fn row(&self, answer: &Answer) -> Row {
        let mut row = vec![0.0; self.labels.len()];
        let none = each_label(answer, self.task, &mut |label, score| {
            let found = self.sorted.binary_search_by(|(known, _)| known.cmp(&label)).ok();
            let place = found.and_then(|found| self.sorted.get(found)).map(|(_, place)| *place);
            if let Some(cell) = place.and_then(|place| row.get_mut(place)) {
                *cell = score;
            }
        });
        (row, none)
    }
}

/// The number by which labels of a kind stand in order: CWE-79 before CWE-89 before CWE-119.
fn order(label: &str) -> (u32, String) {
    let digits: String = label.chars().filter(char::is_ascii_digit).collect();
    // T1027.003 stands behind T1027, and before T1028.
    let whole = label.split('.').next().unwrap_or_default();
    let number = whole.chars().filter(char::is_ascii_digit).collect::<String>();
    (number.parse().unwrap_or(0), digits)
}

/// Gives each label of a task with its probability to `put`; returns the probability that none applies.
fn each_label(answer: &Answer, task: Task, put: &mut dyn FnMut(String, f32)) -> f32 {
    fn each<L: std::fmt::Display>(labels: Option<&Labels<L>>, put: &mut dyn FnMut(String, f32)) -> f32 {
        let Some(labels) = labels else { return 1.0 };
        labels.labels.iter().for_each(|scored: &ScoredLabel<L>| put(scored.label.to_string(), scored.score));
        labels.none
    }
    let prediction = &answer.prediction;
    match task {
        Task::Cwe => each(prediction.cwe.as_ref(), put),
        Task::Capec => each(prediction.capec.as_ref(), put),
        Task::Attack => each(prediction.attack.as_ref(), put),
        _ => each(prediction.attack_curated.as_ref(), put),
    }
}

#[pymethods]
impl Space {
    /// The labels, in the order of the columns.
    #[getter]
    fn labels(&self) -> Vec<String> {
        self.labels.clone()
    }

    /// The probabilities of the labels, row by row, and those that none applies; each as bytes of float32.
    #[pyo3(signature = (texts, years=None))]
    fn probabilities<'py>(
        &self,
        py: Python<'py>,
        texts: Vec<Bound<'py, PyString>>,
        years: Option<Vec<Option<u16>>>,
    ) -> PyResult<(Bound<'py, PyByteArray>, Bound<'py, PyByteArray>)> {
        let mut years = years.into_iter().flatten();
        let texts: Vec<Text<'_>> =
            texts.iter().map(|text| Text::of(text).year(years.next().flatten())).collect();
        let rows = |part: &[Text<'_>]| {
            let inputs: Vec<Input<'_>> =
                part.iter().map(|text| Input::text(&text.text).year(text.year)).collect();
            let answers = self.asked.answers(&inputs, part.iter().map(|text| text.key.clone()));
            answers.iter().map(|answer| self.row(answer)).collect::<Vec<Row>>()
        };
        let work = |part: &[Text<'_>]| self.asked.at_work(|| rows(part));
        let parts = py.detach(|| mapped(&texts, AT_ONCE, self.asked.threads(), work))?;
        let parts: Vec<Vec<Row>> = parts.into_iter().collect::<Result<_, String>>().map_err(failed)?;
        let rows = || parts.iter().flatten();
        let scores = bytes(py, texts.len() * self.labels.len(), rows().flat_map(|(row, _)| row))?;
        Ok((scores, bytes(py, texts.len(), rows().map(|(_, none)| none))?))
    }
}

/// Numbers as bytes, in the order of this machine.
fn bytes<'a, 'py>(
    py: Python<'py>,
    count: usize,
    numbers: impl Iterator<Item = &'a f32>,
) -> PyResult<Bound<'py, PyByteArray>> {
    PyByteArray::new_with(py, count * size_of::<f32>(), |bytes| {
        let places = bytes.chunks_exact_mut(size_of::<f32>());
        places.zip(numbers).for_each(|(place, number)| place.copy_from_slice(&number.to_ne_bytes()));
        Ok(())
    })
}
