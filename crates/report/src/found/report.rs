//! The output of what is found: records one by one, counts and layers at the end.

use std::fmt::Write as _;
use std::sync::Arc;

use serde::Serialize;
use vulnlens_model::Run;

use super::counts::LabelCounts;
use super::find::{Find, FoundLabel};
use super::format::FindFormat;
use super::items::{CountItem, RecordItem};
use super::table;
use crate::answer::Answer;
use crate::format::Format;
use crate::formats::push_text;
use crate::layout::TableLayout;
use crate::rendering::{FormatError, Setup};
use crate::score::push_score;
use crate::writer::{Renderer, Writer};

/// The numbers of a search.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct FindSummary {
    /// The records that were looked at.
    pub records: u64,
    /// The records of which something is found.
    pub found: u64,
    /// The other records that list what is sought, and not as an answer.
    pub only_listed: u64,
}

/// The output of a search over answers in their order: memory is bounded, whatever their number.
pub struct FindReport {
    find: Find,
    format: FindFormat,
    layout: TableLayout,
    is_csv_safe: bool,
    summary: FindSummary,
    counts: LabelCounts,
    layer: Option<Layer>,
}

/// A layer that takes in records.
struct Layer {
    renderer: Renderer,
    writer: Writer,
    run: Arc<Run>,
    is_of_several: bool,
}

impl FindReport {
    /// A search that has looked at no answer yet.
    #[must_use]
    pub fn new(find: Find, format: FindFormat) -> Self {
        Self {
            find,
            format,
            layout: TableLayout::default(),
            is_csv_safe: false,
            summary: FindSummary::default(),
            counts: LabelCounts::default(),
            layer: None,
        }
    }

    /// The search with a layout of text for people.
    #[must_use]
    pub fn layout(self, layout: TableLayout) -> Self {
        Self { layout, ..self }
    }

    /// The search with CSV in which a spreadsheet finds no formulas, or as the fields are.
    #[must_use]
    pub fn safe_csv(self, is_csv_safe: bool) -> Self {
        Self { is_csv_safe, ..self }
    }

    /// True if records are sought, and not labels counted.
    fn seeks_records(&self) -> bool {
        !self.find.sought().is_empty()
    }

    /// Appends the bytes before the first record.
    pub fn begin(&self, out: &mut Vec<u8>) {
        if self.format == FindFormat::Csv {
            let header: &[u8] = match self.seeks_records() {
                true => b"id,taxonomy,label,name,score,predicted,file\n",
                false => b"taxonomy,label,name,records,greatest_score\n",
            };
            out.extend_from_slice(header);
        }
    }

    /// Looks at the answer of a record of `file`, whose run has these facts, and appends the bytes that are ready.
    ///
    /// # Errors
    /// None that an answer can cause; serialisation as such is fallible.
    pub fn add(
        &mut self,
        file: &str,
        answer: Answer,
        run: &Arc<Run>,
        out: &mut Vec<u8>,
    ) -> Result<(), FormatError> {
        self.summary.records = self.summary.records.saturating_add(1);
        let listed = self.find.listed(&answer.prediction);
        let is_listed = !listed.is_empty();
        let found = self.find.of_listed(listed);
        let is_found = !found.is_empty();
        if is_found {
            self.summary.found = self.summary.found.saturating_add(1);
        } else if is_listed {
            self.summary.only_listed = self.summary.only_listed.saturating_add(1);
        }
        if self.format == FindFormat::Navigator {
            return self.add_to_layer(answer, run, is_found || !self.seeks_records(), out);
        }
        if !self.seeks_records() {
            self.counts.add(found);
            return Ok(());
        }
        if is_found { self.push_record(file, &answer, &found, out) } else { Ok(()) }
    }

