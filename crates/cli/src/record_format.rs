//! `--format`, and the output of answers in it.

use std::path::Path;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use vulnlens::report::{Format, Piece, Renderer, Setup, Writer};

use crate::failure::{Failure, Kind};
use crate::output::Output;
use crate::packing::{Packing, ending, unpacked};
use crate::record_folder::RecordFolder;

/// The endings of compressed files and archives that are not written.
const OTHER_PACKINGS: [&str; 7] = ["xz", "bz2", "zip", "7z", "lz4", "br", "tar"];

/// The values of `--format`: the library's formats.
pub(crate) fn format_parser() -> impl TypedValueParser<Value = &'static Format> {
    let value = |format: &Format| PossibleValue::new(format.name()).help(format.help());
    let parser = PossibleValuesParser::new(Format::ALL.iter().map(value));
    parser.try_map(|name| Format::named(&name).ok_or("not the name of a format"))
}

/// The format of the file at `path`: that which was `asked` for, or that of its name; none if the name has no ending.
///
/// A name that promises something else than what is written is refused.
pub(crate) fn format_of_file(
    path: &Path,
    asked: Option<&'static Format>,
) -> Result<Option<&'static Format>, Failure> {
    let refused = |problem: String, hint: &str| {
        let message = format!("{}: {problem}", path.display());
        Err(Failure::new(Kind::Arguments, message).hint(hint))
    };
    if let Some(ending) = ending(path).filter(|ending| OTHER_PACKINGS.contains(&ending.as_str())) {
        let problem = format!("no output is compressed as .{ending}");
        return refused(problem, "add .gz or .zst to the name of a file, or pipe into another program");
    }
    let name = unpacked(path);
    let format = asked.or_else(|| Format::of_file(&name));
    match (format, ending(&name)) {
        (None, Some(ending)) => {
            let known = Format::ALL.iter().flat_map(Format::file_endings);
            let known: Vec<String> = known.map(|known| format!(".{known}")).collect();
            let hint = format!("end the name in {}, or say by --format what to write", known.join(", "));
            refused(format!("no format is known by .{ending}"), &hint)
        }
        (Some(format), _) if format.is_binary() && Packing::of(path).is_some() => {
            let problem = format!("{} is compressed in itself", format.name());
            refused(problem, "leave the last ending of the name out")
        }
        _ => Ok(format),
    }
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
        let (mut output, mut head) = (Output::packed(path)?, Vec::new());
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
