//! `--format`, and the output of answers in it.

use std::path::Path;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use vulnlens::report::{Format, Piece, Renderer, Setup, Writer};

use crate::failure::Failure;
use crate::output::Output;
use crate::record_folder::RecordFolder;

/// The values of `--format`: the library's formats.
pub(crate) fn format_parser() -> impl TypedValueParser<Value = &'static Format> {
    let value = |format: &Format| PossibleValue::new(format.name()).help(format.help());
    let parser = PossibleValuesParser::new(Format::ALL.iter().map(value));
    parser.try_map(|name| Format::named(&name).ok_or("not the name of a format"))
}

/// The output of answers in one format.
pub(crate) enum RecordOutput {
    /// One output of all records.
    Whole { output: Output, writer: Writer, format: &'static Format },
    /// A file for each record.
    Folder(Box<RecordFolder>),
}

impl RecordOutput {
    /// Begins an output at `path`, or on standard output, for what the renderer makes of answers.
    pub(crate) fn begin(
        format: &'static Format,
        setup: &Setup,
        path: Option<&Path>,
    ) -> Result<(Renderer, Self), Failure> {
        if let Some(folder) = path.filter(|path| RecordFolder::is_meant(path)) {
            let folder = RecordFolder::open(folder, format, setup.clone())?;
            return Ok((Renderer::default(), Self::Folder(Box::new(folder))));
        }
        let (mut output, mut head) = (Output::open(path)?, Vec::new());
        let (renderer, writer) = format.open(setup, &mut head)?;
        output.data(&head)?;
        Ok((renderer, Self::Whole { output, writer, format }))
    }

    /// Writes answers.
    pub(crate) fn write(&mut self, piece: Piece) -> Result<(), Failure> {
        match self {
            Self::Whole { output, writer, format } => {
                let mut bytes = Vec::new();
                writer.write(piece, &mut bytes)?;
                // Styles are taken out where the output does not show them.
                if format.is_for_people() { output.text(&bytes) } else { output.data(&bytes) }
            }
            Self::Folder(folder) => piece.into_answers().into_iter().try_for_each(|a| folder.write(a)),
        }
    }

    /// Ends the output.
    pub(crate) fn finish(self) -> Result<(), Failure> {
        let Self::Whole { mut output, writer, .. } = self else { return Ok(()) };
        let mut rest = Vec::new();
        writer.finish(&mut rest)?;
        output.data(&rest)?;
        output.finish()
    }
}