    fn push_record(
        &self,
        file: &str,
        answer: &Answer,
        found: &[FoundLabel],
        out: &mut Vec<u8>,
    ) -> Result<(), FormatError> {
        let (key, kb) = (&answer.record, self.find.knowledge_base());
        match self.format {
            FindFormat::Table => {
                out.extend_from_slice(table::record(key, found, kb, self.layout).as_bytes());
            }
            FindFormat::JsonLines => self.push_json(&RecordItem::of(key, file, found, kb), out)?,
            FindFormat::Csv => {
                let id = key.text().unwrap_or_default();
                for found in found {
                    push_text(out, &id, self.is_csv_safe);
                    out.push(b',');
                    self.push_label(found.taxonomy, &found.label.to_string(), &found.label.name(kb), out);
                    out.push(b',');
                    push_score(out, found.score);
                    out.extend_from_slice(if found.predicted { b",true," } else { b",false," });
                    push_text(out, file, self.is_csv_safe);
                    out.push(b'\n');
                }
            }
            FindFormat::Ids => {
                // One id a line, whatever the id.
                let id = key.text().unwrap_or_default().replace(['\r', '\n'], " ");
                out.extend_from_slice(id.as_bytes());
                out.push(b'\n');
            }
            FindFormat::Navigator => {}
        }
        Ok(())
    }

    /// Appends the first fields of a label's row.
    fn push_label(&self, taxonomy: &str, label: &str, name: &str, out: &mut Vec<u8>) {
        out.extend_from_slice(taxonomy.as_bytes());
        out.push(b',');
        push_text(out, label, self.is_csv_safe);
        out.push(b',');
        push_text(out, name, self.is_csv_safe);
    }

    fn push_json(&self, item: &impl Serialize, out: &mut Vec<u8>) -> Result<(), FormatError> {
        let written = serde_json::to_writer(&mut *out, item);
        written.map_err(|error| FormatError::new(self.format.name(), &error))?;
        out.push(b'\n');
        Ok(())
    }

    /// Adds a record to the layer, which is of the first record's run.
    fn add_to_layer(
        &mut self,
        answer: Answer,
        run: &Arc<Run>,
        is_in_it: bool,
        out: &mut Vec<u8>,
    ) -> Result<(), FormatError> {
        let layer = match &mut self.layer {
            Some(layer) => layer,
            none => {
                let setup = Setup::new((**run).clone(), Arc::clone(self.find.knowledge_base()));
                let (renderer, writer) = Format::NAVIGATOR.open(&setup, out)?;
                none.insert(Layer { renderer, writer, run: Arc::clone(run), is_of_several: false })
            }
        };
        layer.is_of_several |= !Arc::ptr_eq(&layer.run, run) && layer.run != *run;
        if !is_in_it {
            return Ok(());
        }
        let prediction = self.find.narrowed(answer.prediction);
        let piece = layer.renderer.render(vec![Answer { prediction, ..answer }]);
        layer.writer.write(piece, out)
    }

    /// The numbers so far.
    #[must_use]
    pub fn summary(&self) -> FindSummary {
        self.summary
    }

    /// True for a layer of answers by several models, or with several releases of the catalogues: it names the first.
    #[must_use]
    pub fn is_of_several_runs(&self) -> bool {
        self.layer.as_ref().is_some_and(|layer| layer.is_of_several)
    }

    /// Ends the output, and appends the rest of its bytes.
    ///
    /// # Errors
    /// None that answers can cause; serialisation as such is fallible.
    pub fn finish(mut self, out: &mut Vec<u8>) -> Result<(), FormatError> {
        if let Some(layer) = self.layer {
            return layer.writer.finish(out);
        }
        let counts = std::mem::take(&mut self.counts).sorted();
        let kb = self.find.knowledge_base();
        match self.format {
            FindFormat::Table => {
                out.extend_from_slice(
                    table::counts(&counts, self.summary.records, kb, self.layout).as_bytes(),
                );
            }
            FindFormat::JsonLines => {
                for count in &counts {
                    self.push_json(&CountItem::of(count, kb), out)?;
                }
            }
            FindFormat::Csv => {
                for count in &counts {
                    self.push_label(count.taxonomy, &count.label.to_string(), &count.label.name(kb), out);
                    out.extend_from_slice(format!(",{},", count.records).as_bytes());
                    push_score(out, count.greatest);
                    out.push(b'\n');
                }
            }
            FindFormat::Navigator | FindFormat::Ids => {}
        }
        Ok(())
    }
}

impl FindSummary {
    /// The numbers in a line.
    #[must_use]
    pub fn line(&self) -> String {
        let mut line = format!("found in {} of {} records", self.found, self.records);
        if self.only_listed > 0 {
            // A string takes all that is written.
            let _ = write!(line, "; {} more list it without answering it (--all)", self.only_listed);
        }
        line
    }
}
