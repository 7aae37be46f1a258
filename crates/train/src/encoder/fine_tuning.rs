//! From labelled examples to the folder of a classifier.

use std::path::Path;

use serde_json::{Value, json};
use vulnlens_encoder::training::{Parameters, Part as NetworkPart, Training};
use vulnlens_evaluation::{EvaluationError, Example, Part};
use vulnlens_model::TaxonomyVersions;
use vulnlens_taxonomy::KnowledgeBase;

use super::classification::{Classification, Labelled};
use super::fit::{Control, Loop, LoopEnd};
use super::labels::{LabelSpace, Labels};
use super::model_folder::{ClassifierFolder, ModelFolder};
use super::start::{Begun, Start};
use super::store::Store;
use super::teaching::Teaching;
use super::train::{
    ClassifierSettings, Ending, LabelsBeside, Tell, best_entry, identity, lists, merged, network, spread,
};
use crate::error::TrainError;
use crate::ngram::Description;
use crate::years::newest_year;

/// The labelled texts that are trained on, and those that judge.
pub(crate) type LabelledTexts<'a> = (Vec<&'a Example>, Vec<&'a Example>);

/// What a classifier is taught, and from which texts.
pub(crate) struct Lesson<'a> {
    /// What it is to say.
    pub(crate) space: LabelSpace,
    pub(crate) texts: LabelledTexts<'a>,
    /// What else decides the result, beside the settings: names and values.
    pub(crate) words: Value,
}

/// Fine-tunes a classifier on the training part, and writes it into `out`.
///
/// The same examples, settings and beginning give the same numbers, bit for bit, on any number of threads of the current
/// rayon pool, and however often the run was stopped and resumed.
///
/// # Errors
/// See [`TrainError`]; what was reached before is kept.
pub fn train_classifier(
    examples: &[Example],
    kb: &KnowledgeBase,
    settings: &ClassifierSettings,
    about: &Description,
    folders: (&Start, &Path),
    control: Control<'_>,
) -> Result<Ending, TrainError> {
    settings.fit.check()?;
    let texts = labelled_texts(examples, about)?;
    let space = LabelSpace::new(settings.labels, kb, &texts.0, &texts.1)?;
    let mut texts = texts;
    if let Some(teaching) = &settings.teaching {
        texts.0.extend(teaching.unlabelled(examples));
    }
    teach(Lesson { space, texts, words: json!({}) }, kb, settings, about, folders, control)
}

/// The labelled texts of the parts that training needs.
pub(crate) fn labelled_texts<'a>(
    examples: &'a [Example],
    about: &Description,
) -> Result<LabelledTexts<'a>, TrainError> {
    let of = |part| examples.iter().filter(move |example| example.part == part && example.is_labelled());
    let (training, validation): (Vec<_>, Vec<_>) =
        (of(Part::Train).collect(), of(Part::Validation).collect());
    if validation.is_empty() && about.split != "all" {
        return Err(EvaluationError::NoValidationTexts.into());
    }
    Ok((training, validation))
}

