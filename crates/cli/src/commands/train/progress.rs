//! Progress messages of a run.

use std::sync::Mutex;
use std::time::Instant;

use indicatif::ProgressBar;
use vulnlens_train::encoder::{LogEntry, Observer, RunPlan, StepReport};
use vulnlens_train::search::{SearchObserver, Trial};

use crate::terminal::Terminal;

/// A bar with loss, rate, speed and time left, and a line for each evaluation.
pub(crate) struct Progress<'a> {
    terminal: &'a Terminal,
    bar: ProgressBar,
    seen: Mutex<Seen>,
}

struct Seen {
    since: Instant,
    tokens: usize,
    /// The loss of the last updates, with older ones fading.
    loss: Option<f64>,
}

const TEMPLATE: &str = "{bar:24} {pos}/{len} {msg}, {eta} left";
/// The weight of an update's loss in the mean that is shown.
const NEWEST: f64 = 0.05;

impl<'a> Progress<'a> {
    pub(crate) fn new(terminal: &'a Terminal) -> Self {
        let seen = Seen { since: Instant::now(), tokens: 0, loss: None };
        Self { terminal, bar: terminal.progress(TEMPLATE), seen: Mutex::new(seen) }
    }

    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

impl Observer for Progress<'_> {
    fn network(&self, name: &str, number: usize, networks: usize) {
        self.bar.suspend(|| self.terminal.note(&format!("network {number} of {networks}: {name}")));
    }

    fn started(&self, plan: &RunPlan) {
        let RunPlan { texts, tokens, cut, validation_texts, outputs, parameters, step, steps, .. } = plan;
        self.bar.set_length(*steps);
        self.bar.set_position(*step);
        self.bar.reset_eta();
        let mut text = format!(
            "{texts} texts of {:.1} tokens, {outputs} outputs, {:.2} million parameters; judged by {validation_texts} texts",
            *tokens as f64 / (*texts).max(1) as f64,
            *parameters as f64 / 1e6
        );
        if *cut > 0 {
            text += &format!("; {cut} texts are longer than what is read of them");
        }
        if *step > 0 {
            text += &format!("; going on after step {step} of {steps}");
        }
        self.bar.suspend(|| self.terminal.note(&text));
        if let Ok(mut seen) = self.seen.lock() {
            *seen = Seen { since: Instant::now(), tokens: 0, loss: None };
        }
    }

    fn stepped(&self, stepped: &StepReport) {
        let Ok(mut seen) = self.seen.lock() else { return };
        seen.tokens += stepped.tokens;
        let loss = seen.loss.map_or(stepped.loss, |loss| loss + NEWEST * (stepped.loss - loss));
        seen.loss = Some(loss);
        let speed = seen.tokens as f64 / seen.since.elapsed().as_secs_f64().max(1e-3);
        self.bar.set_message(format!("loss {loss:.4}, rate {:.2e}, {speed:.0} tokens/s", stepped.rate));
        self.bar.set_position(stepped.step);
    }

    fn evaluated(&self, entry: &LogEntry) {
        let number = |name: &str| entry.get(name).and_then(serde_json::Value::as_f64);
        let figure = |(name, title): (&str, &str)| Some(format!("{title} {:.4}", number(name)?));
        let names = [
            ("eval_loss", "loss"),
            ("eval_perplexity", "perplexity"),
            ("eval_micro_f1", "micro-F1"),
            ("eval_macro_f1", "macro-F1"),
            ("eval_reference_attack_micro_f1", "ATT&CK micro-F1"),
            ("eval_reference_cwe_micro_f1", "CWE micro-F1"),
        ];
        let figures: Vec<String> = names.into_iter().filter_map(figure).collect();
        let (step, epoch) = (number("step").unwrap_or(0.0), number("epoch").unwrap_or(0.0));
        let text = format!("step {step}, epoch {epoch:.2}: validation {}", figures.join(", "));
        self.bar.suspend(|| self.terminal.note(&text));
    }
}

impl SearchObserver for Progress<'_> {
    fn trial_started(&self, trial: &Trial, trials: usize) {
        let settings: Vec<String> =
            trial.settings.iter().map(|(name, value)| format!("{name} {value}")).collect();
        let text = format!("trial {} of {trials}: {}", trial.number, settings.join(", "));
        self.bar.set_position(0);
        self.bar.reset_eta();
        self.bar.suspend(|| self.terminal.note(&text));
    }

    fn fitted(&self, texts: u64, of: u64) {
        if self.bar.length() != Some(of) {
            self.bar.set_length(of);
        }
        self.bar.inc(texts);
    }

    fn trial_ended(&self, trial: &Trial) {
        let score = trial.score.map_or(String::new(), |score| format!(", score {score:.4}"));
        let problem = trial.problem.as_ref().map_or(String::new(), |problem| format!(": {problem}"));
        let text = format!("trial {}: {}{score}{problem}", trial.number, trial.state.name());
        self.bar.suspend(|| self.terminal.note(&text));
    }
}
