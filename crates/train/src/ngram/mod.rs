//! Fitting the n-gram model.
//!
//! Some teachers are fitted to the labels, each from its own random start; then one network is
//! fitted to the labels and the teachers' averaged answers, also on texts without a label. It is
//! nearly as good as all of them together and costs as much as one.
//!
//! Every random choice comes from the seed, the teachers do not share anything while they are
//! fitted, and all sums are in a fixed order: the result is the same bytes for any thread count.

mod adam;
mod features;
mod fit;
mod network;
mod pack;
mod settings;
mod targets;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::ControlFlow;

use rayon::prelude::*;
use vulnlens_model::ngram::write;
use vulnlens_model::{
    FEATURES, FORMAT_VERSION, Head, HeadOutputs, Header, NetworkKind, NgramModel, NgramShape, Provenance,
    TaxonomyVersions, Years,
};
use vulnlens_taxonomy::{CweId, KnowledgeBase, Outcome};
use vulnlens_text::{NORMALISER, normalise};

pub use settings::Settings;

use crate::description::Description;
use crate::error::TrainError;
use crate::sets::{
    Sets, catalogue_only, counts, in_order, outcomes_of, parts_of, sets_of, without_rare_combinations,
};
use crate::setting::Settings as _;
use crate::years::newest_year;
use features::{FeatureLists, choose_vocabulary};
use fit::{TrainingTexts, answers, fit};
use network::{Network, Shape};
use vulnlens_evaluation::{Calibration, EvaluationError, Example, Part, TextKind, calibrate, labelled_part};

/// The source of the temperature and the decision rules.
#[derive(Debug, Clone)]
pub enum Decisions {
    /// Fitted on the validation part.
    Validation,
    /// Taken over, with the words that say from where.
    Given(Box<Calibration>, String),
}

/// True when a model is what a fit with these settings on these data gives, whatever its decision rules.
#[must_use]
pub fn is_fit_of(model: &Header, settings: &Settings, about: &Description, kb: &KnowledgeBase) -> bool {
    let from = &model.provenance;
    from.settings == words(settings, about)
        && (from.seed, &from.split, &from.data_sha256) == (settings.seed, &about.split, &about.data_sha256)
        && model.taxonomies == TaxonomyVersions::of(kb)
}

/// A callback that is given the number of texts that were seen since the last call, and may end the fit.
pub type Progress<'a> = &'a (dyn Fn(u64) -> ControlFlow<()> + Sync);

/// The number of texts that a fit sees in all, for a progress bar.
#[must_use]
pub fn work(examples: &[Example], settings: &Settings) -> u64 {
    let texts = fitted_on(examples, settings);
    let taught = texts.iter().filter(|e| e.is_taught()).count();
    let (all, labelled) = (texts.len() as u64, taught as u64);
    let last = if settings.teachers > 0 { all } else { labelled };
    settings.epochs as u64 * (settings.teachers as u64 * labelled + last)
}

/// The updates of all networks of a fit.
pub(crate) fn updates(examples: &[Example], settings: &Settings) -> u64 {
    let texts = fitted_on(examples, settings);
    let taught = texts.iter().filter(|e| e.is_taught()).count();
    let last = if settings.teachers > 0 { texts.len() } else { taught };
    let of_pass = |texts: usize| texts.div_ceil(settings.batch.max(1));
    (settings.epochs * (settings.teachers * of_pass(taught) + of_pass(last))) as u64
}

/// The texts of the training part that the last fit sees: those of which it is known what they lead to, and records that
/// nobody has labelled. The catalogue's own words for a weakness come several times over.
fn fitted_on<'e>(examples: &'e [Example], settings: &Settings) -> Vec<&'e Example> {
    let is_seen = |e: &&Example| e.part == Part::Train && (e.is_taught() || e.is_unlabelled_record());
    let mut texts: Vec<&Example> = examples.iter().filter(is_seen).collect();
    let entries: Vec<&Example> = texts.iter().copied().filter(|e| is_entry(e)).collect();
    (1..settings.catalogue_repeats).for_each(|_| texts.extend(&entries));
    texts
}

