//! A mapping report in Markdown: a row a record, with techniques by their roles, as CTID's method writes mappings down.

use vulnlens_taxonomy::Role;

use crate::answer::Answer;
use crate::findings::{Findings, TechniqueFinding, cve, title};
use crate::format::Format;
use crate::label::Label;
use crate::markdown_text::escaped;
use crate::rendering::{Records, Setup};
use crate::score::percent;

pub(super) const FORMAT: Format = Format::records(
    "mapping-report",
    "A table in Markdown, a row a record: weaknesses, and techniques by their roles",
    |setup| Box::new(MappingReport(setup.clone())),
)
.own_ending("md")
.media("text/markdown; charset=utf-8")
.of_techniques();

/// A mapping report.
struct MappingReport(Setup);

/// The columns of techniques that analysts assign.
const ROLES: [(&str, &[Role]); 3] = [
    ("Exploitation technique", &[Role::Exploitation]),
    ("Primary impact", &[Role::PrimaryImpact, Role::Uncategorised]),
    ("Secondary impact", &[Role::SecondaryImpact]),
];

impl MappingReport {
    fn technique(&self, finding: &TechniqueFinding) -> String {
        let (id, name) = (finding.id, finding.id.name(&self.0.kb));
        format!("[{id}]({}) {} ({})", id.url(), escaped(&name), percent(finding.score).trim())
    }
}

impl Records for MappingReport {
    fn head(&self, out: &mut Vec<u8>) {
        let run = &self.0.run;
        let columns = ROLES.map(|(name, _)| format!(" {name} |")).concat();
        let head = format!(
            "# Mappings to ATT&CK\n\n\
             Predicted from texts by vulnlens (model {} {}; {}); nothing here was observed, and each row is to be \
             reviewed. A technique that analysts assign stands in the column of its role; Derived are those that \
             MITRE's catalogues link to the weaknesses.\n\n\
             | Vulnerability | Weaknesses |{columns} Derived |\n|---|---|{}---|\n",
            escaped(&run.model),
            escaped(&run.model_revision),
            escaped(&run.versions.to_string()),
            "---|".repeat(ROLES.len()),
        );
        out.extend_from_slice(head.as_bytes());
    }

    fn push(&self, answer: &Answer, out: &mut Vec<u8>) {
        let findings = Findings::of(answer, &self.0);
        let name = escaped(&title(answer));
        let name = cve(answer).map_or_else(|| name.clone(), |id| format!("[{id}]({})", id.url()));
        let weaknesses = findings.weaknesses.iter().map(|w| {
            let name = w.label.name(&self.0.kb);
            format!("[{}]({}) {} ({})", w.label, w.label.url(), escaped(&name), percent(w.score).trim())
        });
        let of = |is_in: &dyn Fn(Option<Role>) -> bool| {
            let techniques = findings.techniques.iter().filter(|t| is_in(t.role));
            techniques.map(|t| self.technique(t)).collect::<Vec<_>>().join("<br>")
        };
        let weaknesses: Vec<String> = weaknesses.collect();
        let mut row = format!("| {name} | {} |", weaknesses.join("<br>"));
        for (_, roles) in ROLES {
            row += &format!(" {} |", of(&|role| role.is_some_and(|role| roles.contains(&role))));
        }
        row += &format!(" {} |\n", of(&|role| role.is_none()));
        out.extend_from_slice(row.as_bytes());
    }
}
