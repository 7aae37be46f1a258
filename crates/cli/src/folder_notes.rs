//! Notes about MITRE's files in a folder, on the terminal.

use vulnlens::taxonomy::FolderNote;

use crate::terminal::Terminal;

/// Tells the notes.
pub(crate) fn tell(notes: &[FolderNote], terminal: &Terminal) {
    for note in notes {
        match note {
            FolderNote::OlderReleases { .. } | FolderNote::ReleaseByName { .. } => {
                terminal.note(&note.to_string())
            }
            FolderNote::UnstatedAttackVersion { .. } => {
                terminal.warn(&format!("{note} (name it by --attack-version)"));
            }
            FolderNote::LeftOut { file, issues } => {
                terminal.warn(&format!("{note} (-v lists them)"));
                issues.iter().for_each(|issue| terminal.detail(&format!("{}: {issue}", file.display())));
            }
            _ => terminal.warn(&note.to_string()),
        }
    }
}