/// Trains on the texts that the space says something of, and writes the folder.
pub(crate) fn teach(
    lesson: Lesson<'_>,
    kb: &KnowledgeBase,
    settings: &ClassifierSettings,
    about: &Description,
    (start, out): (&Start, &Path),
    control: Control<'_>,
) -> Result<Ending, TrainError> {
    let Lesson { space, texts: (training, validation), words } = lesson;
    check_beside(settings)?;
    let is_of_space = |example: &&Example| match space.labels {
        Labels::CweSets => true,
        _ => space.outputs(example).is_some_and(|outputs| !outputs.is_empty()),
    };
    // The same for all networks of a hierarchy, whichever of the texts they learn from.
    let newest = newest_year(&training);
    let training: Vec<&Example> = training.into_iter().filter(is_of_space).collect();
    // Later years are read as the newest that is known, when the model is asked and when it learns.
    let dated = |example: &Example| Example { year: example.year.min(newest), ..example.clone() };
    let training: Vec<Example> = training.into_iter().map(dated).collect();
    let validation: Vec<Example> = validation.into_iter().filter(is_of_space).map(dated).collect();
    let begun = Begun::open(start)?;
    let problem = match space.labels {
        Labels::CweSets => "single_label_classification",
        _ => "multi_label_classification",
    };
    let (json, config) = begun.classifier(&space.names, problem)?;
    let tokenizer = begun.tokenizer(&config)?;
    let mut store = Store::open(out, control.resume)?;
    let all_settings = merged(settings.to_json(), words);
    store.set_identity(identity(&all_settings, about, &begun, &json)?);
    let reading = (settings.year, settings.fit.max_tokens);
    let outputs: Vec<Vec<u32>> =
        training.iter().map(|example| space.outputs(example).unwrap_or_default().to_vec()).collect();
    let target = |teaching: &Teaching| {
        let of = |(example, outputs): (&Example, &Vec<u32>)| teaching.target(example, outputs, &space);
        training.iter().zip(&outputs).map(of).collect()
    };
    let labelled = Labelled {
        targets: settings.teaching.as_ref().map(target),
        lists: lists(&training, reading, &tokenizer),
        outputs,
    };
    let objective = Classification {
        kb,
        space: &space,
        binary: settings.loss.binary(&space.counts, space.texts),
        beside: settings.beside.map(|beside| space.beside(beside, kb)),
        training: labelled,
        sample: spread(validation.len(), settings.fit.evaluation_texts),
        validation_lists: lists(&validation, reading, &tokenizer),
        validation,
    };
    let (mut parameters, begun_anew) =
        begun.parameters(&config, Training::Classification, settings.fit.seed)?;
    set_biases(&mut parameters, &begun_anew, &space.biases());
    let max_tokens = settings.fit.max_tokens.min(tokenizer.max_tokens());
    let network = network(config, parameters, Training::Classification, &settings.fit)?;
    let tell = Tell { cut: objective.training.lists.cut(), validation: objective.sample.len() };
    let mut fit = Loop::new(&objective, &settings.fit, network, &mut store, control)?;
    tell.began(&fit, &objective, control);
    if fit.run()? == LoopEnd::Stopped {
        return Ok(Ending::Stopped { step: fit.state.step, steps: fit.steps });
    }
    let chosen = objective.choose(&mut fit.network)?;
    let (state, parameters) = (fit.state, fit.network.into_parameters());
    let best = best_entry(&state);
    let folder = ModelFolder {
        config: &json,
        tokenizer_files: &begun.tokenizer_files,
        max_tokens,
        about,
        start: &begun.words,
        texts: training.len(),
        seed: settings.fit.seed,
        settings: &all_settings,
        figures: best.as_ref(),
        classifier: Some(ClassifierFolder {
            space: &space,
            chosen: &chosen,
            taxonomies: TaxonomyVersions::of(kb),
            newest_year: settings.year.then_some(newest),
        }),
    };
    folder.write(&store, &parameters)?;
    store.finish()?;
    Ok(Ending::Finished { steps: state.step, best })
}

fn check_beside(settings: &ClassifierSettings) -> Result<(), TrainError> {
    if let Some(teaching) = &settings.teaching {
        if settings.labels != Labels::CweSets || settings.beside.is_some() {
            return Err(TrainError::Setting(
                "only CWE sets are taught by others, and without labels beside".to_owned(),
            ));
        }
        if !(0.0..=1.0).contains(&teaching.share) {
            return Err(TrainError::Setting("the teachers' share must be from 0 to 1".to_owned()));
        }
    }
    let Some(LabelsBeside { labels, weight }) = settings.beside else { return Ok(()) };
    if settings.labels != Labels::CweSets || labels == Labels::CweSets {
        return Err(TrainError::Setting("only CWE sets are learnt with other labels beside".to_owned()));
    }
    if !(weight > 0.0 && weight.is_finite()) {
        return Err(TrainError::Setting("the weight of labels beside must be above 0".to_owned()));
    }
    Ok(())
}

impl ClassifierSettings {
    /// Names and values, as JSON: what decides the result, and nothing else.
    pub(crate) fn to_json(&self) -> Value {
        let words = json!({"labels": self.labels.name(), "loss": self.loss.name(), "year": self.year});
        let beside = self.beside.map_or_else(|| json!({}), |LabelsBeside { labels, weight }| {
            json!({"beside": labels.name(), "beside_weight": weight.to_string()})
        });
        let teaching = self.teaching.as_ref().map_or_else(
            || json!({}),
            |teaching| json!({"teachers": teaching.teachers, "teachers_share": teaching.share.to_string()}),
        );
        merged(merged(merged(words, beside), teaching), self.fit.to_json())
    }
}

/// Gives a new head the biases at which it says what is frequent: the first updates need not learn that.
fn set_biases(parameters: &mut Parameters, begun_anew: &[String], biases: &[f32]) {
    let table = parameters.table().clone();
    let is_output = |name: &str| {
        table
            .tensors()
            .iter()
            .any(|t| t.name == name && t.part == NetworkPart::Head && t.shape == [biases.len()])
    };
    let outputs = ["classifier.out_proj.bias", "classifier.bias"].into_iter().filter(|name| is_output(name));
    for name in outputs.filter(|name| begun_anew.iter().any(|new| new == name)) {
        if let Some(numbers) = parameters.get_mut(name) {
            numbers.copy_from_slice(biases);
        }
    }
}
