//! `doctor`: what a bug report should say of the machine and the program, and whether the program is whole.

use clap::Args;
use serde::Serialize;
use vulnlens::encoder::kernels::Isa;
use vulnlens::taxonomy::{Release, Timestamp};
use vulnlens::{
    ACCURATE, Classifier, CweId, Input, KnowledgeBase, LabelMode, Network, NgramModel, Open, Options,
};
use vulnlens_corpus::kb_version;

use crate::failure::{Failure, Kind};
use crate::hub;
use crate::options::{ViewFormat, threads};
use crate::output::{print_json, print_text};
use crate::terminal::{self, Terminal};

/// The text of the self-test, and the answer that every useful model gives first.
const QUESTION: &str =
    "SQL injection in login.php allows remote attackers to execute SQL commands via the id parameter.";
const ANSWER: CweId = CweId(89);

/// Check the program and show what a bug report should say of it and the machine
#[derive(Debug, Args)]
pub(crate) struct DoctorArguments {
    /// Format of the output
    #[arg(short, long, value_enum, value_name = "FORMAT", default_value_t)]
    format: ViewFormat,
}

#[derive(Serialize)]
struct Report {
    version: &'static str,
    system: String,
    cpu_features: Vec<&'static str>,
    /// The instructions that checkpoints are computed with.
    kernels: &'static str,
    /// The folder of models of the Hugging Face hub, or the reason why it is not known.
    hub_cache: String,
    hub_offline: bool,
    cores: usize,
    memory_mib: Option<u64>,
    locale: Option<String>,
    stdin_is_terminal: bool,
    stdout_is_terminal: bool,
    stderr_is_terminal: bool,
    /// The embedded catalogues.
    catalogues: Vec<Catalogue>,
    checks: Vec<Check>,
}

/// The age of an embedded catalogue.
#[derive(Serialize)]
struct Catalogue {
    #[serde(flatten)]
    release: Release,
    /// Days since the release or, where its day is not known, since the newest change in it.
    days_old: Option<u64>,
}

/// Days from which on a catalogue is worth a look for a newer one.
const OLD: u64 = 365;

impl Catalogue {
    fn text(&self) -> String {
        let version = self.release.version.as_deref().unwrap_or("release not stated");
        let of = self.release.date.as_ref().map(|date| format!(" of {date}")).unwrap_or_default();
        let days = self.days_old.map(|days| format!(", {days} days old")).unwrap_or_default();
        let hint = match self.days_old {
            Some(days) if days > OLD => "; `kb update` looks for a newer one",
            _ => "",
        };
        format!("{version}{of}{days}{hint}")
    }
}

/// The embedded catalogues, by their age today.
fn catalogues() -> Vec<Catalogue> {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    let days = i32::try_from(now.as_secs() / (24 * 60 * 60)).unwrap_or(i32::MAX);
    let releases = vulnlens::embedded_knowledge_base().releases().into_iter();
    let dated = |release: Release| {
        let days_old = release.days_until(Timestamp::of_day(days));
        Catalogue { release, days_old }
    };
    releases.map(dated).collect()
}

/// Something that must be in order.
#[derive(Serialize)]
struct Check {
    name: &'static str,
    ok: bool,
    detail: String,
}

impl Check {
    fn new(name: &'static str, result: Result<String, String>) -> Self {
        let ok = result.is_ok();
        Self { name, ok, detail: result.unwrap_or_else(|problem| problem) }
    }
}

pub(crate) fn run(arguments: DoctorArguments, terminal: &Terminal) -> Result<(), Failure> {
    let hub = hub::settings();
    let report = Report {
        version: env!("CARGO_PKG_VERSION"),
        system: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
        cpu_features: cpu_features(),
        kernels: Isa::detected().name(),
        hub_cache: hub.as_ref().map_or_else(
            |failure| format!("unknown: {}", failure.message),
            |settings| settings.cache.display().to_string(),
        ),
        hub_offline: hub.as_ref().is_ok_and(|settings| settings.offline),
        cores: threads(None),
        memory_mib: memory_mib(),
        locale: terminal::locale(),
        stdin_is_terminal: terminal.stdin_is_terminal,
        stdout_is_terminal: terminal.stdout_is_terminal,
        stderr_is_terminal: terminal.stderr_is_terminal,
        catalogues: catalogues(),
        checks: checks(),
    };
    match arguments.format {
        ViewFormat::Table => print_text(&report.text())?,
        ViewFormat::Json => print_json(&report)?,
    }
    if report.checks.iter().all(|check| check.ok) {
        return Ok(());
    }
    Err(Failure::new(Kind::Failed, "the program is damaged").hint("install it again"))
}

