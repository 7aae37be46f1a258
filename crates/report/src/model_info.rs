//! The facts about a model, as lines for people.

use vulnlens_model::labels::Count;
use vulnlens_model::{EncoderInfo, HeadOutputs, Header, ModelInfo, Task, Tasks, megabytes};

/// A line: its name and its value.
type Row = (&'static str, String);

/// The facts about a model as lines of text.
#[must_use]
pub fn model_info_text(info: &ModelInfo) -> String {
    let mut rows = vec![
        ("name", info.name.clone()),
        ("revision", info.revision.clone()),
        ("kind", info.kind.to_owned()),
        ("size", megabytes(info.bytes)),
    ];
    rows.extend(network(info));
    rows.extend(answers(info));
    rows.extend(info.header.iter().flat_map(|header| origin(info, header)));
    let mut text = lines(&rows);
    // A packed model is one encoder, whose line stands above.
    text.extend(info.parts.iter().filter(|part| part.folder.is_some()).map(part));
    text
}

fn lines(rows: &[Row]) -> String {
    rows.iter().map(|(name, value)| format!("{name:<13} {value}\n")).collect()
}

fn network(info: &ModelInfo) -> Vec<Row> {
    let mut rows = vec![];
    let shape = info.header.as_ref().and_then(|header| header.ngram.as_ref());
    if let (Some(features), Some(shape)) = (info.features, shape) {
        rows.push(("features", format!("{features} ({})", shape.features)));
        rows.push(("hidden units", shape.dimensions.to_string()));
    }
    match info.parts.as_slice() {
        [part] if part.folder.is_none() => rows.push(("network", part.to_string())),
        _ => {}
    }
    match info.problem {
        Some("multi-label") => rows.push(("scores", "of each label for itself (sigmoid)".to_owned())),
        Some(_) => rows.push(("scores", "of labels that exclude each other (softmax)".to_owned())),
        None => {}
    }
    rows.extend(info.max_tokens.map(|most| ("reads", format!("{most} tokens of a text"))));
    rows
}

fn answers(info: &ModelInfo) -> Vec<Row> {
    if let Some(sets) = info.cwe_sets {
        let mut rows = vec![("CWE sets", sets.to_string())];
        rows.extend(curated(info));
        let severity = info.header.as_ref().and_then(Header::severity_head);
        rows.extend(severity.map(|_| ("severity", "base vectors of CVSS 3.1, when asked for".to_owned())));
        return rows;
    }
    let labels = info.labels.unwrap_or_default();
    let counts = [("CWE", labels.cwe), ("CAPEC", labels.capec), ("ATT&CK", labels.attack)];
    let present = counts.into_iter().filter(|(_, count)| count.labels > 0);
    let mut rows: Vec<Row> = learnt(info).collect();
    rows.extend(present.map(|(name, count)| ("labels", format!("{name}: {}", counted(count)))));
    if labels.other > 0 {
        rows.push(("labels", format!("of no taxonomy: {}", labels.other)));
    }
    let derived = names(info.derived.unwrap_or(Tasks::NONE));
    if !derived.is_empty() {
        rows.push(("by the chain", derived.join(", ")));
    }
    rows
}

/// The label spaces that a model of ours was trained on.
fn learnt(info: &ModelInfo) -> impl Iterator<Item = Row> {
    info.header.iter().flat_map(|header| &header.heads).filter_map(|head| match &head.outputs {
        HeadOutputs::Labels { space } => Some(("learnt", space.clone())),
        HeadOutputs::CweSets { .. } | HeadOutputs::Curated(_) | HeadOutputs::Severity(_) => None,
    })
}

/// The techniques that analysts assign, as far as the model answers with them.
fn curated(info: &ModelInfo) -> Option<Row> {
    match &info.header.as_ref()?.curated_head()?.outputs {
        HeadOutputs::Curated(outputs) => {
            Some(("curated", format!("{} techniques that analysts assign", outputs.techniques.len())))
        }
        HeadOutputs::CweSets { .. } | HeadOutputs::Labels { .. } | HeadOutputs::Severity(_) => None,
    }
}

fn counted(count: Count) -> String {
    let marks = [("revoked", count.revoked), ("deprecated", count.deprecated), ("unknown", count.unknown)];
    let marks = marks.iter().filter(|(_, count)| *count > 0).map(|(name, count)| format!("{count} {name}"));
    let marks: Vec<String> = marks.collect();
    if marks.is_empty() {
        count.labels.to_string()
    } else {
        format!("{} ({})", count.labels, marks.join(", "))
    }
}

fn names(tasks: Tasks) -> Vec<&'static str> {
    let names = [(Task::Capec, "CAPEC"), (Task::Attack, "ATT&CK")];
    names.into_iter().filter(|(task, _)| tasks.contains(*task)).map(|(_, name)| name).collect()
}

/// The lines about the making of a model of ours.
fn origin(info: &ModelInfo, header: &Header) -> Vec<Row> {
    let from = &header.provenance;
    let mut rows = vec![];
    if let Some(years) = header.years {
        rows.push(match years.oldest {
            Some(oldest) => ("years", format!("{oldest} to {}", years.newest)),
            None => ("years", format!("read before the text, to {}", years.newest)),
        });
    }
    rows.push(("taxonomies", header.taxonomies.to_string()));
    rows.extend(from.start.iter().map(|start| ("began with", start.clone())));
    rows.push(("fitted on", format!("{} of {}", from.split, from.data)));
    rows.push(("texts", format!("{}, {} of them labelled", from.texts, from.labelled_texts)));
    rows.push(("data sha256", from.data_sha256.clone()));
    rows.push(("seed", from.seed.to_string()));
    rows.extend(info.decisions().map(|decisions| ("thresholds", decisions.fitted_on.to_owned())));
    rows.push(("tool", format!("vulnlens {}", from.tool_version)));
    rows.extend(header.combined_with.iter().map(|partner| ("answers with", partner.to_string())));
    rows
}

/// The lines about one encoder in a folder.
fn part(part: &EncoderInfo) -> String {
    let types: Vec<&str> = part.bytes_by_type.keys().copied().collect();
    let EncoderInfo { layers, hidden, heads, intermediate, .. } = part;
    let mut rows = vec![
        (
            part.architecture,
            format!("{layers} layers of {hidden}, {heads} heads, feed-forward {intermediate}"),
        ),
        ("  parameters", format!("{} as {}", part.parameters.unwrap_or(0), types.join(", "))),
        ("  tokenizer", format!("{}, {} tokens", part.tokenizer, part.vocabulary)),
        ("  labels", part.labels.to_string()),
    ];
    rows.extend(part.parent.iter().map(|parent| ("  refines", parent.clone())));
    lines(&rows)
}