/// True for the catalogue's own words for a weakness, its observed examples left out.
fn is_entry(example: &Example) -> bool {
    example.kind == TextKind::Catalogue && example.cve.is_none()
}

/// Fits an n-gram model to the training part and gives the bytes of its file.
///
/// Runs on the threads of the current rayon pool; their number changes nothing but the time.
///
/// # Errors
/// When a setting is out of bounds, there is too little to fit on, the loss diverges, or `progress` ended the fit.
pub fn train(
    examples: &[Example],
    kb: &KnowledgeBase,
    settings: &Settings,
    description: &Description,
    decisions: &Decisions,
    progress: Progress<'_>,
) -> Result<Vec<u8>, TrainError> {
    if let Some(problem) = settings.problem() {
        return Err(TrainError::Setting(problem));
    }
    let texts = fitted_on(examples, settings);
    let sets = without_rare_combinations(sets_of(&texts)?, settings.min_combination);
    if matches!(decisions, Decisions::Validation) && labelled_part(examples, Part::Validation).is_empty() {
        return Err(EvaluationError::NoValidationTexts.into());
    }
    let outcomes = outcomes_of(&texts);
    let normal: Vec<Cow<'_, str>> = texts.par_iter().map(|e| normalise(&e.text)).collect();
    let normal: Vec<&str> = normal.iter().map(|text| &**text).collect();
    let taught = texts.iter().zip(&normal).filter(|(e, _)| e.is_taught());
    let taught: Vec<&str> = taught.map(|(_, text)| *text).collect();
    let terms: Vec<&str> = texts.iter().zip(&normal).filter_map(|(e, text)| term(e, text)).collect();
    let vocabulary = choose_vocabulary(&taught, &terms, settings)?;
    let newest_year = newest_year(&texts);
    let oldest_year = texts.iter().map(|e| e.year).min().unwrap_or(0).max(newest_year.saturating_sub(99));
    let year = |e: &&Example| usize::from(e.year.clamp(oldest_year, newest_year) - oldest_year);
    let prepared = TrainingTexts {
        features: FeatureLists::new(&normal, &vocabulary),
        years: texts.iter().map(year).collect(),
        targets: texts.iter().map(|e| targets(e, &sets, &outcomes)).collect(),
        set_counts: counts(&sets).into_iter().chain(outcomes.iter().map(|(_, count)| *count)).collect(),
        is_certain: texts.iter().map(|e| e.kind == TextKind::Catalogue).collect(),
        shape: shape(
            &sets,
            outcomes.len(),
            kb,
            vocabulary.len(),
            usize::from(newest_year - oldest_year) + 1,
            settings,
        ),
    };
    let network = distil(&prepared, settings, progress)?;
    let tensors = pack::pack(&network, &vocabulary);
    let head = Head {
        tasks: Head::CHAIN.to_vec(),
        outputs: HeadOutputs::CweSets {
            sets: Some(in_order(&sets)),
            outcomes: outcomes.iter().map(|(outcome, _)| *outcome).collect(),
            catalogue_only: catalogue_only(&texts),
        },
        temperature: 1.0,
        rules: BTreeMap::new(),
        thresholds: BTreeMap::new(),
        fitted_on: String::new(),
    };
    let mut header = Header {
        format_version: FORMAT_VERSION,
        kind: NetworkKind::Ngram,
        name: description.name.clone(),
        heads: vec![head],
        years: Some(Years { oldest: Some(oldest_year), newest: newest_year }),
        normaliser: Some(NORMALISER),
        taxonomies: TaxonomyVersions::of(kb),
        provenance: provenance(description, settings, texts.len(), taught.len()),
        ngram: Some(NgramShape { features: FEATURES.to_owned(), dimensions: settings.dimensions }),
        combined_with: None,
    };
    drop((network, prepared));
    // Reading it back proves that whoever gets the file can.
    let model = NgramModel::from_bytes(&write(&header, &tensors)?)?;
    let (calibration, from) = match decisions {
        Decisions::Given(calibration, from) => ((**calibration).clone(), from.clone()),
        Decisions::Validation => {
            let from = format!("validation part of the {} split of {}", description.split, description.data);
            (calibrate(&model, kb, examples)?, from)
        }
    };
    if let Some(head) = header.cwe_head_mut() {
        calibration.apply(head, from);
    }
    Ok(write(&header, &tensors)?)
}