impl Report {
    fn text(&self) -> String {
        let yes_no = |yes| if yes { "a terminal" } else { "no terminal" };
        let memory = self.memory_mib.map_or("unknown".to_owned(), |mib| format!("{mib} MiB"));
        let facts = [
            ("version", self.version.to_owned()),
            ("system", self.system.clone()),
            ("CPU features", self.cpu_features.join(" ")),
            ("kernels", self.kernels.to_owned()),
            ("cores", self.cores.to_string()),
            ("memory", memory),
            ("locale", self.locale.clone().unwrap_or_else(|| "not set".to_owned())),
            ("hub cache", format!("{}{}", self.hub_cache, if self.hub_offline { " (offline)" } else { "" })),
            ("input", yes_no(self.stdin_is_terminal).to_owned()),
            ("output", yes_no(self.stdout_is_terminal).to_owned()),
            ("errors", yes_no(self.stderr_is_terminal).to_owned()),
        ];
        let checks = self.checks.iter().map(|check| {
            let state = if check.ok { "ok" } else { "FAILED" };
            (check.name, format!("{state}: {}", check.detail))
        });
        let catalogues = self.catalogues.iter().map(|of| (of.release.catalogue, of.text()));
        let lines = facts.into_iter().chain(catalogues).chain(checks);
        lines.map(|(name, value)| format!("{name:<15}  {value}\n")).collect()
    }
}

/// The embedded files, read as if they came from outside, and one question.
fn checks() -> Vec<Check> {
    let model = NgramModel::from_bytes(vulnlens::EMBEDDED_MODEL).map_err(|error| error.to_string());
    let kb = KnowledgeBase::from_bytes(vulnlens::EMBEDDED_KNOWLEDGE_BASE).map_err(|error| error.to_string());
    let describe = |model: &NgramModel| {
        let years = model.header().years;
        let oldest = years.and_then(|years| years.oldest).unwrap_or_default();
        let newest = years.map(|years| years.newest).unwrap_or_default();
        format!("{} {}, years {oldest}–{newest}", model.name(), model.revision())
    };
    let mut checks = vec![
        Check::new("model", model.as_ref().map(describe).map_err(Clone::clone)),
        Check::new(
            "knowledge base",
            kb.as_ref().map(|kb| format!("{} ({})", kb_version(kb), kb.fingerprint())).map_err(Clone::clone),
        ),
    ];
    if let (Ok(model), Ok(kb)) = (model, kb) {
        checks.push(Check::new("self-test", self_test(&Classifier::new(model, kb))));
    }
    checks.push(Check::new("encoder", encoder()));
    checks
}

fn encoder() -> Result<String, String> {
    let classifier = vulnlens::open(ACCURATE, &Open::new()).map_err(|error| error.to_string())?;
    let answer = self_test(&classifier)?;
    Ok(format!("{} {}, {answer}", classifier.network().name(), classifier.network().revision()))
}

fn self_test(classifier: &Classifier) -> Result<String, String> {
    let options = Options::default().labels(LabelMode::Assigned);
    let prediction = classifier.predict(Input::text(QUESTION), &options);
    match prediction.cwe.as_ref().and_then(|cwe| cwe.labels.first()) {
        Some(first) if first.label == ANSWER => Ok(format!("answers {} with {:.3}", ANSWER, first.score)),
        Some(first) => Err(format!("answers {} where {ANSWER} is right", first.label)),
        None => Err("answers nothing".to_owned()),
    }
}

/// The features of this processor that the arithmetic can make use of.
fn cpu_features() -> Vec<&'static str> {
    let mut features: Vec<&'static str> = Vec::new();
    #[cfg(target_arch = "x86_64")]
    for (name, present) in [
        ("sse4.2", std::arch::is_x86_feature_detected!("sse4.2")),
        ("avx", std::arch::is_x86_feature_detected!("avx")),
        ("avx2", std::arch::is_x86_feature_detected!("avx2")),
        ("fma", std::arch::is_x86_feature_detected!("fma")),
        ("avx512f", std::arch::is_x86_feature_detected!("avx512f")),
        ("avx512bw", std::arch::is_x86_feature_detected!("avx512bw")),
        ("avx512vl", std::arch::is_x86_feature_detected!("avx512vl")),
        ("avx512vnni", std::arch::is_x86_feature_detected!("avx512vnni")),
        ("sha", std::arch::is_x86_feature_detected!("sha")),
    ] {
        features.extend(present.then_some(name));
    }
    #[cfg(target_arch = "aarch64")]
    for (name, present) in [
        ("neon", std::arch::is_aarch64_feature_detected!("neon")),
        ("dotprod", std::arch::is_aarch64_feature_detected!("dotprod")),
        ("sha2", std::arch::is_aarch64_feature_detected!("sha2")),
    ] {
        features.extend(present.then_some(name));
    }
    features
}

/// The machine's memory, where Linux says it.
fn memory_mib() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib / 1024)
}
