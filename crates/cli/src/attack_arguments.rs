//! `--attack-level` and `--attack-ids`: the level and the release of ATT&CK's labels.

use std::path::PathBuf;

use clap::Args;
use vulnlens::report::AttackView;
use vulnlens::taxonomy::{AttackLevel, AttackRelease, FolderNote};
use vulnlens::{Classifier, Options, TopK};

use crate::choice::one_of;
use crate::failure::{Failure, Kind};
use crate::folder_notes;
use crate::terminal::Terminal;

/// The level and the release of ATT&CK's labels.
#[derive(Debug, Args)]
pub(crate) struct AttackArguments {
    /// The level of ATT&CK's labels; one that stands for several has the highest of their scores
    #[arg(long, value_name = "LEVEL", value_parser = one_of(&AttackLevel::ALL, AttackLevel::name, AttackLevel::help), default_value = AttackLevel::SubTechnique.name())]
    pub(crate) attack_level: AttackLevel,

    /// Write ATT&CK's ids as another release has them, older or newer: one of MITRE's bundles, a folder of them, or a
    /// file that `kb build` made. An id that it has no counterpart of is kept and marked
    #[arg(long, value_name = "FILE|FOLDER")]
    attack_ids: Option<PathBuf>,
}

impl AttackArguments {
    /// True where labels are written as the model answers them.
    fn is_plain(&self) -> bool {
        self.attack_level == AttackLevel::SubTechnique && self.attack_ids.is_none()
    }

    /// The options that the view needs: all labels, whose number is cut afterwards.
    pub(crate) fn options(&self, options: Options) -> Options {
        if self.is_plain() { options } else { options.top_k(TopK::All) }
    }

    /// The view of answers to the question `asked`; none where labels are written as the model answers them.
    pub(crate) fn view(
        &self,
        classifier: &Classifier,
        asked: &Options,
        terminal: &Terminal,
    ) -> Result<Option<AttackView>, Failure> {
        if self.is_plain() {
            return Ok(None);
        }
        let view = AttackView::new(classifier.knowledge_base().clone(), self.attack_level, asked.top_k);
        let Some(path) = &self.attack_ids else { return Ok(Some(view)) };
        let (release, mut notes) =
            AttackRelease::read(path).map_err(|error| Failure::from(error).unavailable())?;
        // The release of these bundles cannot be named.
        for note in notes.extract_if(.., |note| matches!(note, FolderNote::UnstatedAttackVersion { .. })) {
            terminal.warn(&note.to_string());
        }
        folder_notes::tell(&notes, terminal);
        let view = view.as_of(&release);
        view.map(Some).map_err(|error| Failure::new(Kind::Failed, error.to_string()))
    }
}