fn distil(
    prepared: &TrainingTexts,
    settings: &Settings,
    progress: Progress<'_>,
) -> Result<Network, TrainError> {
    let teachers: Vec<Network> = (1..=settings.teachers as u64)
        .into_par_iter()
        .map(|stream| fit(prepared, settings, stream, None, progress))
        .collect::<Result<_, _>>()?;
    if teachers.is_empty() {
        return fit(prepared, settings, 0, None, progress);
    }
    let targets = answers(prepared, &teachers);
    drop(teachers);
    fit(prepared, settings, 0, Some(&targets), progress)
}

/// The first sentence of a text of the catalogue, where it is the name of a weakness or another term for it.
fn term<'t>(example: &Example, text: &'t str) -> Option<&'t str> {
    const MOST_WORDS: usize = 14;
    let first = text.split_once(['.', ':']).map_or(text, |(first, _)| first);
    Some(first).filter(|first| is_entry(example) && first.split_whitespace().count() <= MOST_WORDS)
}

/// The outputs that a text is to lead to in equal parts, if they are known: its CWE set or the parts of it, or its
/// outcome behind all sets.
fn targets(example: &Example, sets: &Sets, outcomes: &[(Outcome, u64)]) -> Vec<usize> {
    match example.outcome.filter(|_| !example.is_labelled()) {
        Some(outcome) => {
            let place = outcomes.iter().position(|(known, _)| *known == outcome);
            place.map(|at| sets.len() + at).into_iter().collect()
        }
        None => parts_of(&example.cwes, sets),
    }
}

fn shape(
    sets: &Sets,
    outcomes: usize,
    kb: &KnowledgeBase,
    features: usize,
    years: usize,
    settings: &Settings,
) -> Shape {
    let mut atoms: BTreeMap<CweId, usize> = BTreeMap::new();
    let mut atoms_of = |set: &Vec<CweId>| {
        let ids = kb.chain(set).cwe.into_iter();
        let number = ids.map(|id| {
            let next = atoms.len();
            *atoms.entry(id).or_insert(next)
        });
        number.collect()
    };
    let mut atoms_of_set: Vec<Vec<usize>> = sets.keys().map(&mut atoms_of).collect();
    // An outcome has no relatives to learn from.
    atoms_of_set.resize(sets.len() + outcomes, vec![]);
    Shape { features, dimensions: settings.dimensions, years, atoms_of_set, atoms: atoms.len() }
}

fn provenance(about: &Description, settings: &Settings, texts: usize, labelled: usize) -> Provenance {
    Provenance {
        start: None,
        data: about.data.clone(),
        data_sha256: about.data_sha256.clone(),
        texts: texts as u64,
        labelled_texts: labelled as u64,
        split: about.split.clone(),
        seed: settings.seed,
        settings: words(settings, about),
        tool_version: about.tool_version.clone(),
    }
}

/// All settings by name, with the styles that were held out, if any.
fn words(settings: &Settings, about: &Description) -> serde_json::Map<String, serde_json::Value> {
    let mut words: serde_json::Map<String, serde_json::Value> =
        settings.to_map().into_iter().map(|(name, value)| (name, value.into())).collect();
    if !about.held_out_styles.is_empty() {
        words.insert("held_out_styles".to_owned(), about.held_out_styles.join(", ").into());
    }
    words
}
